"""Switching clips: at once if the URL is known, with no duplicate requests."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Request, WebSocketRoute

from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room

AHEAD = "bytes=0-524287"
SRC_AFTER_CLICK = """async (id) => {
  document.querySelector(`[data-clip-id="${id}"]`).click();
  await new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
  return document.querySelector("video").src;
}"""
PUSH_SUCCESSOR = """(id) => {
  const player = document.querySelector("clip-player");
  const urls = JSON.parse(player.getAttribute("urls"));
  urls[id] = { url: urls[id].url + "&later=1", expires: urls[id].expires + 900_000, now: Date.now() };
  player.setAttribute("urls", JSON.stringify(urls));
}"""


def fetched_ahead(requests: Sequence[Request]) -> list[str]:
    """Return the keys of the clips whose first bytes were fetched without being opened."""
    return [request.url.partition("?")[0].partition("/s3/clipviewer/")[2] for request in requests if request.headers.get("range") == AHEAD]


def wait_for_ahead(room: Room, count: int) -> None:
    room.until(lambda: len(fetched_ahead(room.requests)) >= count)


def test_a_click_shows_its_clip_without_waiting_for_the_server(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "")
    silent = False

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda message: None if silent else server.send(message))

    room.page.route_web_socket("**/_event/**", between)
    room.open(sample_video.path)
    room.playing(sample_video.exported[0].key)
    silent = True
    for clip in (sample_video.exported[2], sample_video.exported[1], sample_video.exported[3]):
        assert f"/{clip.key}?" in room.page.evaluate(SRC_AFTER_CLICK, clip.id)
        room.shown(clip.title)
        room.playing(clip.key)


def test_reopening_a_clip_requests_only_its_footage(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    for clip in sample_video.exported:
        room.option(clip.title).click()
        room.playing(clip.key)
    wait_for_ahead(room, len(sample_video.exported) - 1)

    def again() -> None:
        for clip in sample_video.exported:
            room.option(clip.title).click()
            room.playing(clip.key)

    assert {request.resource_type for request in room.since(again)} <= {"media"}


def test_a_running_clip_keeps_its_url_when_a_newer_one_arrives(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    room.playing(sample_video.exported[0].key)
    before = room.media("video.src")
    room.video.evaluate("(video) => { window.loads = 0; video.addEventListener('loadstart', () => window.loads++); }")
    room.page.evaluate(PUSH_SUCCESSOR, sample_video.exported[0].id)
    at = room.media("video.currentTime")
    room.wait_for(f"video => video.currentTime > {at + 0.5}")
    assert room.media("video.src") == before
    assert room.page.evaluate("window.loads") == 0


def test_the_first_bytes_of_the_next_and_previous_clip_are_prefetched(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?clip={sample_video.exported[1].id}")
    room.playing(sample_video.exported[1].key)
    wait_for_ahead(room, 2)
    assert fetched_ahead(room.requests) == [sample_video.exported[2].key, sample_video.exported[0].key]
    room.option(sample_video.exported[2].title).click()
    room.playing(sample_video.exported[2].key)
    wait_for_ahead(room, 3)
    assert fetched_ahead(room.requests)[2:] == [sample_video.exported[3].key]


def test_nothing_is_prefetched_in_data_saver_mode(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "")
    room.page.add_init_script("Object.defineProperty(navigator.connection, 'saveData', { get: () => true })")
    room.open(sample_video.path)
    for clip in sample_video.exported[:2]:
        room.option(clip.title).click()
        room.playing(clip.key)
        room.wait_for("video => video.currentTime > 0.6")
    assert fetched_ahead(room.requests) == []


def test_the_playback_speed_is_kept_for_the_next_clip(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?clip={sample_video.exported[2].id}")
    room.playing(sample_video.exported[2].key)
    room.page.get_by_role("button", name="Playback rate").click()
    rate = room.media("video.playbackRate")
    assert rate != 1
    room.option("Gulls").click()
    room.playing(sample_video.exported[1].key)
    assert room.media("video.playbackRate") == rate
