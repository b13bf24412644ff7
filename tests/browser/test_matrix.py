"""The export matrix: export a missing cell, watch it run, play it; failures, stale cells, filters, keys, two rooms, a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlmodel import select

from clipviewer.db.models import IdentifiedClip
from tests.browser.clip_footage import Footage
from tests.browser.clip_library import MANY, Registrar, Video
from tests.browser.running_app import RunningApp
from tests.browser.test_layout import assert_no_sideways_scrolling
from tests.browser.watched_page import OpenRoom, Room

A_RENDER = 90_000


def matrix_path(video_id: str, **filters: str) -> str:
    return f"/videos/{video_id}?tab=exported&view=matrix" + "".join(f"&{name}={value}" for name, value in filters.items())


def cell(page: Page, name: str) -> Locator:
    return page.get_by_role("grid", name="Export matrix").get_by_role("button", name=name, exact=True)


def card(room: Room) -> Locator:
    return room.page.get_by_role("region", name="Selected cell")


@pytest.fixture
def one_clip(registrar: Registrar) -> str:
    """The id of a video for this test only, with one candidate, "The landing"."""
    video_id = registrar.video("one-clip", "One clip")
    registrar.identified(video_id, [("The landing", 3, 5)])
    return video_id


def test_a_missing_cell_is_exported_and_plays_in_every_open_room(app: RunningApp, one_clip: str, open_room: OpenRoom) -> None:
    other = open_room(app, matrix_path(one_clip))
    room = open_room(app, matrix_path(one_clip))
    expect(cell(other.page, "The landing, 9:16, Original: missing")).to_be_visible()
    cell(room.page, "The landing, 9:16, Original: missing").click()
    card(room).get_by_role("button", name="Export", exact=True).click()
    expect(card(room).get_by_role("button", name="Cancel")).to_be_visible()
    room.page.get_by_text("Exported: The landing 9:16").wait_for(timeout=A_RENDER)
    done = "The landing, 9:16, Original: done"
    expect(cell(room.page, done)).to_be_visible(timeout=A_RENDER)
    expect(cell(other.page, done)).to_be_visible(timeout=A_RENDER)
    expect(card(room)).to_contain_text("Done")
    for seen in (room, other):
        cell(seen.page, done).click()
        seen.wait_for("video => video.currentTime > 0")  # it takes two seconds, so it may have finished already
        expect(cell(seen.page, done)).to_have_attribute("aria-current", "true")
        expect(seen.page.get_by_role("region", name="Clip details").get_by_role("heading")).to_have_text("The landing")
    expect(cell(other.page, "The landing, 1:1, Original: missing")).to_be_visible()


def test_a_failed_cell_says_why_and_can_be_retried(app: RunningApp, one_clip: str, open_room: OpenRoom, footage: Footage) -> None:
    key = app.master_key(one_clip)
    app.store.delete(key)
    room = open_room(app, matrix_path(one_clip))
    cell(room.page, "The landing, 1:1, Original: missing").click()
    card(room).get_by_role("button", name="Export", exact=True).click()
    expect(cell(room.page, "The landing, 1:1, Original: failed")).to_be_visible(timeout=A_RENDER)
    expect(card(room)).to_contain_text("missing from the bucket")
    app.store.put_file(key, footage.master, "video/mp4")
    card(room).get_by_role("button", name="Retry").click()
    expect(cell(room.page, "The landing, 1:1, Original: done")).to_be_visible(timeout=A_RENDER)


def test_a_cell_whose_clip_was_trimmed_is_stale_plays_and_is_exported_again(app: RunningApp, one_clip: str, open_room: OpenRoom) -> None:
    room = open_room(app, matrix_path(one_clip))
    cell(room.page, "The landing, 9:16, Original: missing").click()
    card(room).get_by_role("button", name="Export", exact=True).click()
    expect(cell(room.page, "The landing, 9:16, Original: done")).to_be_visible(timeout=A_RENDER)
    with app.database.write() as db:
        candidate = db.get_one(IdentifiedClip, trimmed_id(app, one_clip))
        candidate.end_ms -= 500
    room.page.reload()
    stale = cell(room.page, "The landing, 9:16, Original: stale")
    stale.click()
    expect(card(room)).to_contain_text("The clip's range was changed.")
    room.playing()
    expect(room.page.get_by_role("region", name="Clip details")).to_contain_text("The clip's range was changed.")
    room.page.get_by_role("button", name="List", exact=True).click()
    expect(room.option("The landing").get_by_role("img", name="Stale: The clip's range was changed.")).to_be_visible()
    room.page.get_by_role("button", name="Matrix", exact=True).click()
    stale.click()
    card(room).get_by_role("button", name="Export again").click()
    expect(cell(room.page, "The landing, 9:16, Original: done")).to_be_visible(timeout=A_RENDER)
    expect(stale).to_have_count(0)


def trimmed_id(app: RunningApp, video_id: str) -> str:
    with app.database.read() as db:
        return db.exec(select(IdentifiedClip.id).where(IdentifiedClip.video_id == video_id)).one()


def narrow(room: Room, name: str, choice: str) -> None:
    room.page.get_by_role("button", name="Filter", exact=True).click()
    popover = room.page.locator(".rt-PopoverContent").bounding_box()
    assert popover is not None
    assert popover["height"] < 400
    room.page.get_by_label(name).select_option(choice)
    room.page.keyboard.press("Escape")


def test_the_address_keeps_the_view_and_the_filters(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    room.shown("Boats leave")
    room.page.get_by_role("button", name="Matrix", exact=True).click()
    narrow(room, "Language", "German")
    expect(cell(room.page, "Gulls, 1:1, German: done")).to_be_visible()
    expect(cell(room.page, "Boats leave, 9:16, English: done")).to_have_count(0)
    assert "view=matrix" in room.path
    assert "language=de" in room.path
    room.page.reload()
    expect(cell(room.page, "Gulls, 1:1, German: done")).to_be_visible()
    room.page.get_by_role("button", name="Filter", exact=True).click()
    expect(room.page.get_by_label("Language")).to_have_value("de")
    room.page.keyboard.press("Escape")
    room.page.get_by_role("button", name="List", exact=True).click()
    expect(room.options).to_have_count(1)
    assert "view=" not in room.path
    narrow(room, "State", "Failed")
    expect(room.page.get_by_text("Nothing matches")).to_be_visible()
    room.page.get_by_role("button", name="Show all").click()
    expect(room.options).to_have_count(len(sample_video.exported))
    assert "state=" not in room.path
    assert "language=" not in room.path


def test_the_grid_is_one_tab_stop_and_navigated_with_arrows(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, matrix_path(sample_video.id))
    cell(room.page, "Opening, 9:16, Original: missing").wait_for()
    room.page.get_by_role("button", name="Filter", exact=True).focus()
    room.page.keyboard.press("Tab")
    for key, name in (
        ("", "Opening, 9:16, Original: missing"),
        ("ArrowRight", "Opening, 1:1, Original: missing"),
        ("ArrowDown", "Middle, 1:1, Original: missing"),
        ("End", "Middle, 16:9, Original: missing"),
        ("ArrowRight", "Middle, 16:9, Original: missing"),
        ("ArrowUp", "Opening, 16:9, Original: missing"),
        ("Home", "Opening, 9:16, Original: missing"),
        ("Control+End", "Lights go out, 9:16, French: done"),
        ("Control+Home", "Opening, 9:16, Original: missing"),
    ):
        if key:
            room.page.keyboard.press(key)
        expect(cell(room.page, name)).to_be_focused()
    room.page.keyboard.press("Enter")
    expect(card(room).get_by_role("button", name="Export", exact=True)).to_be_visible()
    room.page.keyboard.press("Tab")
    expect(card(room).get_by_role("button", name="Export", exact=True)).to_be_focused()
    room.page.keyboard.press("Shift+Tab")
    expect(cell(room.page, "Opening, 9:16, Original: missing")).to_be_focused()
    room.page.keyboard.press("Shift+Tab")
    expect(room.page.get_by_role("button", name="Filter", exact=True)).to_be_focused()


def test_a_long_matrix_renders_only_nearby_rows(app: RunningApp, crowded_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, matrix_path(crowded_video.id))
    cell(room.page, f"Clip 1 of {MANY}, 9:16, English: done").wait_for()
    grid = room.page.get_by_role("grid", name="Export matrix")
    expect(grid).to_have_attribute("aria-rowcount", str(MANY))
    assert grid.get_by_role("row").count() <= 60
    grid.evaluate("(grid) => grid.scrollTo(0, grid.scrollHeight)")
    last = cell(room.page, f"Clip {MANY} of {MANY}, 9:16, English: done")
    last.click()
    expect(room.page.get_by_role("region", name="Clip details").get_by_role("heading")).to_have_text(f"Clip {MANY} of {MANY}")
    room.wait_for(f"video => video.currentSrc.includes('/{crowded_video.exported[-1].key}?')")
    room.playing(crowded_video.exported[-1].key)


@pytest.mark.parametrize("width", [375, 820, 1440])
def test_the_matrix_fits_its_width_and_selecting_a_cell_shifts_nothing(
    app: RunningApp, sample_video: Video, open_room: OpenRoom, width: int
) -> None:
    room = open_room(app, matrix_path(sample_video.id), viewport={"width": width, "height": 900})
    first = cell(room.page, "Opening, 9:16, Original: missing")
    first.wait_for()
    room.playing(sample_video.exported[0].key)
    assert_no_sideways_scrolling(room.page)
    before = first.bounding_box()
    first.click()
    expect(card(room).get_by_role("button", name="Export", exact=True)).to_be_visible()
    assert first.bounding_box() == before
    assert before is not None
    assert before["height"] >= 28
    assert_no_sideways_scrolling(room.page)
