"""The timeline of a master: built automatically, and clips marked on it by keys and by dragging, in every room of the video."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlmodel import select

from clipviewer.db.models import IdentifiedClip
from tests.browser.clip_footage import Footage
from tests.browser.clip_library import Registrar
from tests.browser.running_app import RunningApp
from tests.browser.test_layout import assert_no_sideways_scrolling
from tests.browser.watched_page import OpenRoom, Room

FACE = ".timeline-face > canvas"
DRAWN = "(view => view && JSON.parse(view).edition !== '')(document.querySelector('clip-timeline')?.getAttribute('view'))"
FRAME_MS = 40


@pytest.fixture
def empty_video(registrar: Registrar, footage: Footage) -> str:
    """The path of a video of six seconds without any clips."""
    return f"/videos/{registrar.video('bare', 'The bare one', footage.landscape, 6)}"


def opened(room: Room) -> Room:
    room.playing()
    room.page.wait_for_function(DRAWN, timeout=60_000)
    room.video.evaluate("video => video.pause()")
    return room


def at(room: Room, seconds: float) -> None:
    room.video.evaluate("(video, seconds) => { video.currentTime = seconds; }", seconds)
    room.wait_for(f"video => !video.seeking && Math.abs(video.currentTime - {seconds}) < 0.01")


def kept(app: RunningApp, path: str) -> list[tuple[int, int, str, str]]:
    with app.database.read() as db:
        clips = db.exec(select(IdentifiedClip).where(IdentifiedClip.video_id == path.rpartition("/")[2]).order_by(IdentifiedClip.start_ms))
        return [(clip.start_ms, clip.end_ms, clip.title, clip.origin) for clip in clips]


def test_a_video_without_clips_plays_and_clips_are_marked_by_keys(app: RunningApp, empty_video: str, open_room: OpenRoom) -> None:
    room = opened(open_room(app, f"{empty_video}?tab=identified"))
    other = open_room(app, f"{empty_video}?tab=identified")
    at(room, 1.01)
    room.page.keyboard.press("i")
    at(room, 3)
    room.page.keyboard.press("o")
    room.page.keyboard.press("Enter")
    title = room.page.get_by_role("textbox", name="Title of the clip")
    expect(title).to_be_focused()
    title.fill("Into it")  # the i is typed as text here
    title.press("Enter")
    room.shown("Into it")
    expect(title).to_be_hidden()
    assert kept(app, empty_video) == [(1_000, 3_000, "Into it", "marked")]
    expect(other.option("Into it")).to_be_visible()
    room.page.reload()
    room.shown("Into it")


def test_a_clip_is_marked_by_dragging_changed_removed_and_restored(app: RunningApp, empty_video: str, open_room: OpenRoom) -> None:
    room = opened(open_room(app, f"{empty_video}?tab=identified"))
    face = room.page.locator(FACE).bounding_box()
    assert face is not None

    def drag(start: float, end: float) -> None:
        height = face["y"] + 60
        room.page.mouse.move(face["x"] + face["width"] * start, height)
        room.page.mouse.down()
        room.page.mouse.move(face["x"] + face["width"] * end, height, steps=4)
        room.page.mouse.up()

    drag(0.5, 0.75)
    drag(0.5, 0.25)  # the handle at the in point
    room.page.get_by_role("textbox", name="Title of the clip").fill("By hand")
    room.page.get_by_role("button", name="Save clip").click()
    room.shown("By hand")
    ((start_ms, end_ms, _, _),) = kept(app, empty_video)
    assert (start_ms, end_ms) == (pytest.approx(1_500, abs=2 * FRAME_MS), pytest.approx(4_500, abs=2 * FRAME_MS))
    assert start_ms % FRAME_MS == end_ms % FRAME_MS == 0
    room.page.get_by_role("button", name="Edit").click()
    room.page.get_by_role("textbox", name="Title of the clip").fill("By another hand")
    room.page.get_by_role("button", name="Save clip").click()
    room.shown("By another hand")
    room.page.get_by_role("button", name="Edit").click()
    room.page.get_by_role("button", name="Remove").click()
    expect(room.page.get_by_text("No identified clips yet")).to_be_visible()
    room.page.get_by_role("button", name="Undo").click()
    room.shown("By another hand")
    assert kept(app, empty_video) == [(start_ms, end_ms, "By another hand", "marked")]


def test_a_click_on_the_timeline_is_a_seek_and_arrows_go_frame_by_frame(app: RunningApp, empty_video: str, open_room: OpenRoom) -> None:
    room = opened(open_room(app, f"{empty_video}?tab=identified"))
    face = room.page.locator(FACE).bounding_box()
    assert face is not None
    room.page.mouse.click(face["x"] + face["width"] / 2, face["y"] + 60)
    room.wait_for("video => !video.seeking && Math.abs(video.currentTime - 3) < 0.05")
    before = room.media("video.currentTime")
    room.page.locator(FACE).press("ArrowRight")
    room.wait_for(f"video => !video.seeking && Math.abs(video.currentTime - {before} - 0.04) < 0.005")


# Number of colours of the timeline between two fractions of its width, in rows from a height on (px); by default the last row but one.
SHADES = """([from, to], top = null, rows = 1) => {
  const canvas = document.querySelector('.timeline-face > canvas');
  const [x, width] = [from, to - from].map((share) => Math.round(share * canvas.width));
  const pen = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true });
  pen.drawImage(canvas, x, top ?? canvas.height - 2, width, rows, 0, 0, width, rows);
  const { data } = pen.getImageData(0, 0, width, rows);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]} ${data[i + 1]} ${data[i + 2]}`);
  return seen.size;
}"""


def test_every_candidate_is_on_the_timeline_which_keys_zoom_and_pan(app: RunningApp, empty_video: str, open_room: OpenRoom) -> None:
    video_id = empty_video.rpartition("/")[2]
    with app.database.write() as db:
        for number, (start_ms, end_ms) in enumerate([*((at, 1_000) for at in range(99)), (4_000, 5_000)]):
            title, reference = f"Clip {number}", str(number)
            db.add(IdentifiedClip(video_id=video_id, reference=reference, title=title, start_ms=start_ms, end_ms=end_ms))
    room = opened(open_room(app, f"{empty_video}?tab=identified"))
    at(room, 2)
    page, face = room.page, room.page.locator(FACE)
    page.wait_for_function(f"({SHADES})([0.6, 0.9]) > 1")  # the last candidate, which is outside the listed window
    face.press("0")
    assert page.evaluate(SHADES, [0.4, 0.6]) == 1
    for _ in range(2):
        face.press("+")
    face.press("Shift+ArrowRight")
    face.press("Shift+ArrowRight")
    page.wait_for_function(f"({SHADES})([0, 1]) === 1")  # there is no candidate from about 2.2 to 3.7 s
    assert room.media("video.currentTime") == 2
    face.press("0")
    page.wait_for_function(f"({SHADES})([0.6, 0.9]) > 1")


def test_the_timeline_draws_pictures_and_fits_a_phone(app: RunningApp, empty_video: str, open_room: OpenRoom, tmp_path: Path) -> None:
    room = opened(open_room(app, f"{empty_video}?tab=identified", viewport={"width": 375, "height": 800}, has_touch=True))
    room.page.wait_for_function(f"({SHADES})([0, 1], 30, 20) > 200")
    assert_no_sideways_scrolling(room.page)
