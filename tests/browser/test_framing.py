"""The frame of a shape over the master: moved by mouse, touch and keys, saved for its clip."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import IdentifiedClip
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, crop_rect
from tests.browser.clip_footage import Footage
from tests.browser.clip_library import Registrar, Video
from tests.browser.framing_room import box, drag, finger, frame_in, saved, shares, status
from tests.browser.running_app import RunningApp
from tests.browser.test_layout import assert_no_sideways_scrolling
from tests.browser.watched_page import OpenRoom

WIDTH, HEIGHT = 480, 270
PHONE = {"viewport": {"width": 375, "height": 800}, "has_touch": True}


@pytest.fixture
def framing_video(registrar: Registrar, footage: Footage) -> Video:
    """Three identified clips of a short 16:9 master, for this test only."""
    video_id = registrar.video("quay", "The quay", footage.landscape, 6)
    return Video(video_id, "The quay", identified=registrar.identified(video_id, [("Opening", 0, 2), ("Middle", 2, 4), ("Late", 4, 6)]))


def expected(ratio: AspectRatio, x: float = 0.5) -> Any:
    rect = crop_rect(WIDTH, HEIGHT, ratio, Framing(FramingMode.MANUAL, x, 0.5))
    wanted = (rect.x / WIDTH, rect.y / HEIGHT, rect.width / WIDTH, rect.height / HEIGHT)
    return pytest.approx(wanted, abs=0.002)


def kept(app: RunningApp, video: Video, at: int = 0, ratio: str = "9:16") -> ClipFraming | None:
    with app.database.read() as db:
        return db.get(ClipFraming, (video.identified[at].id, ratio))


def test_a_shape_is_framed_in_the_middle_of_the_picture_but_not_on_an_exported_clip(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    frame = frame_in(room, "9:16")
    assert shares(room) == expected(AspectRatio.PORTRAIT)
    expect(status(room)).to_have_text("Centre")
    room.page.get_by_role("radio", name="1:1", exact=True).check()
    expect(room.page.get_by_role("slider", name="Frame 1:1")).to_be_visible()
    assert shares(room) == expected(AspectRatio.SQUARE)
    expect(status(room)).to_have_text("Centre")
    expect(room.page.get_by_role("radio", name="16:9", exact=True)).to_be_disabled()
    room.page.get_by_role("tab", name="Exported").click()
    expect(room.page.get_by_role("region", name="Framing")).to_have_count(0)
    expect(frame).to_have_count(0)
    room.page.get_by_role("tab", name="Identified").click()
    expect(frame).to_be_visible()
    room.page.get_by_role("radio", name="Whole").check()
    expect(frame).to_be_hidden()


def test_choosing_a_shape_moves_nothing_on_the_page(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    room.playing()
    places = "[...document.querySelectorAll('.details, .framing, .framing-button')].map((e) => JSON.stringify(e.getBoundingClientRect()))"
    before = room.page.evaluate(places)
    frame_in(room)
    room.page.get_by_role("button", name="Auto").click()
    expect(room.page.get_by_role("button", name="Keep")).to_be_visible()
    assert room.page.evaluate(places) == before


def test_a_dragged_frame_stays_where_it_was_left(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{framing_video.path}?tab=identified")
    frame_in(room)
    drag(room, 0.2)
    saved(room)
    assert shares(room) == expected(AspectRatio.PORTRAIT, 0.7)
    row = kept(app, framing_video)
    assert row is not None
    assert (row.x, row.y) == (pytest.approx(0.7, abs=0.002), 0.5)
    room.page.reload()
    saved(room)
    assert shares(room) == expected(AspectRatio.PORTRAIT, 0.7)
    drag(room, 0.9)
    saved(room)
    assert shares(room) == expected(AspectRatio.PORTRAIT, 1)


def test_each_clip_and_shape_has_its_own_frame_and_centre_resets_it(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{framing_video.path}?tab=identified")
    frame_in(room)
    drag(room, -0.2)
    saved(room)
    room.page.get_by_role("radio", name="1:1", exact=True).check()
    expect(status(room)).to_have_text("Centre")
    room.option("Late").click()
    room.page.get_by_role("radio", name="9:16", exact=True).check()
    expect(status(room)).to_have_text("Centre")
    assert shares(room) == expected(AspectRatio.PORTRAIT)
    room.option("Opening").click()
    saved(room)
    room.page.get_by_role("button", name="Centre").click()
    expect(status(room)).to_have_text("Centre")
    assert shares(room) == expected(AspectRatio.PORTRAIT)
    room.page.reload()
    expect(status(room)).to_have_text("Centre")
    assert kept(app, framing_video) is None


def test_the_frame_is_moved_with_the_arrow_keys(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{framing_video.path}?tab=identified")
    frame = frame_in(room)
    slider = room.page.get_by_role("slider", name="Frame 9:16")
    slider.focus()
    at = room.media("video.currentTime")
    for key, percent in (("ArrowRight", 51), ("ArrowRight", 52), ("Shift+ArrowLeft", 47), ("ArrowUp", 47), ("Home", 16), ("End", 84)):
        room.page.keyboard.press(key)
        expect(slider).to_have_attribute("aria-valuetext", f"{percent} % from the left")
        expect(slider).to_have_attribute("aria-valuenow", str(percent))
    saved(room)
    assert shares(room) == expected(AspectRatio.PORTRAIT, 1)
    assert (room.media("video.currentTime"), room.media("video.paused")) == (at, True)
    expect(frame).to_be_focused()
    row = kept(app, framing_video)
    assert row is not None
    assert row.x == 0.8438


def test_the_players_keys_and_clicks_still_work(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    frame = frame_in(room)
    frame.focus()
    room.page.keyboard.press("Space")
    room.wait_for("video => !video.paused")
    frame.click()
    room.wait_for("video => video.paused")
    room.video.focus()
    at = room.media("video.currentTime")
    room.page.keyboard.press("ArrowRight")
    room.wait_for(f"video => video.currentTime > {at} + 1")
    expect(status(room)).to_have_text("Centre")
    assert kept(app, sample_video) is None


def test_escape_cancels_a_drag(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{framing_video.path}?tab=identified")
    frame = frame_in(room)
    frame.hover()
    room.page.mouse.down()
    room.page.mouse.move(300, 300, steps=3)
    expect(status(room)).to_have_text("By hand")
    room.page.keyboard.press("Escape")
    room.page.mouse.up()
    expect(status(room)).to_have_text("Centre")
    assert shares(room) == expected(AspectRatio.PORTRAIT)


def test_a_phone_drags_by_touch_and_scrolls_beside_the_frame(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{framing_video.path}?tab=identified", **PHONE)
    frame_in(room)
    assert_no_sideways_scrolling(room.page)
    middle = "(all) => all.map((e) => e.getBoundingClientRect()).map((r) => r.top + r.height / 2)"
    tops = room.page.locator(".framing-bar > *").evaluate_all(middle)
    assert max(tops) - min(tops) < 2
    heights = room.page.locator(".framing-button, .framing-shape").evaluate_all("(all) => all.map((e) => e.offsetHeight)")
    assert min(heights) >= 40
    room.page.evaluate("scrollTo(0, document.querySelector('.stage').offsetTop - 80)")
    scrolled = room.page.evaluate("scrollY")
    finger(room, ".crop-box", -60, 40)
    saved(room)
    assert room.page.evaluate("scrollY") == scrolled
    assert shares(room) == expected(AspectRatio.PORTRAIT, 0.5 - 60 / box(room, ".crop-picture").width)
    finger(room, ".crop-picture", 0, 120, start=0.05)
    room.page.wait_for_function(f"scrollY < {scrolled}")


def test_safe_zones_are_drawn_into_an_upright_frame_on_demand(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    frame_in(room)
    button, safe = room.page.get_by_role("button", name="Safe zones"), room.page.locator(".crop-safe")
    expect(safe).to_be_hidden()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    inner, outer = box(room, ".crop-safe"), box(room, ".crop-box")
    assert inner.y - outer.y == pytest.approx(0.14 * outer.height, abs=1)
    assert inner.height == pytest.approx(0.51 * outer.height, abs=1)
    room.page.reload()
    expect(safe).to_be_visible()
    room.page.get_by_role("radio", name="1:1", exact=True).check()
    expect(safe).to_be_hidden()
    expect(button).to_be_disabled()


def test_a_viewer_sees_the_frame_and_cannot_move_it(app: RunningApp, framing_video: Video, viewer: str, open_room: OpenRoom) -> None:
    room = open_room(app, f"{framing_video.path}?tab=identified", email=viewer)
    frame_in(room)
    expect(room.page.get_by_role("img", name="Frame 9:16, 50 % from the left")).to_be_visible()
    drag(room, 0.2)
    expect(status(room)).to_have_text("Centre")
    assert shares(room) == expected(AspectRatio.PORTRAIT)
    expect(room.page.get_by_role("button", name="Centre")).to_have_count(0)
    assert kept(app, framing_video) is None


def test_the_frame_follows_the_picture_to_full_screen(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified", viewport={"width": 900, "height": 900})
    frame_in(room)
    room.page.get_by_role("button", name="fullscreen").click()
    room.page.wait_for_function("document.fullscreenElement?.localName === 'media-controller'")
    picture, screen = box(room, ".crop-picture"), room.page.evaluate("[innerWidth, innerHeight]")
    assert picture.width == pytest.approx(min(screen[0], screen[1] * WIDTH / HEIGHT), abs=1)
    assert picture.y == pytest.approx((screen[1] - picture.height) / 2, abs=1)
    expect(room.page.locator(".crop-box")).to_be_visible()


def test_another_room_sees_a_chosen_frame_when_it_opens_the_clip(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    other = open_room(app, f"{framing_video.path}?tab=identified")
    frame_in(other)
    room = open_room(app, f"{framing_video.path}?tab=identified")
    frame_in(room)
    drag(room, 0.2)
    saved(room)
    other.option("Middle").click()
    other.shown("Middle")
    other.option("Opening").click()
    saved(other)
    assert shares(other) == expected(AspectRatio.PORTRAIT, 0.7)


def test_a_frame_that_cannot_be_saved_is_reset(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{framing_video.path}?tab=identified")
    frame_in(room)
    drag(room, 0.2)
    saved(room)
    # A hidden page asks for no updates, which would open another clip in place of the deleted one.
    room.page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    with app.database.write() as db:
        db.delete(db.get_one(IdentifiedClip, framing_video.identified[0].id))
    drag(room, -0.3)
    room.toast("Clip not found")
    expect(status(room)).to_have_text("By hand. The last change was not saved: try again.")
    assert shares(room) == expected(AspectRatio.PORTRAIT, 0.7)


def test_an_upright_picture_is_framed_vertically(app: RunningApp, registrar: Registrar, footage: Footage, open_room: OpenRoom) -> None:
    video_id = registrar.video("upright", "Upright", footage.portrait, 6)
    registrar.identified(video_id, [("All of it", 0, 5)])
    room = open_room(app, f"/videos/{video_id}?tab=identified")
    frame_in(room, "1:1")
    expect(room.page.get_by_role("radio", name="9:16", exact=True)).to_be_disabled()
    slider = room.page.get_by_role("slider", name="Frame 1:1")
    expect(slider).to_have_attribute("aria-orientation", "vertical")
    for key in ("Home", "ArrowDown", "Shift+ArrowDown", "ArrowLeft"):
        slider.press(key)
    expect(slider).to_have_attribute("aria-valuetext", "34 % from the top")
    saved(room)
    rect = crop_rect(270, 480, AspectRatio.SQUARE, Framing(FramingMode.MANUAL, 0.5, 135 / 480 + 0.06))
    assert shares(room) == pytest.approx((0, rect.y / 480, 1, rect.height / 480), abs=0.003)


def test_no_request_is_sent_without_framing(app: RunningApp, framing_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "")
    sent: list[str] = []
    room.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    room.open(f"{framing_video.path}?tab=identified")
    room.playing()
    room.option("Late").click()
    room.shown("Late")
    room.option("Middle").click()
    room.shown("Middle")
    expect(status(room)).to_have_text("Choose a shape to see and to move its frame.")
    assert any("select_clip" in frame for frame in sent)
    assert not any("framing_state" in frame for frame in sent)
    frame_in(room)
    expect(status(room)).to_have_text("Centre")
    room.page.wait_for_function("JSON.parse(document.querySelector('crop-preview').getAttribute('framing')).clip_id !== ''")
    assert any("framing_state" in frame for frame in sent)
