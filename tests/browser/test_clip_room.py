"""The clip room as a person goes through it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


def test_opening_a_video_plays_its_first_exported_clip(app: RunningApp, bay: Video, open_room: OpenRoom) -> None:
    room = open_room(app, bay.path)
    room.shown("Boats leave")
    room.playing(bay.exported[0].key)
    assert room.path == f"{bay.path}?clip={bay.exported[0].id}"


def test_every_clip_plays_when_it_is_clicked(app: RunningApp, bay: Video, open_room: OpenRoom) -> None:
    room = open_room(app, bay.path)
    for clip in [*bay.exported, bay.exported[0]]:
        room.option(clip.title).click()
        room.shown(clip.title)
        room.playing(clip.key)
        assert room.path == f"{bay.path}?clip={clip.id}"
    expect(room.options.and_(room.page.locator("[aria-selected=true]"))).to_have_count(1)
