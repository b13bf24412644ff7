"""Choose where a crop stands on its free axis: one place per shot, or a path if its subject really travels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clipviewer.media.framing.subjects import Weights

Scores = NDArray[np.float64]

CENTRE = 0.5

_EDGE = 0.15  # The outer parts of a crop, where what is shown is half lost.
_CENTRE_BONUS = 0.06
_LEAST = 0.1
_TRAVEL_HELD, _TRAVEL_GAIN = 0.8, 0.2
_LEAST_TRAVEL = 0.3
_COMPACT = 0.3
_SPEED = 0.3
_STEADY = 4.0
_TOLERANCE = 0.02
_SHORTEST_PATH_MS = 1_200


def choose_path(signs: Sequence[tuple[Weights, float, float]], times_ms: Sequence[float], window: float) -> list[tuple[float, float]]:
    """Return where a crop of ``window`` (a share of the axis) is centred: times (ms) and places (shares); several to glide between.

    Each entry of ``signs`` holds how much there is to see (pictures × places along the axis), the share of it that a crop must hold, and
    how much more that must be than in a centre crop. The first clear sign decides; without one, the centre.
    """
    for weights, clear, gain in signs if window < 1 else ():
        path = _follow(weights, times_ms, window, clear, gain)
        if path is not None:
            return path
    return [(times_ms[0], CENTRE)]


def _follow(weights: Weights, times_ms: Sequence[float], window: float, clear: float, gain: float) -> list[tuple[float, float]] | None:
    count, places = weights.shape
    width, total = max(1, round(window * places)), float(weights.sum())
    if width >= places or total < _LEAST * count:
        return None
    scores = _scores(weights, width) / total
    together = scores.sum(axis=0)
    best, middle = int(together.argmax()), (places - width) // 2
    if times_ms[-1] - times_ms[0] >= _SHORTEST_PATH_MS:
        path = _best_path(scores, times_ms, places)
        held = float(scores[np.arange(count), path].sum())
        travels = held >= _TRAVEL_HELD and held - together[best] > _TRAVEL_GAIN and float(path.max() - path.min()) > _LEAST_TRAVEL * width
        if travels and _spread_of(weights) < _COMPACT * width:
            return [(at_ms, _clamped_centre(place, width, places, window)) for at_ms, place in _simplify(path, times_ms, places)]
    if together[best] < clear:
        return None
    still = best if together[best] - together[middle] > gain else middle
    return [(times_ms[0], CENTRE if still == middle else _clamped_centre(still, width, places, window))]


def _spread_of(weights: Weights) -> float:
    """Return how far apart the interest lies within a picture, as a standard deviation in places: many movers are no traveller."""
    places = np.arange(weights.shape[1])
    each = weights.sum(axis=1) + 1e-9
    middle = weights @ places / each
    return float(np.average(np.sqrt(np.maximum(weights @ places**2 / each - middle**2, 0)), weights=each))


def _scores(weights: Weights, width: int) -> Scores:
    """Return what a crop shows at each place for each picture, with a small bonus near the centre."""
    places = weights.shape[1]
    edge = max(1, round(width * _EDGE))
    shown = np.ones(width)
    ramp = np.linspace(0.4, 1.0, edge, endpoint=False)
    shown[:edge], shown[width - edge :] = ramp, ramp[::-1]
    scores = np.lib.stride_tricks.sliding_window_view(weights.astype(np.float64), width, axis=1) @ shown
    away = np.abs(np.linspace(-1, 1, places - width + 1))
    return scores + _CENTRE_BONUS * float(weights.sum(axis=1).mean()) * (1 - away)


def _best_path(scores: Scores, times_ms: Sequence[float], places: int) -> NDArray[np.intp]:
    """Return the best place for each picture (Viterbi), within the maximum speed, moving only if it pays."""
    count, choices = scores.shape
    pace = float(scores.max(axis=1).mean()) * _STEADY / places
    best, came_from = scores[0].copy(), np.zeros((count, choices), np.intp)
    for index in range(1, count):
        reach = max(1, int(_SPEED * places * (times_ms[index] - times_ms[index - 1]) / 1000))
        padded = np.pad(best, reach, constant_values=-np.inf)
        cost = pace * np.abs(np.arange(-reach, reach + 1))
        reached = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1) - cost
        step = reached.argmax(axis=1)
        came_from[index] = np.arange(choices) + step - reach
        best = reached[np.arange(choices), step] + scores[index]
    path = np.zeros(count, np.intp)
    path[-1] = best.argmax()
    for index in range(count - 1, 0, -1):
        path[index - 1] = came_from[index, path[index]]
    return path


def _simplify(path: NDArray[np.intp], times_ms: Sequence[float], places: int) -> list[tuple[float, float]]:
    """Simplify the smoothed path to few straight lines (Douglas and Peucker)."""
    reach = 3
    padded = np.pad(path.astype(np.float64), reach, mode="edge")
    smooth = np.convolve(padded, np.full(2 * reach + 1, 1 / (2 * reach + 1)), mode="valid")
    times = np.array(times_ms)
    kept, parts = {0, len(smooth) - 1}, [(0, len(smooth) - 1)]
    while parts:
        first, last = parts.pop()
        line = np.interp(times[first : last + 1], [times[first], times[last]], [smooth[first], smooth[last]])
        off = np.abs(smooth[first : last + 1] - line)
        furthest = first + int(off.argmax())
        if off.max() > _TOLERANCE * places:
            kept.add(furthest)
            parts += [(first, furthest), (furthest, last)]
    return [(float(times[index]), float(smooth[index])) for index in sorted(kept)]


def _clamped_centre(place: float, width: int, places: int, window: float) -> float:
    """Return the centre of the crop that starts at ``place``, kept within the picture."""
    return float(min(max((place + width / 2) / places, window / 2), 1 - window / 2))
