"""Find the exact pictures where one shot of a clip ends and the next begins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.framing.samples import Change, changes_filter, read_changes
from clipviewer.media.source.clip_source import ClipSource

_CUT_SCORE = 9.0
_SHORTEST_MS = 400
_MOST_LOOKED_CLOSER = 24
_AT_ONCE = 4  # Each opens the source anew.


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut: the new shot's first sampled picture is shown at ``at_ms``, the old shot's last at ``after_ms``."""

    at_ms: float
    after_ms: float

    @property
    def start_ms(self) -> int:
        """The cut's time, rounded down so that the picture shown then is not before it."""
        return math.floor(self.at_ms + 1e-6)


def find_cuts(changes: Sequence[Change]) -> list[Cut]:
    """Return the cuts among the differences. Of several within 400 ms, as in a flash, only the largest counts."""
    cuts: list[tuple[Change, Cut]] = []
    for before, change in pairwise(changes):
        if change.score < _CUT_SCORE:
            continue
        cut = change, Cut(change.at_ms, before.at_ms)
        if not cuts or change.at_ms - cuts[-1][0].at_ms >= _SHORTEST_MS:
            cuts.append(cut)
        elif change.difference > cuts[-1][0].difference:
            cuts[-1] = cut
    return [cut for _, cut in cuts]


def refine_cuts(clip: ClipSource, cuts: Sequence[Cut], folder: Path) -> list[Cut]:
    """Return the same cuts, refined with every picture where sampling skipped some between two shots."""
    step_ms = 1000 / clip.info.frame_rate if clip.info.frame_rate else math.inf
    open_ones = [cut for cut in cuts if cut.at_ms - cut.after_ms > 1.5 * step_ms][:_MOST_LOOKED_CLOSER]
    settled: dict[Cut, Cut] = {}
    for first in range(0, len(open_ones), _AT_ONCE):
        some = open_ones[first : first + _AT_ONCE]
        paths = [folder / f"cut {number}" for number in range(len(some))]
        args = [part for cut in some for part in _input(clip, cut)]
        for number, path in enumerate(paths):
            args += ["-map", f"{number}:v:0", "-vf", ",".join(changes_filter(clip.info, path)), "-f", "null", "-"]
        clip.run(args, file_size=1024**2)
        settled |= {cut: _refine(cut, read_changes(path)) for cut, path in zip(some, paths, strict=True)}
    return [settled.get(cut, cut) for cut in cuts]


def _input(clip: ClipSource, cut: Cut) -> list[str]:
    """Return input options from the last picture before the cut to the first after it."""
    start, length = clip.start_ms + _start(cut), math.ceil(cut.at_ms) - _start(cut) + 1
    return clip.opened.input("-ss", ms_to_seconds(start), "-t", ms_to_seconds(length))


def _start(cut: Cut) -> int:
    return max(0, math.floor(cut.after_ms) - 1)


def _refine(cut: Cut, changes: Sequence[Change]) -> Cut:
    pairs = [(after, before) for before, after in pairwise(changes)]
    if not pairs:
        return cut
    after, before = max(pairs, key=lambda pair: pair[0].difference)
    return Cut(_start(cut) + after.at_ms, _start(cut) + before.at_ms)
