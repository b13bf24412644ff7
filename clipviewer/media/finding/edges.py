"""Where a clip may begin and end: at pauses, cuts and the ends of sentences, and never within a word. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clipviewer.media.captions.sentences import PAUSE_MS, Spoken
from clipviewer.media.finding.sound_features import STEP_MS, Steps, smoothed

LEAD_IN_MS, LEAD_OUT_MS = 200, 300
"""What is left of a pause before the first word and after the last one."""

_SENTENCE, _CUT, _CUE, _PAUSE = 1.0, 0.6, 0.3, 0.5
_AT_ONCE_MS = 400
_BUCKET_MS = 500
_MOST_EDGES = 8_000
GRID_MS = 5_000
"""Where nothing else offers itself, clips may begin and end in steps of that."""

_QUIETER_DB, _FAR_QUIETER_DB = 8.0, 45.0
_SURROUNDINGS = 41  # steps
_LEAST_PAUSE = 2  # steps
_LONG_PAUSE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Edge:
    """``strength``: 0 for a place like any other, up to 1 for the end of a sentence; ``room_ms``: it may really lie that much earlier."""

    at_ms: int
    strength: float
    room_ms: int = 0


@dataclass(frozen=True, slots=True)
class Edges:
    """Where clips may begin and where they may end, each in order."""

    starts: tuple[Edge, ...]
    ends: tuple[Edge, ...]


def find_edges(
    duration_ms: int, level: Steps | None, cuts: Sequence[tuple[int, int]], speech: Spoken | None, grid_ms: int = GRID_MS
) -> Edges:
    """All edges of a video. ``level``: its loudness per step (dB); ``cuts``: the time of each and how far before that it may really lie."""
    starts, ends = [Edge(0, _SENTENCE)], [Edge(duration_ms, _SENTENCE)]
    for begin, stop in () if level is None else _pauses(level):
        strength = _PAUSE + 0.3 * min(1.0, (stop - begin) / _LONG_PAUSE_MS)
        starts.append(Edge(max(begin, stop - LEAD_IN_MS), strength))
        ends.append(Edge(min(stop, begin + LEAD_OUT_MS), strength))
    shots = [Edge(at, _CUT, room) for at, room in cuts]
    starts += shots
    ends += shots
    if speech is not None:
        starts += _cue_starts(speech)
        ends += _cue_ends(speech, duration_ms)
    grid = [Edge(at, 0.0) for at in range(grid_ms, duration_ms, grid_ms)]

    def allowed(edge: Edge) -> bool:
        return 0 <= edge.at_ms <= duration_ms and not (speech and speech.cuts_word(edge.at_ms))

    return Edges(_thinned(filter(allowed, _together(starts) + grid)), _thinned(filter(allowed, _together(ends) + grid)))


def _pauses(level: Steps) -> Iterator[tuple[int, int]]:
    """Where it is much quieter than around, or as good as silent: from and to (ms)."""
    quiet = (level < smoothed(level, _SURROUNDINGS) - _QUIETER_DB) | (level < np.percentile(level, 95) - _FAR_QUIETER_DB)
    changes = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    for begin, stop in zip(changes[::2], changes[1::2], strict=True):
        if stop - begin >= _LEAST_PAUSE:
            yield int(begin) * STEP_MS, int(stop) * STEP_MS


def _cue_starts(speech: Spoken) -> Iterator[Edge]:
    sentences = {sentence.start_ms for sentence in speech.sentences}
    before = 0
    for start, end in speech.busy:
        yield Edge(start - min(LEAD_IN_MS, start - before), _SENTENCE if start in sentences or start - before >= PAUSE_MS else _CUE)
        before = end


def _cue_ends(speech: Spoken, duration_ms: int) -> Iterator[Edge]:
    sentences = {sentence.end_ms for sentence in speech.sentences}
    for (_, end), following in pairwise([*speech.busy, (duration_ms, duration_ms)]):
        gap = max(0, following[0] - end)
        yield Edge(end + min(LEAD_OUT_MS, gap), _SENTENCE if end in sentences or gap >= PAUSE_MS else _CUE)


def _together(edges: Sequence[Edge]) -> list[Edge]:
    """Two edges of different kinds at nearly one time are worth more than each."""
    ordered = sorted(edges, key=lambda edge: edge.at_ms)
    found = []
    for index, edge in enumerate(ordered):
        near = [*ordered[max(0, index - 1) : index], *ordered[index + 1 : index + 2]]
        other = max(
            (one.strength for one in near if abs(one.at_ms - edge.at_ms) <= _AT_ONCE_MS and one.strength != edge.strength), default=0
        )
        found.append(Edge(edge.at_ms, min(1.0, edge.strength + 0.3 * other), edge.room_ms))
    return found


def _thinned(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """The strongest of each half second; where that leaves too many, of longer stretches."""
    kept, bucket_ms = sorted(edges, key=lambda edge: (edge.at_ms, -edge.strength)), _BUCKET_MS
    while True:
        best: dict[int, Edge] = {}
        for edge in kept:
            known = best.get(edge.at_ms // bucket_ms)
            if known is None or edge.strength > known.strength:
                best[edge.at_ms // bucket_ms] = edge
        if len(best) <= _MOST_EDGES:
            return tuple(best.values())
        bucket_ms *= 2
