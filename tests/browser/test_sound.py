"""Autoplay: with sound where the browser allows it, muted otherwise, and with sound again after the first click."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser

from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom

# The page reports this itself, since evaluating a script here would count as a gesture.
TELL = """addEventListener("timeupdate", ({ target }) => {
  if (target.currentTime > 0.1) console.info(`plays ${target.muted ? "silently" : "with sound"}`);
}, { capture: true });"""


def test_the_first_clip_plays_muted_where_sound_needs_a_gesture_and_a_chosen_mute_is_kept(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, "")
    room.page.add_init_script(TELL)
    with room.page.expect_console_message(lambda message: message.text.startswith("plays")) as told:
        room.open(sample_video.path)
    assert told.value.text == "plays silently"
    room.option("Gulls").click()
    room.playing(sample_video.exported[1].key)
    assert not room.media("video.muted")
    room.page.get_by_role("button", name="mute").click()
    room.option("Boats leave").click()
    room.playing(sample_video.exported[0].key)
    assert room.media("video.muted")


def test_the_first_clip_plays_with_sound_where_it_is_allowed(
    app: RunningApp, sample_video: Video, open_room: OpenRoom, launch: Callable[..., Browser]
) -> None:
    room = open_room(app, sample_video.path, browser=launch("--autoplay-policy=no-user-gesture-required"))
    room.playing(sample_video.exported[0].key)
    assert not room.media("video.muted")
