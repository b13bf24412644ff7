"""Detect black bars in the picture, so that exports leave them out."""

from __future__ import annotations

import re

from clipviewer.domain.framing import Rect

DETECT = "cropdetect=limit=24:round=2:skip=0:reset=0"
"""The ffmpeg filter that detects bars over all its pictures; ``parse_content`` reads its log."""

_FOUND = re.compile(r"crop=(\d+):(\d+):(\d+):(\d+)")
_LEAST_BAR = 0.02
_LEAST_CONTENT = 0.5
_SKEW = 0.02


def parse_content(log: str, width: int, height: int) -> Rect:
    """Return the part of a ``width`` × ``height`` picture between the bars, from ffmpeg's log; the whole picture if there are none.

    Bars lie on both sides, are about equal, and leave at least half of the picture: a night sky is no bar.
    """
    x, y, content_width, content_height = 0, 0, width, height
    found = _FOUND.findall(log)
    if found:
        found_width, found_height, left, top = map(int, found[-1])
        if _are_bars(left, width - left - found_width, width):
            x, content_width = left, found_width
        if _are_bars(top, height - top - found_height, height):
            y, content_height = top, found_height
    return Rect(x, y, content_width, content_height)


def _are_bars(before: int, after: int, size: int) -> bool:
    return (
        min(before, after) >= size * _LEAST_BAR and abs(before - after) <= size * _SKEW and size - before - after >= size * _LEAST_CONTENT
    )
