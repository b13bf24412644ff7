"""A video with 300 exported clips."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.clip_library import MANY, Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


def test_only_nearby_rows_are_rendered_and_the_last_clip_is_scrolled_to_and_plays(
    app: RunningApp, crowded_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, crowded_video.path)
    room.playing(crowded_video.exported[0].key)
    assert 5 <= room.options.count() <= 60
    expect(room.options.first).to_have_attribute("aria-posinset", "1")
    expect(room.options.first).to_have_attribute("aria-setsize", str(MANY))
    room.page.get_by_role("listbox", name="Clips").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    last = room.option(f"Clip {MANY} of {MANY}")
    expect(last).to_have_attribute("aria-posinset", str(MANY))
    last.click()
    room.shown(f"Clip {MANY} of {MANY}")
    room.playing(crowded_video.exported[-1].key)
    assert room.options.count() <= 60


def test_an_address_in_the_middle_opens_the_list_there(app: RunningApp, crowded_video: Video, open_room: OpenRoom) -> None:
    clip = crowded_video.exported[149]
    room = open_room(app, f"{crowded_video.path}?clip={clip.id}")
    room.shown(clip.title)
    room.playing(clip.key)
    expect(room.option(clip.title)).to_be_in_viewport()
    expect(room.option(clip.title)).to_have_attribute("aria-posinset", "150")
    expect(room.option("Clip 148 of 300")).to_have_count(1)


def test_end_and_home_jump_to_the_ends_and_a_held_arrow_moves_to_the_last_clip(
    app: RunningApp, crowded_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, crowded_video.path)
    room.option("Clip 1 of 300").click()
    for key, at in (("End", -1), ("Home", 0)):
        room.page.keyboard.press(key)
        room.shown(crowded_video.exported[at].title)
        expect(room.option(crowded_video.exported[at].title)).to_be_focused()
        room.playing(crowded_video.exported[at].key)
    for _ in range(40):
        room.page.keyboard.press("ArrowDown")
    room.shown("Clip 41 of 300")
    room.playing(crowded_video.exported[40].key)
    expect(room.option("Clip 41 of 300")).to_be_in_viewport()


def test_back_returns_to_a_clip_far_up_the_list(app: RunningApp, crowded_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, crowded_video.path)
    room.option("Clip 2 of 300").click()
    room.playing(crowded_video.exported[1].key)
    room.page.get_by_role("listbox", name="Clips").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    room.option(f"Clip {MANY} of {MANY}").click()
    room.playing(crowded_video.exported[-1].key)
    room.page.go_back()
    room.playing(crowded_video.exported[1].key)
    expect(room.option("Clip 2 of 300")).to_be_in_viewport()
    room.shown("Clip 2 of 300")
