"""Previews of footage with a number on every frame, and readers that see them as a browser does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from clipviewer.demo import counter
from clipviewer.demo.counter import read_frame_number
from clipviewer.media.captions.reading import parse_captions
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.previews.previews import Previews, make_previews
from clipviewer.media.raw_pictures import Picture
from clipviewer.media.source.inspection import inspect

RATE = 24
SAMPLES = Path(__file__).parents[2] / "shared/samples"
"""Real footage beside the project, if present."""

_PLACE = re.compile(r"(filmstrip-\d+\.webp)#xywh=(\d+),(\d+),(\d+),(\d+)")


def encode(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=120)
    return out


def counted_footage(out: Path, seconds: int) -> Path:
    """Render 640 × 360 footage with a number on every frame, ``RATE`` frames per second, a keyframe every two seconds, and a tone."""
    numbers = out.with_suffix(".numbers")
    with numbers.open("wb") as file:
        file.writelines(counter.counter_frames(seconds * RATE, RATE))
    raw = ["-f", "rawvideo", "-pixel_format", "gray", "-video_size", f"{counter.WIDTH}x{counter.HEIGHT}", "-framerate", str(RATE)]
    scale = counter.SCALE // 2
    size = f"{counter.WIDTH * scale}:{counter.HEIGHT * scale}"
    graph = f"[0:v]scale={size}:flags=neighbor,pad=640:360:(ow-iw)/2:{counter.TOP // 2}:gray,format=yuv420p"
    tone = ["-f", "lavfi", "-i", f"sine=d={seconds}"]
    encode(out, *raw, "-i", str(numbers), *tone, "-filter_complex", graph, "-preset", "ultrafast", "-g", str(2 * RATE), "-c:a", "aac")
    numbers.unlink()
    return out


def previews(source: Path | str, folder: Path, **options: Callable[..., object]) -> Previews:
    return make_previews(Ffmpeg(), str(source), inspect(str(source), folder), folder, **options)  # type: ignore[arg-type]


def strip_pictures(made: Previews) -> list[tuple[int, int, Picture]]:
    """Return start, end (ms) and grey picture of every cue, in order."""
    sheets = {path.name: cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in made.sheets}
    shown = []
    for cue in parse_captions(made.filmstrip.read_bytes(), made.filmstrip.name).cues:
        place = _PLACE.fullmatch(cue.text)
        assert place is not None
        x, y, width, height = map(int, place.groups()[1:])
        picture = sheets[place[1]][y : y + height, x : x + width]
        assert picture.shape == (height, width)
        shown.append((cue.start_ms, cue.end_ms, np.asarray(picture, np.uint8)))
    return shown


def read_number(picture: Picture) -> int:
    height, width = picture.shape
    return read_frame_number(lambda x, y: int(picture[y, x]), width, height)
