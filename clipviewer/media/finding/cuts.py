"""Detect cuts between shots in small grey pictures.

A cut is a picture that differs from the previous one by much more than its neighbours differ from each other, both in its pixels and in
its brightness: fast movement changes only the first, a flash only the second. Fades and dissolves have no single picture and are missed.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from clipviewer.media.finding.footage_scan import Pictures

_AROUND = 3
_RATIO = 2.2
_LEAST_CHANGE = 8.0  # of 255: less is noise, or a lamp
_TONES = 16
_CHUNK = 4096

_OTHER_CORRELATION = 0.35
_OTHER_TONES = 0.15


def picture_changes(pictures: Pictures) -> NDArray[np.float64]:
    """Return each picture's difference to the previous one: the mean over its pixels, 0 to 255. One value fewer than pictures."""
    found = [np.zeros(0)]
    for first in range(0, len(pictures) - 1, _CHUNK):
        soft = np.stack([cv2.GaussianBlur(picture, (0, 0), 1.0) for picture in pictures[first : first + _CHUNK + 1]]).astype(np.float32)
        found.append(np.abs(np.diff(soft, axis=0)).mean((1, 2), dtype=np.float64))
    return np.concatenate(found)


def find_cuts(pictures: Pictures) -> list[int]:
    """Return the indices of the first picture of each shot, for pictures that follow each other closely."""
    if len(pictures) < 2:
        return []
    change, tones = picture_changes(pictures), _tone_changes(pictures)
    ratio = np.sqrt(_relative_to_neighbours(change, 1.0) * _relative_to_neighbours(tones, 0.02))
    return [int(index) + 1 for index in np.flatnonzero((ratio >= _RATIO) & (change >= _LEAST_CHANGE))]


def find_other_shots(pictures: Pictures) -> list[int]:
    """Return the pictures, seconds apart, that differ in shapes and tones from the previous one and so show another shot."""
    if len(pictures) < 2:
        return []
    other = (_correlations(pictures) < _OTHER_CORRELATION) & (_tone_changes(pictures) > _OTHER_TONES)
    return [int(index) + 1 for index in np.flatnonzero(other & (picture_changes(pictures) >= _LEAST_CHANGE))]


def _tone_changes(pictures: Pictures) -> NDArray[np.float64]:
    """Return the share of each picture that has another brightness than in the previous one, 0 to 1."""
    tones = np.stack([np.bincount(picture.ravel() // (256 // _TONES), minlength=_TONES) for picture in pictures]) / pictures[0].size
    return np.asarray(np.abs(np.diff(tones, axis=0)).sum(1) / 2, np.float64)


def _correlations(pictures: Pictures) -> NDArray[np.float64]:
    """Return the correlation of each picture with the previous one, regardless of brightness: −1 to 1."""
    found = []
    for first in range(0, len(pictures) - 1, _CHUNK):
        flat = pictures[first : first + _CHUNK + 1].reshape(-1, pictures[0].size).astype(np.float32)
        flat -= flat.mean(1, keepdims=True)
        flat /= np.sqrt((flat**2).mean(1, keepdims=True)) + 1.0
        found.append((flat[1:] * flat[:-1]).mean(1, dtype=np.float64))
    return np.concatenate(found)


def _relative_to_neighbours(change: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """Return each change as a multiple of the mean of its neighbours; ``noise`` is what every picture may change by."""
    padded = np.pad(change, _AROUND, mode="reflect" if len(change) > _AROUND else "edge")
    around = [padded[shift : shift + len(change)] for shift in range(2 * _AROUND + 1) if shift != _AROUND]
    return np.asarray(change / (np.mean(around, axis=0) + noise), np.float64)
