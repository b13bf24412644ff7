"""Identified clips play on their video's master: switching is a seek."""

from __future__ import annotations

import re

from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


def test_a_candidate_plays_on_the_master_from_its_in_point_and_loops_at_its_out_point(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{sample_video.path}?clip={sample_video.identified[1].id}")
    room.shown("Middle")
    room.playing(app.master_key(sample_video.id))
    room.wait_for("video => video.currentTime >= 20 && video.currentTime < 24")
    room.video.evaluate(
        "(video) => { window.latest = 0; video.addEventListener('timeupdate', () => "
        "{ if (!video.seeking) window.latest = Math.max(window.latest, video.currentTime); }); video.currentTime = 23; }"
    )
    room.wait_for("video => window.latest > 23.5 && !video.seeking && video.currentTime < 22")
    assert room.page.evaluate("window.latest") < 24.1
    room.wait_for("video => !video.paused && video.currentTime > 20.2")


def test_switching_candidates_is_a_seek_with_the_same_url_and_starts_a_paused_player(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    room.shown("Opening")
    room.playing(app.master_key(sample_video.id))
    url = room.media("video.src")
    room.video.evaluate("(video) => { window.loads = 0; video.addEventListener('loadstart', () => window.loads++); }")

    def switch() -> None:
        for clip, start, end in (
            (sample_video.identified[2], 40, 44),
            (sample_video.identified[1], 20, 24),
            (sample_video.identified[0], 2, 5),
        ):
            room.option(clip.title).click()
            room.shown(clip.title)
            room.wait_for(f"video => !video.seeking && !video.paused && video.currentTime >= {start} && video.currentTime < {end}")
            room.at(f"{sample_video.path}?clip={clip.id}")

    of_the_player = [request for request in room.since(switch) if not re.search("/timeline|/previews/", request.url)]
    assert {request.resource_type for request in of_the_player} <= {"media"}
    assert room.media("video.src") == url
    assert room.page.evaluate("window.loads") == 0
    room.video.evaluate("video => video.pause()")
    room.option("Late").click()
    room.wait_for("video => !video.paused && video.currentTime > 40.1")
