"""Detect faces in small grey pictures. The detectors miss some and invent others, so a face counts only when it is seen again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.media.framing.samples import Pictures

_LEAST_SIDE = 20  # Pixels: smaller than the detectors were taught, there are none.
_LEAST_PART = 0.13
_STEP = 1.15
_NEIGHBOURS = 2
_MANY = 5
_FEW_VOTES, _LEAST_VOTES, _LEAST_SHARE = 2, 3, 0.2
_SAME_SIZE = 1.7
_DETECTORS = (("frontalface_alt2", False, 50.0), ("profileface", False, 1.5), ("profileface", True, 1.5))
_AWAY_MS = 4_000


@dataclass(frozen=True, slots=True)
class Face:
    """A face: centre and side as shares of the picture's width (``x``, ``side``) and height (``y``). ``vote`` is the confidence, 0 to 1."""

    at_ms: float
    x: float
    y: float
    side: float
    vote: float = 1.0


def find_faces(pictures: Pictures, times_ms: Sequence[float], cancelled: Callable[[], bool] = lambda: False) -> list[list[Face]]:
    """Return the faces of one shot, each over time. ``pictures``: number × height × width. Raises ``MediaCancelled``."""
    seen: dict[int, list[Face]] = {}
    # Every other picture first: where none of them shows a face, the rest is spared.
    for step in (range(0, len(pictures), 2), range(1, len(pictures), 2)):
        for index in step:
            if cancelled():
                raise MediaCancelled
            seen[index] = _seen(pictures[index], times_ms[index])
        if not any(seen.values()):
            return []
    tracks: list[list[Face]] = []
    for index in range(len(pictures)):
        for face in seen[index]:
            known = next((track for track in tracks if _same(track[-1], face)), None)
            if known is None:
                tracks.append([face])
            elif known[-1].at_ms < face.at_ms:
                known.append(face)
    needed = max(_FEW_VOTES if len(pictures) < _MANY else _LEAST_VOTES, _LEAST_SHARE * len(pictures))
    return [track for track in tracks if votes(track) >= needed]


def votes(track: Sequence[Face]) -> float:
    return sum(face.vote for face in track)


def _seen(picture: Pictures, at_ms: float) -> list[Face]:
    tall, wide = picture.shape
    least = max(_LEAST_SIDE, round(_LEAST_PART * tall))
    looked_at = np.ascontiguousarray(picture)
    faces = []
    for name, mirrored, certain in _DETECTORS:
        shown = cv2.flip(looked_at, 1) if mirrored else looked_at
        found, _, certainty = _detector(name).detectMultiScale3(shown, _STEP, _NEIGHBOURS, minSize=(least, least), outputRejectLevels=True)
        for (x, y, side, _), weight in zip(found, certainty, strict=True):
            middle = float(x + side / 2) / wide
            vote = min(1.0, max(0.0, float(weight) / certain))
            faces.append(Face(at_ms, 1 - middle if mirrored else middle, float(y + side / 2) / tall, float(side) / wide, vote))
    return [face for index, face in enumerate(faces) if not any(_same(face, before) for before in faces[:index])]


def _same(one: Face, other: Face) -> bool:
    reach, sizes = max(one.side, other.side), sorted((one.side, other.side))
    near = abs(one.x - other.x) < reach and abs(one.y - other.y) < 2 * reach
    return near and sizes[1] < sizes[0] * _SAME_SIZE and abs(one.at_ms - other.at_ms) <= _AWAY_MS


@cache
def _detector(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / f"haarcascade_{name}.xml"))
