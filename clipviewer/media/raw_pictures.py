"""Small raw pictures that ffmpeg writes together with their times: pixels to one file, times as text beside it. Times are milliseconds.

The formats need no parser that a file could deceive, so that this process opens no media at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Shape: height × width × 3 (blue, green, red), or height × width (grey)."""

_CLOCK = 90_000  # Finer than the steps of the frame rate, which are what ffmpeg would write, and on which no picture need lie.
_DIMENSIONS = re.compile(r"#dimensions 0: (\d+)x(\d+)")
_LINE = re.compile(r"0, *-?\d+, *(-?\d+), *\d+, *(\d+),")


def picture_filters(label: str, pixel_format: str) -> str:
    """Return the filters that end in ``label`` for ``picture_output``; ``pixel_format`` is ``bgr24`` or ``gray``."""
    return f"format={pixel_format},split[{label}][{label}_times]"


def picture_output(label: str, path: Path) -> list[str]:
    """Return ffmpeg's output options for ``read_pictures`` of ``path``."""
    options = ["-fps_mode", "passthrough", "-enc_time_base", f"1:{_CLOCK}", "-c:v", "rawvideo"]
    return [
        "-map", f"[{label}]", *options, "-f", "rawvideo", "-y", f"file:{path}",
        "-map", f"[{label}_times]", *options, "-f", "framecrc", "-y", f"file:{_times_beside(path)}",
    ]  # fmt: skip


def read_times(path: Path) -> list[float]:
    """Return when each picture of ``path`` is shown."""
    return [int(at) * 1000 / _CLOCK for at, _ in _LINE.findall(_listed(path))]


def read_pictures(path: Path) -> Iterator[tuple[int, Picture]]:
    """Yield each picture with its time, one after the other."""
    listed = _listed(path)
    size = _DIMENSIONS.search(listed)
    if size is None:
        return
    width, height = int(size[1]), int(size[2])
    with path.open("rb") as file:
        for at, length in _LINE.findall(listed):
            pixels = np.frombuffer(file.read(int(length)), np.uint8)
            if pixels.size != int(length):
                return
            yield round(int(at) * 1000 / _CLOCK), pixels.reshape(height, width, *([3] if pixels.size > height * width else []))


def _listed(path: Path) -> str:
    times = _times_beside(path)
    return times.read_text(encoding="ascii") if times.exists() else ""


def _times_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.times")
