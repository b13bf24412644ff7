"""The library: finding a video and opening it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


def test_the_library_lists_the_videos_with_their_counts(app: RunningApp, bay: Video, open_room: OpenRoom) -> None:
    card = open_room(app, "/").page.get_by_role("link", name=bay.title)
    expect(card).to_contain_text("3 identified · 4 exported")
    expect(card).to_contain_text("0:48")


def test_searching_leaves_what_has_the_words(app: RunningApp, bay: Video, crowd: Video, open_room: OpenRoom) -> None:
    page = open_room(app, "/").page
    expect(page.get_by_role("link", name=crowd.title)).to_be_visible()
    page.get_by_role("searchbox", name="Search videos").fill("THE BAY")
    expect(page.get_by_role("link", name=crowd.title)).to_have_count(0)
    expect(page.get_by_role("link", name=bay.title)).to_be_visible()
    expect(page.get_by_text("1 video", exact=True)).to_be_visible()


def test_a_search_without_results_says_so(app: RunningApp, bay: Video, open_room: OpenRoom) -> None:
    page = open_room(app, "/").page
    page.get_by_role("searchbox", name="Search videos").fill("zebra")
    expect(page.get_by_text('No title contains "zebra".')).to_be_visible()
    page.get_by_role("searchbox", name="Search videos").fill("")
    expect(page.get_by_role("link", name=bay.title)).to_be_visible()


def test_a_video_opens_from_its_card(app: RunningApp, bay: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "/")
    room.page.get_by_role("link", name=bay.title).click()
    room.shown("Boats leave")
    room.playing(bay.exported[0].key)
    expect(room.page.get_by_role("heading", name=bay.title)).to_be_visible()
