"""The library: finding a video and opening it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from clipviewer.db.models import Video as Row
from clipviewer.services import work
from tests.browser.clip_library import Registrar, Video, unique
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


@pytest.fixture(scope="module")
def other(registrar: Registrar) -> Video:
    title = f"Not the {unique('cove')}"
    return Video(registrar.video("cove", title), title)


def test_the_videos_are_listed_with_their_counts_and_filtered_by_a_search(
    app: RunningApp, sample_video: Video, other: Video, open_room: OpenRoom
) -> None:
    page = open_room(app, "/").page
    card = page.get_by_role("link", name=sample_video.title)
    expect(card).to_contain_text("3 identified · 4 exported")
    expect(card).to_contain_text("0:48")
    expect(page.get_by_role("link", name=other.title)).to_be_visible()
    page.get_by_role("searchbox", name="Search videos").fill(sample_video.title.upper())
    expect(page.get_by_role("link", name=other.title)).to_have_count(0)
    expect(page.get_by_role("link", name=sample_video.title)).to_be_visible()
    expect(page.get_by_text("1 video", exact=True)).to_be_visible()
    zebra = unique("zebra")
    page.get_by_role("searchbox", name="Search videos").fill(zebra)
    expect(page.get_by_text(f'No title, clip or caption contains "{zebra}".')).to_be_visible()
    page.get_by_role("searchbox", name="Search videos").fill("")
    expect(page.get_by_role("link", name=sample_video.title)).to_be_visible()


def test_search_and_filters_are_in_the_address_and_survive_reload_and_back(
    app: RunningApp, sample_video: Video, other: Video, open_room: OpenRoom
) -> None:
    asked, address = f"{sample_video.word} gulls", f"/?q={sample_video.word}+gulls"
    room = open_room(app, "/")
    page, search = room.page, room.page.get_by_role("searchbox", name="Search videos")
    expect(page.get_by_role("link", name=sample_video.title)).to_be_visible()
    search.fill(asked)
    expect(page.get_by_role("link", name=other.title)).to_have_count(0)
    room.at(address)
    page.get_by_label("Sort by").select_option(label="Title")
    page.wait_for_url(f"**{address}&sort=title")
    page.get_by_label("Show", exact=True).select_option(label="Archived")
    expect(page.get_by_text("0 videos", exact=True)).to_be_visible()
    page.wait_for_url(f"**{address}&sort=title&filter=archived")
    page.reload()
    expect(page.get_by_text("0 videos", exact=True)).to_be_visible()
    expect(search).to_have_value(asked)
    expect(page.get_by_label("Sort by")).to_have_value("title")
    page.go_back()
    expect(page.get_by_role("link", name=sample_video.title)).to_be_visible()
    expect(page.get_by_label("Show", exact=True)).to_have_value("all")
    expect(search).to_have_value(asked)


def test_showing_all_videos_again_empties_the_search_and_a_video_opens_from_its_card(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, f"/?q={unique('zebra')}&filter=exported")
    room.page.get_by_role("button", name="Show all videos").click()
    expect(room.page.get_by_role("link", name=sample_video.title)).to_be_visible()
    expect(room.page.get_by_role("searchbox", name="Search videos")).to_have_value("")
    room.at("/")
    room.page.get_by_role("link", name=sample_video.title).click()
    room.shown("Boats leave")
    room.playing(sample_video.exported[0].key)
    expect(room.page.get_by_role("heading", name=sample_video.title)).to_be_visible()


@pytest.mark.parametrize("width", [375, 1440])
def test_the_table_shows_the_same_videos_and_opens_them_by_keyboard(
    app: RunningApp, sample_video: Video, open_room: OpenRoom, width: int
) -> None:
    room = open_room(app, f"/?q={sample_video.word}", viewport={"width": width, "height": 800})
    page = room.page
    button = page.get_by_role("button", name="Table")
    button.focus()
    page.keyboard.press("Enter")
    row = page.get_by_role("table", name="Videos").get_by_role("row").filter(has_text=sample_video.title)
    expect(row).to_contain_text("0:48")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_url(f"**/?q={sample_video.word}&view=table")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    row.get_by_role("link").focus()
    page.keyboard.press("Enter")
    room.shown("Boats leave")


def test_the_strip_shows_what_runs_and_leads_to_what_needs_attention(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    title = f"A video whose {unique('file')} went away"
    video_id = registrar.video("strip", title)
    page = open_room(app, "/").page
    card = page.get_by_role("link", name=title)
    expect(card).to_be_visible()
    expect(card).not_to_contain_text("running", timeout=60_000)  # the preview job, which finds the file
    with app.database.write() as db:
        asked = work.enqueue(db, "nobody does this", video_id, video_id=video_id)
        db.get_one(Row, video_id).missing_at = datetime.now(UTC)
    running = page.get_by_role("list", name="Running now")
    expect(running.get_by_role("listitem").filter(has_text="Nobody does this")).to_contain_text(title)
    running.get_by_role("button", name="Cancel Nobody does this").click()
    expect(running.get_by_text("Nobody does this")).to_have_count(0)
    with app.database.read() as db:
        assert work.work(db, asked.id).state == "cancelled"
    page.get_by_role("button", name=re.compile("with missing files")).click()
    expect(page.get_by_label("Show", exact=True)).to_have_value("missing")
    expect(card).to_contain_text("File missing")
    with app.database.write() as db:
        db.delete(db.get_one(Row, video_id))
