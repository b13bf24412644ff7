"""What captions tell of speech: sentences with their times, and where no word may be cut. Times are milliseconds."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from clipviewer.domain.clip_title import words_of
from clipviewer.media.captions.reading import CaptionTrack, Cue

PAUSE_MS = 700
"""Between two cues: a sentence ends there, whatever its last character is."""

_SOUND = re.compile(r"\[[^\]]*\]|\([^)]*\)|[♪♫]")
_SENTENCE_END = re.compile(r"[.?!…。！？][\"'”’»)\]]*$")
_WITHIN = re.compile(r"(?<=[.?!…])[\"'”’»)]*\s+(?=[^\W\d_a-zß-öø-ÿ])|(?<=[。！？])")
_STANDING_MS = 15_000
_LEAST_RATE = 0.5


@dataclass(frozen=True, slots=True)
class Sentence:
    """Shown by whole cues from ``start_ms`` to ``end_ms``."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """The spoken cues of a track in order of time, their sentences, and the times that lie within words as ordered, separate ranges."""

    cues: tuple[Cue, ...]
    sentences: tuple[Sentence, ...]
    busy: tuple[tuple[int, int], ...]

    def cuts_word(self, at_ms: int) -> bool:
        """Whether an edge at that time lies within a cue; where one ends and the next begins it does not."""
        index = bisect_left(self.busy, (at_ms, -1)) - 1
        return index >= 0 and self.busy[index][0] < at_ms < self.busy[index][1]

    def words_between(self, start_ms: int, end_ms: int) -> bool:
        """Whether a cue shows at any time between the two."""
        index = bisect_left(self.busy, (end_ms, -1)) - 1
        return index >= 0 and self.busy[index][1] > start_ms


def spoken(track: CaptionTrack) -> Spoken:
    """What is said: descriptions of sounds, and texts that merely stand in the picture, are left out."""
    cues = tuple(cue for cue in track.cues if _is_speech(cue))
    return Spoken(cues, tuple(_sentences(cues)), _merged(cues))


def sentences_within(sentences: Sequence[Sentence], start_ms: int, end_ms: int) -> list[str]:
    """The texts of those that lie in a range as a whole."""
    return [sentence.text for sentence in sentences if start_ms <= sentence.start_ms and sentence.end_ms <= end_ms]


def parts_of(text: str) -> list[str]:
    """The sentences of a text that holds several."""
    return [part.strip() for part in _WITHIN.split(text) if part.strip()]


def _is_speech(cue: Cue) -> bool:
    words = len(words_of(_SOUND.sub(" ", cue.text)))
    seconds = (cue.end_ms - cue.start_ms) / 1000
    return words > 0 and (cue.end_ms - cue.start_ms <= _STANDING_MS or words / seconds >= _LEAST_RATE)


def _sentences(cues: Sequence[Cue]) -> list[Sentence]:
    """Cues joined until one ends a sentence or a pause follows."""
    found: list[Sentence] = []
    open_cues: list[Cue] = []
    for cue, following in pairwise([*cues, None]):
        if cue is None:
            break
        open_cues.append(cue)
        if following is None or _SENTENCE_END.search(cue.text) or following.start_ms - cue.end_ms >= PAUSE_MS:
            text = " ".join(" ".join(_SOUND.sub(" ", part.text).split()) for part in open_cues).strip(" -–—")
            found.append(Sentence(open_cues[0].start_ms, max(part.end_ms for part in open_cues), text))
            open_cues = []
    return found


def _merged(cues: Sequence[Cue]) -> tuple[tuple[int, int], ...]:
    """Cues that show at the same time, as one range; those that only touch stay two."""
    ranges: list[tuple[int, int]] = []
    for cue in cues:
        if ranges and cue.start_ms < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], cue.end_ms))
        else:
            ranges.append((cue.start_ms, cue.end_ms))
    return tuple(ranges)
