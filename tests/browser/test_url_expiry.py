"""URLs expire after 15 to 20 seconds, and viewers never notice.

All rooms are opened together and wait together until their URLs have expired; each test then continues with its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, CDPSession

from tests.browser.clip_footage import LONG_SECONDS, Footage
from tests.browser.clip_library import Clip, Video, registering
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import Room

SPEED = 1.5
SLOW = 0.5
PLACE = 5.0
FAR = 36.0
WATCH = """(video, [speed, place]) => {
  video.playbackRate = speed;
  window.sources = [video.src];
  video.addEventListener("loadstart", () => video.src && window.sources.push(video.src));
  if (place === null) return;
  video.pause();
  video.currentTime = place;
}"""
PAUSED, RUNNING = ("by_code", "by_hand", "asleep", "left_alone"), ("through", "run_on")


@dataclass(frozen=True)
class ExpiringRooms:
    """Rooms on the long clip, opened before their URLs expired: the paused ones at ``PLACE``, with the speed ``SPEED``."""

    video: Video
    rooms: dict[str, Room] = field(default_factory=dict)
    first_urls: dict[str, str] = field(default_factory=dict)

    @property
    def clip(self) -> Clip:
        return self.video.exported[0]


@pytest.fixture(scope="module")
def expiring_rooms(short_lived: RunningApp, footage: Footage, browser: Browser) -> Iterator[ExpiringRooms]:
    with registering(short_lived, footage) as registrar:
        expiring_rooms = ExpiringRooms(registrar.one_long("evening", "A long evening"))
    expiring_rooms.rooms.update({name: _room(browser, short_lived, expiring_rooms.video) for name in (*PAUSED, *RUNNING)})
    for name, room in expiring_rooms.rooms.items():
        room.playing(expiring_rooms.clip.key)
        room.video.evaluate(WATCH, [SPEED, PLACE] if name in PAUSED else [SLOW, None])
        expiring_rooms.first_urls[name] = room.media("video.src")
    _freeze(expiring_rooms.rooms["asleep"], "frozen")
    yield expiring_rooms
    complaints = [f"{name}: {text}" for name, room in expiring_rooms.rooms.items() for text in room.complaints()]
    for room in expiring_rooms.rooms.values():
        room.page.context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def expired_rooms(expiring_rooms: ExpiringRooms) -> ExpiringRooms:
    """The rooms once all their first URLs have expired."""
    page = expiring_rooms.rooms["through"].page
    deadline = time.monotonic() + 60
    for url in expiring_rooms.first_urls.values():
        while page.request.get(url, headers={"Range": "bytes=0-0"}).status == 206:
            assert time.monotonic() < deadline
            page.wait_for_timeout(200)
    return expiring_rooms


def test_a_signed_url_works_for_anyone_until_it_expires(expiring_rooms: ExpiringRooms, browser: Browser) -> None:
    stranger = browser.new_context()
    url = expiring_rooms.first_urls["through"]
    assert stranger.request.get(url, headers={"Range": "bytes=0-0"}).status == 206
    deadline = time.monotonic() + 60
    page = stranger.new_page()
    while stranger.request.get(url, headers={"Range": "bytes=0-0"}).status == 206:
        assert time.monotonic() < deadline
        page.wait_for_timeout(200)
    answer = page.goto(url)
    assert answer is not None
    assert answer.status == 403
    stranger.close()


def test_a_paused_clip_is_seeked_by_script_after_its_url_expired(expired_rooms: ExpiringRooms) -> None:
    room = expired_rooms.rooms["by_code"]
    room.video.evaluate(f"(video) => {{ video.currentTime = {FAR}; }}")
    room.wait_for(f"video => !video.seeking && video.readyState > 1 && Math.abs(video.currentTime - {FAR}) < 0.1")
    assert room.media("[video.paused, video.playbackRate]") == [True, SPEED]
    room.video.evaluate("(video) => video.play()")
    room.wait_for(f"video => !video.paused && video.currentTime > {FAR + 0.3}")
    assert room.media("video.playbackRate") == SPEED
    assert room.media("video.src") != expired_rooms.first_urls["by_code"]


def test_a_paused_clip_is_seeked_and_played_by_the_controls(expired_rooms: ExpiringRooms) -> None:
    room = expired_rooms.rooms["by_hand"]
    target = _click_time_line(room, 0.8)
    room.wait_for(f"video => !video.seeking && video.readyState > 1 && Math.abs(video.currentTime - {target}) < 1.5")
    assert room.media("[video.paused, video.playbackRate]") == [True, SPEED]
    room.page.get_by_role("button", name="play", exact=True).click()
    room.wait_for(f"video => !video.paused && video.currentTime > {target} && video.currentTime < {target + 5}")
    assert room.media("video.playbackRate") == SPEED


def test_a_clip_left_alone_stays_where_it_was_and_paused(expired_rooms: ExpiringRooms) -> None:
    room = expired_rooms.rooms["left_alone"]
    room.wait_for(f"video => video.src !== '{expired_rooms.first_urls['left_alone']}' && video.readyState > 1 && !video.seeking")
    assert room.media("[video.paused, video.playbackRate, video.currentTime]") == [True, SPEED, pytest.approx(PLACE, abs=0.1)]


def test_a_running_clip_is_seeked_by_the_controls_and_runs_on(expired_rooms: ExpiringRooms) -> None:
    room = expired_rooms.rooms["run_on"]
    assert room.page.evaluate("window.sources") == [expired_rooms.first_urls["run_on"]]
    target = _click_time_line(room, 0.9)
    room.wait_for(f"video => !video.paused && !video.seeking && video.currentTime > {target - 1} && video.currentTime < {target + 4}")
    assert room.media("video.src") != expired_rooms.first_urls["run_on"]
    at = room.media("video.currentTime")
    room.wait_for(f"video => video.currentTime > {at + 0.3}")


def test_a_sleeping_computer_wakes_at_the_same_position(expired_rooms: ExpiringRooms) -> None:
    room = expired_rooms.rooms["asleep"]
    _freeze(room, "active")
    room.wait_for(f"video => video.src !== '{expired_rooms.first_urls['asleep']}' && video.readyState > 1 && !video.seeking")
    assert room.media("[video.paused, video.playbackRate, video.currentTime]") == [True, SPEED, pytest.approx(PLACE, abs=0.1)]
    room.video.evaluate("(video) => video.play()")
    room.wait_for(f"video => !video.paused && video.currentTime > {PLACE + 0.3}")


def test_a_long_clip_plays_to_its_end_across_the_expiry_of_its_url(expired_rooms: ExpiringRooms) -> None:
    room = expired_rooms.rooms["through"]
    room.video.evaluate("(video) => { video.playbackRate = 8; }")
    room.wait_for(f"video => video.ended && video.currentTime > {LONG_SECONDS - 1}")
    assert room.page.evaluate("document.querySelector('clip-player').dataset.state") == "ready"
    assert room.media("video.error") is None


def _room(browser: Browser, app: RunningApp, video: Video) -> Room:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    app.sign_in(context)
    room = Room(context.new_page(), app.address)
    room.page.goto(app.address + video.path, wait_until="commit")
    return room


def _freeze(room: Room, state: str) -> None:
    """Set the page to ``frozen`` or ``active``: no timer and no response reaches a frozen page, as on a sleeping computer."""
    session: CDPSession = room.page.context.new_cdp_session(room.page)
    session.send("Page.setWebLifecycleState", {"state": state})
    session.detach()


def _click_time_line(room: Room, share: float) -> float:
    """Click at ``share`` of the time line's width; return the second at that point."""
    room.video.hover()
    line = room.page.locator("media-time-range").bounding_box()
    assert line is not None
    room.page.mouse.click(line["x"] + line["width"] * share, line["y"] + line["height"] / 2)
    return LONG_SECONDS * share
