"""Composition root: settings → services → API, store, pages, lifespan.

Reflex imports this module twice: to compile the front end, where only the pages matter, and to serve.
"""

from __future__ import annotations

from functools import partial

import reflex as rx
from starlette.types import ASGIApp

from clipviewer.components.help_text import HELP_PAGES
from clipviewer.pages.help import help_page
from clipviewer.pages.library import library_page
from clipviewer.pages.not_found import not_found_page
from clipviewer.pages.preferences import preferences_page
from clipviewer.pages.sign_in import set_up_page, sign_in_page
from clipviewer.pages.storage_settings import storage_settings_page
from clipviewer.pages.video_detail import video_detail_page
from clipviewer.state.event_door import guard_events
from clipviewer.state.failures import browser_failed, handler_failed
from clipviewer.state.help import HelpState
from clipviewer.state.library_page import LibraryPageState
from clipviewer.state.preferences import PreferencesState
from clipviewer.state.room import RoomState
from clipviewer.state.storage_doctor import StorageDoctorState


def compose(pages: ASGIApp) -> ASGIApp:
    """Build the whole application around Reflex's pages. Imports late, since the front-end build needs none of it."""
    from clipviewer import serving

    return serving.compose(pages)


app = rx.App(
    stylesheets=["/frame/frame.css"],
    head_components=[rx.el.link(rel="icon", href="/icon.svg", type="image/svg+xml")],
    html_lang="en",
    api_transformer=[compose],
    backend_exception_handler=handler_failed,
    frontend_exception_handler=browser_failed,
)
guard_events(app)
app.add_page(library_page, route="/", title="Library · clipviewer", on_load=LibraryPageState.open)
app.add_page(video_detail_page, route="/videos/[id]", title="Clip room · clipviewer", on_load=RoomState.open)
app.add_page(preferences_page, route="/settings", title="Preferences · clipviewer", on_load=PreferencesState.open_page)
app.add_page(storage_settings_page, route="/settings/storage", title="Storage · clipviewer", on_load=StorageDoctorState.open_page)
for page in HELP_PAGES:
    app.add_page(partial(help_page, page), route=page.route, title=f"{page.name} · clipviewer", on_load=HelpState.open_page)
app.add_page(sign_in_page, route="/sign-in", title="Sign in · clipviewer")
app.add_page(set_up_page, route="/set-up/[token]", title="Set up · clipviewer")
app.add_page(not_found_page, route="/404", title="Not found · clipviewer")
