"""Sample a clip as small grey pictures, decoded by ffmpeg in its own process, with the difference between successive pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipviewer.media.render.picture_filters import constant_rate, escape_path, without_lead
from clipviewer.media.source.clip_source import ClipSource, Reading
from clipviewer.media.source.media_info import MediaInfo

LONGEST_SIDE = 320
PER_SECOND = 5
MOST_PICTURES = 900

_ROUGHLY = ("-skip_loop_filter", "all")
_FEWER = ("-skip_frame", "noref")
"""Decoder options: skip unreferenced pictures and deblocking. Half the work, and enough to see who stands where."""

_CHANGE = re.compile(r"pts_time:(-?[\d.]+)\s+lavfi\.scd\.mafd=(-?[\d.]+)\s+lavfi\.scd\.score=(-?[\d.]+)")

Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Change:
    """A picture ``at_ms``: ``difference`` to the previous one, 0 to 100, and ``score``: how unusual that difference is."""

    at_ms: float
    difference: float
    score: float


@dataclass(frozen=True, slots=True)
class Samples:
    """``pictures``: number × height × width, grey; ``times_ms``: when each is shown, from the clip's start; ``changes``: all of them."""

    pictures: Pictures
    times_ms: tuple[float, ...]
    changes: tuple[Change, ...]


class Sampling:
    """Samples a clip into files of an empty folder."""

    def __init__(self, clip: ClipSource, folder: Path) -> None:
        self._clip = clip
        self._pictures, self._changes, self._times = (folder / name for name in ("pictures", "changes", "times"))

    @property
    def file_size(self) -> int:
        """Upper limit in bytes for any file of the sampling."""
        width, height = sample_size(self._clip.info)
        return 2 * width * height * (MOST_PICTURES + 2) + self._clip.duration_ms * 20

    def reading(self) -> Reading:
        info = self._clip.info
        step = max(1 / PER_SECOND, self._clip.duration_ms / 1000 / MOST_PICTURES) - 0.002
        filters = [
            *without_lead(self._clip.lead),
            *changes_filter(info, self._changes, constant_rate(info, self._clip.seconds)),
            f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{step:.3f})'",
            f"metadata=mode=print:file={escape_path(self._times)}",
            "format=gray",
        ]
        output = ["-vf", ",".join(filters), "-fps_mode", "passthrough", "-f", "rawvideo", "-y", f"file:{self._pictures.absolute()}"]
        # What is brought to equal steps, or found by no index, needs every picture to stay where it is.
        fewer = _FEWER if info.indexed and not constant_rate(info, self._clip.seconds) else ()
        return Reading((*_ROUGHLY, *fewer), "v:0", output)

    def samples(self) -> Samples:
        """Return the samples after ffmpeg has run, as many as have times."""
        width, height = sample_size(self._clip.info)
        changes, times = read_changes(self._changes), [change.at_ms for change in read_changes(self._times)]
        pictures = np.fromfile(self._pictures, np.uint8)
        count = min(len(times), len(pictures) // (width * height))
        return Samples(pictures[: count * width * height].reshape(count, height, width), tuple(times[:count]), tuple(changes))


def sample_size(info: MediaInfo) -> tuple[int, int]:
    """Return the even width and height of a sample: at most 320 pixels on the longer side."""
    shrink = min(1.0, LONGEST_SIDE / max(info.width, info.height))
    return max(2, round(info.width * shrink / 2) * 2), max(2, round(info.height * shrink / 2) * 2)


def changes_filter(info: MediaInfo, path: Path, constant_rate: Sequence[str] = ()) -> list[str]:
    """Return the filters that scale pictures down and write their differences to ``path``."""
    width, height = sample_size(info)
    small = f"scale={width}:{height}:flags=fast_bilinear,setsar=1"
    return [small, *constant_rate, "scdet=threshold=100", f"metadata=mode=print:file={escape_path(path)}"]


def read_changes(path: Path) -> list[Change]:
    """Read what those filters wrote; empty if there were no pictures."""
    text = path.read_text(encoding="ascii") if path.exists() else ""
    return [Change(float(at) * 1000, float(mafd), float(score)) for at, mafd, score in _CHANGE.findall(text)]
