"""All measurements of a video in equal steps, so that any range can be scored at once. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipviewer.domain import highlight as parts
from clipviewer.media.captions.sentences import Speech
from clipviewer.media.finding.cuts import picture_changes
from clipviewer.media.finding.edges import Edges
from clipviewer.media.finding.footage_scan import Scan
from clipviewer.media.finding.sound_features import STEP_MS, SoundFeatures, Steps, moving_mean

_AROUND_MS = 20_000
_SECOND = 1000 // STEP_MS + 1
_LEAST_SPREAD = {parts.LOUDNESS: 1.5, parts.LIVELINESS: 0.1, parts.MOTION: 0.5}
_EMPHASIS = ("?", "!", "？", "！")
_LEAST_PICTURES = 3
_STILL = 0.5  # of 255

Index = NDArray[np.int64]


class _Curve:
    """One value per step, with fast means over ranges."""

    def __init__(self, values: Steps) -> None:
        self._sums = np.concatenate([[0.0], np.cumsum(values)])
        self._squares = np.concatenate([[0.0], np.cumsum(values**2)])
        self.steps = len(values)

    def sum(self, first: Index, last: Index) -> Steps:
        return np.asarray(self._sums[last] - self._sums[first], np.float64)

    def mean(self, first: Index, last: Index) -> Steps:
        return np.asarray(self.sum(first, last) / np.maximum(last - first, 1), np.float64)

    def against_rest(self, first: Index, last: Index, least_spread: float) -> Steps:
        """Return how far a range's mean lies above that of the rest, in standard deviations of the rest; 0 if there is no rest."""
        count = np.maximum(self.steps - (last - first), 1)
        mean = (self._sums[-1] - self.sum(first, last)) / count
        squares = (self._squares[-1] - (self._squares[last] - self._squares[first])) / count
        spread = np.maximum(np.sqrt(np.maximum(squares - mean**2, 0)), least_spread)
        return np.where(last - first < self.steps, (self.mean(first, last) - mean) / spread, 0.0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The measurements of a video; None for what it lacks."""

    steps: int
    edges: Edges
    cuts: tuple[int, ...]
    level: _Curve | None
    flux: _Curve | None
    change: _Curve | None
    speech: _Curve | None
    words: _Curve | None
    emphasis: tuple[int, ...]

    def parts(self, starts: Sequence[int] | Index, ends: Sequence[int] | Index, clean: Steps) -> dict[str, Steps]:
        """Return each part of the score for each range. ``clean`` is the mean strength of the edges, 0 to 1."""
        begin, end = np.asarray(starts, np.int64), np.asarray(ends, np.int64)
        first = np.clip(begin // STEP_MS, 0, self.steps - 1)
        last = np.clip(-(-end // STEP_MS), first + 1, self.steps)
        found: dict[str, Steps] = {parts.EDGES.name: 100 * clean}
        for part, curve in ((parts.LOUDNESS, self.level), (parts.LIVELINESS, self.flux), (parts.MOTION, self.change)):
            if curve is not None:
                found[part.name] = curve.against_rest(first, last, _LEAST_SPREAD[part])
        if self.level is not None:
            found[parts.CONTRAST.name] = self._contrast(self.level, first, last)
        if self.speech is not None:
            found[(parts.SPEECH_LIKE if self.words is None else parts.SPEECH).name] = 100 * self.speech.mean(first, last)
        if self.change is not None:
            found[parts.CUTS.name] = _count(self.cuts, begin + 1, end)
        if self.words is not None:
            found[parts.WORDS.name] = self.words.sum(first, last) * 60_000 / np.maximum(end - begin, 1)
            found[parts.EMPHASIS.name] = _count(self.emphasis, begin, end + 1)
        return found

    def _contrast(self, level: _Curve, first: Index, last: Index) -> Steps:
        reach = _AROUND_MS // STEP_MS
        before, after = np.maximum(first - reach, 0), np.minimum(last + reach, self.steps)
        outside = (first - before) + (after - last)
        around = (level.sum(before, first) + level.sum(last, after)) / np.maximum(outside, 1)
        return np.where(outside > 0, level.mean(first, last) - around, 0.0)


def collect_evidence(scan: Scan, sound: SoundFeatures | None, shots: Sequence[int], edges: Edges, speech: Speech | None) -> Evidence:
    """Collect the measurements. ``shots`` holds the first picture of each shot but the first; ``sound`` and ``speech`` may be None."""
    steps = max(1, -(-scan.duration_ms // STEP_MS))
    said = _speech_per_step(speech, steps) if speech is not None else None
    heard = None if sound is None else _fit_length(sound.speech, steps)
    return Evidence(
        steps=steps,
        edges=edges,
        cuts=tuple(int(scan.times_ms[index]) for index in shots),
        level=None if sound is None else _Curve(moving_mean(_fit_length(sound.level, steps), _SECOND)),
        flux=None if sound is None else _Curve(moving_mean(_fit_length(sound.flux, steps), _SECOND)),
        change=_change_per_step(scan, shots, steps),
        speech=_Curve(said[0]) if said else None if heard is None else _Curve(heard),
        words=_Curve(said[1]) if said else None,
        emphasis=() if speech is None else tuple(cue.end_ms for cue in speech.cues if any(sign in cue.text for sign in _EMPHASIS)),
    )


def _count(times: Sequence[int], begin: Index, end: Index) -> Steps:
    ordered = np.sort(np.asarray(times, np.int64))
    return (np.searchsorted(ordered, end) - np.searchsorted(ordered, begin)).astype(np.float64)


def _fit_length(values: Steps, steps: int) -> Steps:
    return np.pad(values[:steps], (0, max(0, steps - len(values))), mode="edge")


def _change_per_step(scan: Scan, shots: Sequence[int], steps: int) -> _Curve | None:
    """Return how much the picture changes within shots; None if it never changes. Cuts count separately."""
    if len(scan.pictures) < _LEAST_PICTURES:
        return None
    change = picture_changes(scan.pictures)
    if not change.max() > _STILL:
        return None
    within = np.ones(len(change), bool)
    within[np.asarray(shots, np.int64) - 1] = False
    within |= not within.any()
    at = np.clip((scan.times_ms[1:] // STEP_MS).astype(np.int64), 0, steps - 1)[within]
    sums, counts = np.bincount(at, change[within], steps), np.bincount(at, minlength=steps)
    # Between two pictures it changed evenly, as far as anybody knows.
    known = np.flatnonzero(counts)
    following = known[np.minimum(np.searchsorted(known, np.arange(steps)), len(known) - 1)]
    return _Curve(moving_mean(sums[following] / counts[following], _SECOND))


def _speech_per_step(speech: Speech, steps: int) -> tuple[Steps, Steps]:
    """Return whether something is said in each step, and how many words."""
    covered, words = np.zeros(steps), np.zeros(steps)
    for start, end in speech.busy:
        covered[start // STEP_MS : -(-end // STEP_MS)] = 1
    for cue in speech.cues:
        first = min(cue.start_ms // STEP_MS, steps - 1)
        last = min(max(-(-cue.end_ms // STEP_MS), first + 1), steps)
        words[first:last] += len(cue.text.split()) / (last - first)
    return covered, words
