"""What is worth showing in a shot: faces, then independent motion, then what stands out; each trusted less than the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clipviewer.media.framing.faces import Face, find_faces, votes
from clipviewer.media.framing.samples import Pictures

Weights = NDArray[np.float32]

_WIDTH = 160
_FACE_EVERY_MS = 600
_LEAST_FACE_PICTURES = 3
_BODY = 3.5  # How far a person goes on below the middle of the face, in faces.
_MOVING_AREA = 0.02  # Where less of the picture moves, it says less.
_EVERYTHING = 0.45  # Where more of it moves, it says nothing.
_CLEAR_SHIFT = 0.15
_BLURRED = 4


@dataclass(frozen=True, slots=True)
class Sign:
    """How much there is to see: pictures × height × width, summing to about one per picture that says something.

    ``clear`` is the share of it that a crop must hold to be believed; ``gain`` how much more that must be than in a centre crop.
    """

    weights: Weights
    clear: float
    gain: float

    @property
    def across(self) -> Weights:
        """Sum over columns, left to right: pictures × columns."""
        return _grey(self.weights.sum(axis=1))

    @property
    def down(self) -> Weights:
        """Sum over rows, top to bottom: pictures × rows."""
        return _grey(self.weights.sum(axis=2))


def find_signs(pictures: Pictures, times_ms: Sequence[float], cancelled: Callable[[], bool]) -> list[Sign]:
    """Return the signs of a subject in the ``pictures`` of one shot (number × height × width, grey), the most trusted first.

    Raises ``MediaCancelled``.
    """
    _, height, width = pictures.shape
    shrink = min(1.0, _WIDTH / max(width, height))
    wide, tall = max(8, round(width * shrink)), max(8, round(height * shrink))
    small = [_grey(cv2.resize(picture, (wide, tall), interpolation=cv2.INTER_AREA)) for picture in pictures]
    people = np.zeros((len(small), tall, wide), np.float32)
    chosen = _sample_for_faces(times_ms)
    for track in find_faces(pictures[chosen], [times_ms[index] for index in chosen], cancelled):
        for index, face in enumerate(_interpolate(track, times_ms)):
            people[index] += _person_weight(face, wide, tall) * (votes(track) / len(chosen))
    return [Sign(people, 0.0, 0.02), Sign(_motion_weight(small), 0.55, 0.2), Sign(_saliency(small), 0.7, 0.3)]


def _grey(picture: NDArray[Any]) -> Weights:
    grey: Weights = picture.astype(np.float32)
    return grey


def _sample_for_faces(times_ms: Sequence[float]) -> list[int]:
    """Choose which pictures to search for faces: about two a second, and a few of every shot."""
    count = len(times_ms)
    wanted = max(_LEAST_FACE_PICTURES, round((times_ms[-1] - times_ms[0]) / _FACE_EVERY_MS))
    return sorted({round(index * (count - 1) / max(1, wanted - 1)) for index in range(min(wanted, count))})


def _interpolate(track: Sequence[Face], times_ms: Sequence[float]) -> list[Face]:
    """Interpolate a face's place linearly between the times it was seen."""
    seen = [face.at_ms for face in track]
    rows = [np.interp(times_ms, seen, [getattr(face, name) for face in track]) for name in ("x", "y", "side")]
    return [Face(at_ms, float(x), float(y), float(side)) for at_ms, x, y, side in zip(times_ms, *rows, strict=True)]


def _person_weight(face: Face, wide: int, tall: int) -> Weights:
    """Return the weight of a face and, weaker, of the body below it; sums to one."""
    side = face.side * wide
    columns, rows = np.arange(wide, dtype=np.float32), np.arange(tall, dtype=np.float32)
    x = np.exp(-(((columns - face.x * wide) / (0.6 * side)) ** 2))
    below = (rows - face.y * tall) / side
    y = np.exp(-((below / 0.6) ** 2)) + 0.15 * ((below > 0) & (below < _BODY))
    weight = np.outer(y, x).astype(np.float32)
    total = float(weight.sum())
    return weight / total if total > 0 else weight


def _motion_weight(small: Sequence[Weights]) -> Weights:
    """Return what moves differently from the whole picture; at most one in sum per picture."""
    tall, wide = small[0].shape
    blurred = [_grey(cv2.GaussianBlur(picture, (0, 0), 1.5)) for picture in small]
    found = np.zeros((len(small), tall, wide), np.float32)
    window = _grey(cv2.createHanningWindow((wide, tall), cv2.CV_32F))
    for index in range(1, len(small)):
        moved = _moved_by(blurred[index - 1], blurred[index], window)
        found[index] += moved
        found[index - 1] += moved / (2 if index > 1 else 1)
        if index < len(small) - 1:
            found[index] /= 2
    return found


def _moved_by(before: Weights, now: Weights, window: Weights) -> Weights:
    tall, wide = now.shape
    (x, y), clear = cv2.phaseCorrelate(before.copy(), now.copy(), window)  # It lays the window over its arguments themselves.
    if clear < _CLEAR_SHIFT or abs(x) > wide / 4 or abs(y) > tall / 4:
        x = y = 0.0
    shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
    there = cv2.warpAffine(before, shift, (wide, tall), borderMode=cv2.BORDER_REPLICATE)
    slope = np.abs(cv2.Sobel(now, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(now, cv2.CV_32F, 0, 1))
    # Over the slope a difference is a distance: a sharp background that was not held quite still does not outweigh a soft mover.
    distance = np.minimum(np.abs(now - there) / (slope / 4 + 8), 3.0)
    edge_x, edge_y = int(abs(x)) + _BLURRED, int(abs(y)) + _BLURRED
    distance[:edge_y], distance[-edge_y:], distance[:, :edge_x], distance[:, -edge_x:] = 0, 0, 0, 0
    middle = float(np.median(distance))
    spread = float(np.median(np.abs(distance - middle)))
    moving = np.maximum(distance - (middle + 5 * spread + 0.15), 0)
    area = float((moving > 0).mean())
    total = float(moving.sum())
    if total <= 0 or area > _EVERYTHING:
        return np.zeros_like(moving)
    return _grey(moving / total * min(1.0, area / _MOVING_AREA) ** 0.5)


def _saliency(small: Sequence[Weights]) -> Weights:
    """Return what differs from the rest of the picture by spectral residual (Hou and Zhang, 2007), one for the whole shot; sums to 1."""
    tall, wide = small[0].shape
    size = (64, max(8, round(64 * tall / wide))) if wide >= tall else (max(8, round(64 * wide / tall)), 64)
    total = np.zeros((size[1], size[0]), np.float32)
    for picture in small[:: max(1, len(small) // 8)]:
        spectrum = np.fft.fft2(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        loudness = np.log(np.abs(spectrum) + 1e-3).astype(np.float32)
        residual = loudness - cv2.blur(loudness, (3, 3))
        unusual = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
        total += cv2.GaussianBlur(unusual.astype(np.float32), (0, 0), 2.5)
    standing_out = np.maximum(cv2.resize(total, (wide, tall)) - float(np.percentile(total, 60)), 0)
    weight = standing_out / max(float(standing_out.sum()), 1e-9)
    return np.repeat(_grey(weight)[np.newaxis], len(small), axis=0)
