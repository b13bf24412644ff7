"""Align edges to frames: to a nearby cut, else to the nearest picture. Times are milliseconds, rounded down.

Rounded down because a clip shows the pictures from its start on and none from its end on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from clipviewer.domain.highlight import FindOptions
from clipviewer.media.captions.sentences import Speech
from clipviewer.media.finding.cuts import find_cuts
from clipviewer.media.finding.edges import LEAD_IN_MS, LEAD_OUT_MS, Edge
from clipviewer.media.finding.footage_scan import Pictures
from clipviewer.media.finding.windows import Window, overlap

ROOM_MS = 3_000
"""How far around an edge pictures are read."""

_NEAR_MS = 1_000
_CLOCK_MS = 0.012  # the error of a picture's time
_CONTEXT_MS = 500
_AT_ONCE = 4

Range = tuple[int, int]
NearbyPictures = tuple[Pictures, NDArray[np.float64]]
ReadPictures = Callable[[Sequence[Range]], Sequence[NearbyPictures]]
"""Returns every picture of each range, with its time."""


def align_windows(
    windows: Sequence[Window],
    duration_ms: int,
    speech: Speech | None,
    options: FindOptions,
    look: ReadPictures,
    on_progress: Callable[[float], None],
) -> list[tuple[Window, Range]]:
    """Return each window with its exact range, dropping those that then overlap a better one too much."""
    edges = [edge for window in windows for edge in (window.start, window.end)]
    close: list[NearbyPictures] = []
    for first in range(0, len(edges), _AT_ONCE):
        close += look([_surroundings(edge, duration_ms) for edge in edges[first : first + _AT_ONCE]])
        on_progress(min(1.0, (first + _AT_ONCE) / len(edges)))
    chosen: list[tuple[Window, Range]] = []
    for window, start, end in zip(windows, close[::2], close[1::2], strict=True):
        starts = [*_near_cuts(window.start, start, LEAD_IN_MS, speech, is_start=True), *_near_pictures(window.start, start, speech)]
        ends = [*_near_cuts(window.end, end, LEAD_OUT_MS, speech, is_start=False), *_near_pictures(window.end, end, speech)]
        for bounds in product(starts, ends):
            fits = options.shortest_ms <= bounds[1] - bounds[0] <= options.longest_ms and bounds[1] <= duration_ms
            if fits and all(overlap(bounds, other) <= options.overlap for _, other in chosen):
                chosen.append((window, bounds))
                break
    return chosen


def _surroundings(edge: Edge, duration_ms: int) -> Range:
    before = min(ROOM_MS, max(_NEAR_MS, edge.room_ms) + _CONTEXT_MS)
    start = max(0, min(edge.at_ms, duration_ms - _CONTEXT_MS) - before)
    return start, max(start + _CONTEXT_MS, min(duration_ms, edge.at_ms + _NEAR_MS + _CONTEXT_MS))


def _near_cuts(edge: Edge, close: NearbyPictures, lead_ms: int, speech: Speech | None, *, is_start: bool) -> Iterator[int]:
    """Return the cuts near enough to be meant, nearest first: outwards while nothing is said, inwards within the pause."""
    pictures, times = close
    before, after = (max(_NEAR_MS, edge.room_ms), lead_ms) if is_start else (max(lead_ms, edge.room_ms), _NEAR_MS)
    cuts = [_floor(times[index]) for index in find_cuts(pictures)]
    for cut in sorted(cuts, key=lambda cut: abs(cut - edge.at_ms)):
        if edge.at_ms - before <= cut <= edge.at_ms + after and not (
            speech and (speech.cuts_word(cut) or speech.words_between(min(cut, edge.at_ms), max(cut, edge.at_ms)))
        ):
            yield cut


def _near_pictures(edge: Edge, close: NearbyPictures, speech: Speech | None) -> Iterator[int]:
    """Return the pictures around the edge, nearest first, then the edge itself."""
    times = close[1]
    index = int(np.searchsorted(times, edge.at_ms))
    around = [_floor(time) for time in times[max(0, index - 1) : index + 2]]
    for time in sorted(around, key=lambda time: abs(time - edge.at_ms)):
        if not (speech and speech.cuts_word(time)):
            yield time
    yield edge.at_ms


def _floor(time: float) -> int:
    return int(time + _CLOCK_MS)
