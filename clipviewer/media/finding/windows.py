"""Choose the best ranges of a video: score every pair of edges and keep the best of overlapping ones. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clipviewer.domain.highlight import PARTS, FindOptions
from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.media.finding.edges import Edge
from clipviewer.media.finding.evidence import Evidence, Index
from clipviewer.media.finding.sound_features import Steps

_AT_ONCE = 256
_ENDS_KEPT = 3


@dataclass(frozen=True, slots=True)
class Window:
    start: Edge
    end: Edge
    score: float


def best_windows(evidence: Evidence, duration_ms: int, options: FindOptions, cancelled: Callable[[], bool]) -> list[Window]:
    """Return the best ranges within the allowed overlap, best first; the earlier wins a tie."""
    chosen: list[Window] = []
    left_ms = options.share * duration_ms
    for window in _best_per_start(evidence, options, cancelled):
        length = window.end.at_ms - window.start.at_ms
        if len(chosen) == options.most or (chosen and left_ms < options.shortest_ms):
            break
        if (not chosen or length <= left_ms) and not _overlaps_chosen(window, chosen, options.overlap):
            chosen.append(window)
            left_ms -= length
    return chosen


def overlap(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return the intersection over union of two ranges."""
    common = min(first[1], second[1]) - max(first[0], second[0])
    return max(0, common) / (max(first[1], second[1]) - min(first[0], second[0])) if common > 0 else 0.0


def _overlaps_chosen(window: Window, others: Sequence[Window], limit: float) -> bool:
    bounds = window.start.at_ms, window.end.at_ms
    return any(overlap(bounds, (other.start.at_ms, other.end.at_ms)) > limit for other in others)


def _best_per_start(evidence: Evidence, options: FindOptions, cancelled: Callable[[], bool]) -> list[Window]:
    """Return the best few ends for each start."""
    starts, ends = evidence.edges.starts, evidence.edges.ends
    start_at, end_at = (np.array([edge.at_ms for edge in edges], np.int64) for edges in (starts, ends))
    start_strength, end_strength = (np.array([edge.strength for edge in edges]) for edges in (starts, ends))
    from_, to = (np.searchsorted(end_at, start_at + length) for length in (options.shortest_ms, options.longest_ms + 1))
    found: list[Window] = []
    for first in range(0, len(starts), _AT_ONCE):
        if cancelled():
            raise MediaCancelled
        counts = (to - from_)[first : first + _AT_ONCE]
        left: Index = np.repeat(np.arange(first, first + len(counts)), counts)
        offsets = np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
        right: Index = from_[left] + offsets
        measured = evidence.parts(start_at[left], end_at[right], (start_strength[left] + end_strength[right]) / 2)
        scores = _scores(measured, len(left))
        order = np.lexsort((end_at[right], -scores, left))
        rank = np.arange(len(order)) - np.searchsorted(left[order], left[order])
        kept = order[rank < _ENDS_KEPT]
        found += [Window(starts[left[index]], ends[right[index]], float(scores[index])) for index in kept]
    return sorted(found, key=lambda window: (-window.score, window.start.at_ms, window.end.at_ms))


def _scores(measured: dict[str, Steps], count: int) -> Steps:
    """Compute ``domain.highlight.score_of`` for many ranges at once."""
    total, weight = np.zeros(count), 0.0
    for part in PARTS:
        if part.name in measured:
            weight += part.weight
            total += part.weight * np.clip((measured[part.name] - part.low) / (part.high - part.low), 0, 1)
    return np.round(100 * total / weight, 3) if weight else total
