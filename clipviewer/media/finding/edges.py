"""Where a clip may start and end: at pauses, cuts and ends of sentences, never within a word. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from clipviewer.media.captions.sentences import PAUSE_MS, Speech
from clipviewer.media.finding.sound_features import STEP_MS, Steps, moving_mean

LEAD_IN_MS, LEAD_OUT_MS = 200, 300
"""How much of a pause is kept before the first word and after the last."""

_SENTENCE, _CUT, _CUE, _PAUSE = 1.0, 0.6, 0.3, 0.5
_AT_ONCE_MS = 400
_BUCKET_MS = 500
_MOST_EDGES = 8_000
GRID_MS = 5_000
"""The step between possible edges where nothing better exists."""

_QUIETER_DB, _FAR_QUIETER_DB = 8.0, 45.0
_SURROUNDINGS = 41  # steps
_LEAST_PAUSE = 2  # steps
_LONG_PAUSE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Edge:
    """A possible edge. ``strength`` is 0 for an arbitrary place, up to 1 for the end of a sentence; it may lie ``room_ms`` earlier."""

    at_ms: int
    strength: float
    room_ms: int = 0


@dataclass(frozen=True, slots=True)
class Edges:
    """Possible starts and ends of clips, each in order."""

    starts: tuple[Edge, ...]
    ends: tuple[Edge, ...]


def find_edges(
    duration_ms: int, level: Steps | None, cuts: Sequence[tuple[int, int]], speech: Speech | None, grid_ms: int = GRID_MS
) -> Edges:
    """Return all edges of a video. ``level``: loudness per step (dB); ``cuts``: the time of each, and how much earlier it may lie."""
    starts, ends = [Edge(0, _SENTENCE)], [Edge(duration_ms, _SENTENCE)]
    for begin, stop in () if level is None else _find_pauses(level):
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

    return Edges(_keep_strongest(filter(allowed, _merge_kinds(starts) + grid)), _keep_strongest(filter(allowed, _merge_kinds(ends) + grid)))


def _find_pauses(level: Steps) -> Iterator[tuple[int, int]]:
    """Return where it is much quieter than around, or nearly silent: start and end (ms)."""
    quiet = (level < moving_mean(level, _SURROUNDINGS) - _QUIETER_DB) | (level < np.percentile(level, 95) - _FAR_QUIETER_DB)
    changes = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    for begin, stop in zip(changes[::2], changes[1::2], strict=True):
        if stop - begin >= _LEAST_PAUSE:
            yield int(begin) * STEP_MS, int(stop) * STEP_MS


def _cue_starts(speech: Speech) -> Iterator[Edge]:
    sentences = {sentence.start_ms for sentence in speech.sentences}
    before = 0
    for start, end in speech.busy:
        yield Edge(start - min(LEAD_IN_MS, start - before), _SENTENCE if start in sentences or start - before >= PAUSE_MS else _CUE)
        before = end


def _cue_ends(speech: Speech, duration_ms: int) -> Iterator[Edge]:
    sentences = {sentence.end_ms for sentence in speech.sentences}
    for (_, end), following in pairwise([*speech.busy, (duration_ms, duration_ms)]):
        gap = max(0, following[0] - end)
        yield Edge(end + min(LEAD_OUT_MS, gap), _SENTENCE if end in sentences or gap >= PAUSE_MS else _CUE)


def _merge_kinds(edges: Sequence[Edge]) -> list[Edge]:
    """Merge edges of different kinds at nearly the same time; together they are stronger than each."""
    ordered = sorted(edges, key=lambda edge: edge.at_ms)
    found = []
    for index, edge in enumerate(ordered):
        near = [*ordered[max(0, index - 1) : index], *ordered[index + 1 : index + 2]]
        other = max(
            (one.strength for one in near if abs(one.at_ms - edge.at_ms) <= _AT_ONCE_MS and one.strength != edge.strength), default=0
        )
        found.append(Edge(edge.at_ms, min(1.0, edge.strength + 0.3 * other), edge.room_ms))
    return found


def _keep_strongest(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    """Keep the strongest edge of each half second, or of longer stretches if that leaves too many."""
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
