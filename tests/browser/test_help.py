"""The help pages: reached from every page, readable by every signed-in person, by keyboard and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from clipviewer.components.help_text import HELP_PAGES
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


def test_a_viewer_opens_help_from_the_library_and_follows_its_links(app: RunningApp, open_room: OpenRoom, viewer: str) -> None:
    room = open_room(app, email=viewer)
    room.page.get_by_role("link", name="Help", exact=True).click()
    room.at("/help")
    ways = room.page.get_by_role("navigation", name="Help")
    ways.get_by_role("link", name="Operate").click()
    room.at("/help/operate")
    expect(ways.get_by_role("link", name="Operate")).to_have_attribute("aria-current", "page")
    expect(room.page.get_by_role("heading", name="Backup", level=3)).to_be_visible()
    room.page.get_by_role("article").get_by_role("link", name="configuration table").click()
    room.at("/help/configuration")
    expect(room.page.get_by_role("cell", name="CLIPVIEWER_URL_TTL", exact=True)).to_be_visible()


def test_the_sheet_of_keys_and_the_settings_lead_to_help(app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(app, "/settings")
    expect(room.page.get_by_role("navigation", name="Settings").get_by_role("link", name="Help")).to_be_visible()
    room.page.get_by_role("button", name="Keyboard shortcuts").click()
    room.page.get_by_role("dialog").get_by_role("link", name="Help").click()
    room.at("/help")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_page_fits_a_phone_and_shows_its_heading(app: RunningApp, open_room: OpenRoom, scheme: str) -> None:
    room = open_room(app, "", viewport={"width": 375, "height": 667})
    room.page.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
    for page in HELP_PAGES:
        room.open(page.route)
        expect(room.page.get_by_role("heading", level=2)).to_be_visible()
        assert room.page.evaluate("document.documentElement.scrollWidth") == 375, page.route


def test_a_visitor_of_help_is_redirected_to_sign_in_and_back(app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(app, "/help/operate", signed_in=False)
    room.at("/sign-in?next=%2Fhelp%2Foperate")
