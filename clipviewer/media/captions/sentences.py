"""Speech in captions: sentences with their times, and where a cut would split a word. Times are milliseconds."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from clipviewer.domain.clip_title import split_words
from clipviewer.media.captions.reading import CaptionTrack, Cue

PAUSE_MS = 700
"""A gap between two cues that ends a sentence, whatever its last character."""

_SOUND = re.compile(r"\[[^\]]*\]|\([^)]*\)|[♪♫]")
_SENTENCE_END = re.compile(r"[.?!…。！？][\"'”’»)\]]*$")
_WITHIN = re.compile(r"(?<=[.?!…])[\"'”’»)]*\s+(?=[^\W\d_a-zß-öø-ÿ])|(?<=[。！？])")
_STANDING_MS = 15_000
_LEAST_RATE = 0.5


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence made of whole cues, from ``start_ms`` to ``end_ms``."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Speech:
    """The spoken cues of a track in time order, their sentences, and the disjoint ranges within which a cut would split words."""

    cues: tuple[Cue, ...]
    sentences: tuple[Sentence, ...]
    busy: tuple[tuple[int, int], ...]

    def cuts_word(self, at_ms: int) -> bool:
        """Return whether a cut at ``at_ms`` lies within a cue. The boundary between two cues does not."""
        index = bisect_left(self.busy, (at_ms, -1)) - 1
        return index >= 0 and self.busy[index][0] < at_ms < self.busy[index][1]

    def words_between(self, start_ms: int, end_ms: int) -> bool:
        """Return whether any cue is shown between the two times."""
        index = bisect_left(self.busy, (end_ms, -1)) - 1
        return index >= 0 and self.busy[index][1] > start_ms


def find_speech(track: CaptionTrack) -> Speech:
    """Return the speech of a track, without descriptions of sounds and on-screen text."""
    cues = tuple(cue for cue in track.cues if _is_speech(cue))
    return Speech(cues, tuple(_join_sentences(cues)), _merge_overlapping(cues))


def texts_within(sentences: Sequence[Sentence], start_ms: int, end_ms: int) -> list[str]:
    """Return the texts of the sentences that lie entirely within a range."""
    return [sentence.text for sentence in sentences if start_ms <= sentence.start_ms and sentence.end_ms <= end_ms]


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences."""
    return [part.strip() for part in _WITHIN.split(text) if part.strip()]


def _is_speech(cue: Cue) -> bool:
    words = len(split_words(_SOUND.sub(" ", cue.text)))
    seconds = (cue.end_ms - cue.start_ms) / 1000
    return words > 0 and (cue.end_ms - cue.start_ms <= _STANDING_MS or words / seconds >= _LEAST_RATE)


def _join_sentences(cues: Sequence[Cue]) -> list[Sentence]:
    """Join cues until one ends a sentence or a pause follows."""
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


def _merge_overlapping(cues: Sequence[Cue]) -> tuple[tuple[int, int], ...]:
    """Merge overlapping cues into ranges; adjacent ones stay separate."""
    ranges: list[tuple[int, int]] = []
    for cue in cues:
        if ranges and cue.start_ms < ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], cue.end_ms))
        else:
            ranges.append((cue.start_ms, cue.end_ms))
    return tuple(ranges)
