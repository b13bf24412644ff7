"""``/help`` and ``/help/{page}``: ``clipviewer/docs`` and the README's table of settings, for everybody who is signed in."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.frame import page_frame
from clipviewer.components.help_text import HELP_PAGES, HelpPage, render


def help_page(page: HelpPage) -> rx.Component:
    """Return a Help page with the navigation between them."""
    ways = [
        rx.link(
            rx.icon(other.icon, size=16),
            other.name,
            href=other.route,
            underline="none",
            custom_attrs={"aria-current": "page"} if other == page else {},
        )
        for other in HELP_PAGES
    ]
    reference = rx.link(rx.icon("braces", size=16), "API reference", href="/api/docs", underline="none", is_external=True)
    return page_frame(
        rx.box(
            bundled("settings/settings.css", "help/help.css"),
            rx.el.nav(*ways, reference, aria_label="Help", class_name="settings-nav help-ways"),
            rx.el.article(rx.html(render(page)), class_name="help-text card"),
            class_name="settings",
        ),
        title="Help",
    )
