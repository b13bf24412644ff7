"""The export shows what the frame showed, pixel for pixel; and what Auto proposes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from playwright.sync_api import expect

from clipviewer.db.clip_models import ClipFraming
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Rect, Shot
from clipviewer.media.framing.reframe import PictureAnalysis
from clipviewer.services.room.looks import analysis_target, find_analysis, store_analysis
from tests.browser.clip_footage import Footage
from tests.browser.clip_library import Registrar, Video
from tests.browser.framing_room import box, drag, frame_in, saved, shares, status
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room

WIDTH, HEIGHT = 640, 360
BARS = 44
WHERE = "16+mod(floor(X/8)*73+floor(Y/8)*151+floor(X/8)*floor(Y/8)*29\\,200)"
"""The brightness of a block encodes its position: no two neighbours have the same."""


def pattern(folder: Path, *, bars: int = 0) -> Path:
    """Render a master of three seconds whose blocks encode their position, with black bars of the given height above and below."""
    path = folder / f"pattern-{bars}.mp4"
    inner = HEIGHT - 2 * bars
    picture = f"nullsrc=size={WIDTH}x{inner}:rate=25:duration=0.04,geq=lum='{WHERE}':cb=128:cr=128,loop=-1:1,trim=duration=3"
    command = [get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", f"{picture},pad={WIDTH}:{HEIGHT}:0:{bars}"]
    subprocess.run([*command, "-c:v", "libx264", "-crf", "8", "-g", "25", "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def first_picture(path: Path) -> Any:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray").astype(np.float32)


def framed_region(room: Room) -> Rect:
    """Return the pixels of the master under the frame on the screen."""
    left, top, width, height = shares(room)
    return Rect(round(left * WIDTH), round(top * HEIGHT), round(width * WIDTH), round(height * HEIGHT))


def exported(app: RunningApp, room: Room, clip_id: str, ratio: str, folder: Path) -> Path:
    """Return the finished export of a clip in its saved frame."""
    with app.database.read() as db:
        crop = db.get_one(ClipFraming, (clip_id, ratio))
    video_id = room.page.url.partition("/videos/")[2].partition("?")[0]
    path = f"{app.address}/api/clips/videos/{video_id}"
    framing = {"mode": "manual", "x": crop.x, "y": crop.y}
    answer = room.page.request.post(f"{path}/export", data={"clipIds": [clip_id], "aspectRatios": [ratio], "framing": framing})
    assert answer.ok, answer.text()
    deadline = time.monotonic() + 90
    while not (clips := room.page.request.get(f"{path}/exported").json()):
        assert time.monotonic() < deadline, room.page.request.get(f"{path}/jobs").text()
        time.sleep(0.2)
    out = folder / "export.mp4"
    out.write_bytes(app.store.get(clips[0]["s3Key"]))
    return out


def difference(master: Any, export: Any, region: Rect) -> float:
    """Return the mean difference between the export and a region of the master, in brightness levels (0 to 255) per pixel."""
    part = master[region.y : region.y + region.height, region.x : region.x + region.width]
    return float(np.abs(cv2.resize(part, export.shape[::-1], interpolation=cv2.INTER_CUBIC) - export).mean())


@pytest.mark.parametrize("bars", [0, BARS])
@pytest.mark.parametrize(("ratio", "share"), [("9:16", 0.217), ("1:1", -0.131)])
def test_an_export_shows_exactly_what_the_frame_showed(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom, tmp_path: Path, bars: int, ratio: str, share: float
) -> None:
    path = pattern(tmp_path, bars=bars)
    video_id = registrar.video("pattern", "A pattern", path, 3)
    (clip,) = registrar.identified(video_id, [("All of it", 0, 2)])
    room = open_room(app, f"/videos/{video_id}?tab=identified")
    frame_in(room, ratio)
    room.page.wait_for_function(
        "(height) => Math.abs(document.querySelector('.crop-box').offsetHeight / document.querySelector('.crop-picture').offsetHeight"
        " - height) < 0.01",
        arg=(HEIGHT - 2 * bars) / HEIGHT,
    )
    drag(room, share)
    saved(room)
    region = framed_region(room)
    assert (region.y, region.height) == (bars, HEIGHT - 2 * bars)
    master, export = first_picture(path), first_picture(exported(app, room, clip.id, ratio, tmp_path))
    beside = {x: difference(master, export, Rect(region.x + x, region.y, region.width, region.height)) for x in range(-4, 5)}
    assert min(beside, key=lambda x: beside[x]) == 0, beside
    assert beside[0] < 3
    assert beside[0] < min(beside[-2], beside[2]) / 3, beside


@pytest.fixture
def proposed(app: RunningApp, registrar: Registrar, footage: Footage) -> Video:
    """A clip of four seconds with three detected shots: at the left, moving from the middle to the right, and at the right."""
    video_id = registrar.video("proposed", "Proposed", footage.landscape, 6)
    clips = registrar.identified(video_id, [("Three shots", 1, 5)])
    shots = (Shot(0, 0.25, 0.5), Shot(1_000, 0.5, 0.5, True), Shot(3_000, 0.75, 0.5))
    with app.database.write() as db:
        look = PictureAnalysis(480, 270, Rect(0, 0, 480, 270), dict.fromkeys(AspectRatio, shots))
        store_analysis(db, analysis_target(db, video_id, clips[0].id), look)
    return Video(video_id, "Proposed", identified=clips)


def seek(room: Room, seconds: float) -> None:
    room.video.evaluate("(video, seconds) => { video.pause(); video.currentTime = seconds; }", seconds)
    room.wait_for("video => !video.seeking")


def centre(room: Room) -> float:
    left, _, width, _ = shares(room)
    return left + width / 2


def test_auto_shows_its_proposal_shot_by_shot_and_saves_nothing(app: RunningApp, proposed: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{proposed.path}?tab=identified")
    frame_in(room)
    room.page.get_by_role("button", name="Auto").click()
    for seconds, shot, x in ((1.4, 1, 0.25), (3.0, 2, 0.625), (4.5, 3, 0.75), (1.2, 1, 0.25)):
        seek(room, seconds)
        expect(status(room)).to_contain_text(f"Auto: proposal, shot {shot} of 3.")
        assert centre(room) == pytest.approx(x, abs=0.01)
    room.video.evaluate("video => { video.currentTime = 3.9; video.play(); }")
    expect(status(room)).to_contain_text("shot 3 of 3")
    expect(status(room)).to_contain_text("shot 1 of 3")
    room.page.get_by_role("button", name="Auto").click()
    expect(status(room)).to_have_text("Centre")
    assert centre(room) == pytest.approx(0.5, abs=0.01)
    with app.database.read() as db:
        assert db.get(ClipFraming, (proposed.identified[0].id, "9:16")) is None


def test_keep_saves_the_crop_of_the_shot_that_is_shown(app: RunningApp, proposed: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{proposed.path}?tab=identified")
    frame_in(room)
    room.page.get_by_role("button", name="Auto").click()
    seek(room, 4.5)
    expect(status(room)).to_contain_text("shot 3 of 3")
    room.page.get_by_role("button", name="Keep").click()
    saved(room)
    seek(room, 1.4)
    assert centre(room) == pytest.approx(0.75, abs=0.01)
    expect(room.page.get_by_role("button", name="Auto")).to_have_attribute("aria-pressed", "false")


def test_a_dragged_proposal_is_a_crop_by_hand(app: RunningApp, proposed: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{proposed.path}?tab=identified")
    frame_in(room)
    room.page.get_by_role("button", name="Auto").click()
    seek(room, 1.4)
    expect(status(room)).to_contain_text("shot 1 of 3")
    drag(room, 0.2)
    saved(room)
    assert centre(room) == pytest.approx(0.45, abs=0.01)


def test_bars_are_found_once_and_remembered(app: RunningApp, registrar: Registrar, open_room: OpenRoom, tmp_path: Path) -> None:
    video_id = registrar.video("bars", "Bars", pattern(tmp_path, bars=BARS), 3)
    (clip,) = registrar.identified(video_id, [("All of it", 0, 2)])
    for _ in range(2):
        room = open_room(app, f"/videos/{video_id}?tab=identified")
        frame_in(room)
        room.page.wait_for_function(
            "() => document.querySelector('.crop-box').offsetHeight < 0.8 * document.querySelector('.crop-picture').offsetHeight"
        )
        assert box(room, ".crop-box").height / box(room, ".crop-picture").height == pytest.approx(1 - 2 * BARS / HEIGHT, abs=0.005)
    with app.database.read() as db:
        look = find_analysis(db, video_id, clip.id)
    assert look is not None
    assert look.content == Rect(0, BARS, WIDTH, HEIGHT - 2 * BARS)
