"""Choose a video's poster among several pictures from all over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from clipviewer.media.ffmpeg import MediaError
from clipviewer.media.raw_pictures import Picture

_WIDTH = 320
_BLACK_BAR = 24
_DARK_MEAN, _LIGHT_MEAN = 40.0, 225.0
_FULL_CONTRAST = 60.0


def best_picture(paths: Sequence[Path]) -> Path:
    """Return the picture that shows most: many shades, contrast, sharp edges, neither dark nor glaring, bars ignored.

    The first wins a tie. Raises ``MediaError`` if none can be read.
    """
    pictures = [(path, picture) for path in paths if (picture := _read(path)) is not None]
    if not pictures:
        raise MediaError("No picture of this video can be decoded.")
    shown = _between_bars([picture for _, picture in pictures])
    sharpness = [_sharpness(picture[shown]) for _, picture in pictures]
    sharpest = max(*sharpness, 1e-9)
    worth = [_worth(picture[shown]) + sharp / sharpest for (_, picture), sharp in zip(pictures, sharpness, strict=True)]
    return pictures[int(np.argmax(worth))][0]


def _read(path: Path) -> Picture | None:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return None
    scale = min(1.0, _WIDTH / picture.shape[1])
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _between_bars(pictures: Sequence[Picture]) -> tuple[slice, slice]:
    """Return the rows and columns that are not black in all pictures."""
    lightest = np.max(np.stack(pictures), axis=0)
    rows, columns = (np.flatnonzero(lightest.max(axis=axis) > _BLACK_BAR) for axis in (1, 0))
    if not rows.size or not columns.size:
        return slice(None), slice(None)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _sharpness(picture: Picture) -> float:
    return float(np.log1p(cv2.Laplacian(picture, cv2.CV_32F).var()))


def _worth(picture: Picture) -> float:
    """Return a picture's worth, 0 to 2, lower if it is nearly black or nearly white."""
    shares = np.bincount(picture.ravel(), minlength=256) / picture.size
    shares = shares[shares > 0]
    shades = float(-(shares * np.log2(shares)).sum()) / 8
    contrast = min(1.0, float(picture.std()) / _FULL_CONTRAST)
    mean = float(picture.mean())
    glare = max(0.0, (_DARK_MEAN - mean) / _DARK_MEAN, (mean - _LIGHT_MEAN) / (255 - _LIGHT_MEAN))
    return shades + contrast - 2 * glare
