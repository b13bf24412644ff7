"""The sheet of keyboard shortcuts: opened by "?" and by its button, except while typing."""

from __future__ import annotations

from playwright.sync_api import expect

from clipviewer.domain.keyboard import KEYBOARD
from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.test_keyboard import tab_to
from tests.browser.test_layout import assert_no_sideways_scrolling, widths
from tests.browser.watched_page import OpenRoom


def test_the_question_mark_opens_the_sheet_and_escape_closes_it(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path, reduced_motion="reduce")
    room.shown(sample_video.exported[0].title)
    room.option("Gulls").click()
    for _ in widths(room.page, 375, 1440):
        room.page.keyboard.press("?")
        sheet = room.page.get_by_role("dialog", name="Keyboard")
        expect(sheet.get_by_role("heading", level=2)).to_have_text([group.name for group in KEYBOARD])
        expect(sheet.get_by_role("definition")).to_have_text([line.does for group in KEYBOARD for line in group.shortcuts])
        assert sheet.evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth")
        assert_no_sideways_scrolling(room.page)
        room.page.keyboard.press("Escape")
        expect(sheet).to_have_count(0)


def test_the_button_opens_it_and_gets_the_focus_back(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path, reduced_motion="reduce")
    room.shown(sample_video.exported[0].title)
    tab_to(room.page, "[data-keys]")
    room.page.keyboard.press("Enter")
    expect(room.page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    room.page.keyboard.press("Escape")
    expect(room.page.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()


def test_a_question_mark_in_the_search_is_only_typed(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    page = open_room(app, "/", reduced_motion="reduce").page
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    search = page.get_by_role("searchbox", name="Search videos")
    search.press_sequentially("why?")
    expect(search).to_have_value("why?")
    expect(page.get_by_role("dialog")).to_have_count(0)
