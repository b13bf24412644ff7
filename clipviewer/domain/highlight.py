"""Candidate clips: their measured parts, the score made of them, and the reasons shown to people. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindOptions:
    """At most ``most`` candidates of ``shortest_ms`` to ``longest_ms``, covering at most ``share`` of the video (one is always allowed).

    ``overlap`` is the maximum intersection over union of two candidates.
    """

    shortest_ms: int = 15_000
    longest_ms: int = 60_000
    most: int = 20
    overlap: float = 0.1
    share: float = 0.5

    def __post_init__(self) -> None:
        if not 1_000 <= self.shortest_ms <= self.longest_ms - 1_000:
            raise ValueError("the shortest clip must be at least one second, and the longest at least one second longer")
        if self.most < 1 or not 0 <= self.overlap < 1 or not 0 < self.share <= 1:
            raise ValueError("at least one candidate must be allowed, and overlap and share must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate. ``parts`` maps each measured part to its value, in the unit of its name; ``score`` is ``score_of(parts)``, 0 to 100."""

    start_ms: int
    end_ms: int
    title: str
    score: float
    parts: Mapping[str, float]
    reasons: tuple[str, ...]

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Part:
    """One measured part. It is worth 0 up to ``low``, 1 from ``high`` on, and a linear share in between.

    From ``told`` on it is shown as a reason, worded by ``says``.
    """

    name: str
    weight: float
    low: float
    high: float
    told: float
    says: str
    digits: int = 1

    def worth(self, value: float) -> float:
        """Return the part's worth for ``value``, 0 to 1. Never decreases."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


LOUDNESS = Part("loudness σ", 0.22, -0.5, 2.5, 0.5, "louder than the rest by {:.1f} σ")
CONTRAST = Part("contrast dB", 0.10, -2, 8, 2, "{:.0f} dB louder than what surrounds it")
SPEECH = Part("speech %", 0.18, 0, 100, 50, "speech in {:.0f} % of it", 0)
SPEECH_LIKE = Part("speech-like sound %", 0.18, 0, 100, 50, "sounds like speech in {:.0f} % of it", 0)
LIVELINESS = Part("liveliness σ", 0.10, -0.5, 2, 0.5, "livelier sound than the rest by {:.1f} σ")
MOTION = Part("motion σ", 0.15, -0.5, 2.5, 0.5, "moves more than the rest by {:.1f} σ")
CUTS = Part("cuts", 0.08, 0, 8, 1, "{:.0f} cuts", 0)
WORDS = Part("words per minute", 0.07, 60, 220, 140, "{:.0f} words a minute", 0)
EMPHASIS = Part("questions and exclamations", 0.05, 0, 4, 1, "{:.0f} questions and exclamations", 0)
INTEREST = Part("interest by transcript", 0.30, 0, 100, 60, "interesting by what is said: {:.0f} of 100", 0)
"""The language model's rating of the words alone, if the team configured one."""
EDGES = Part("clean edges %", 0.15, 0, 100, 75, "begins and ends where a pause, a cut or a sentence does", 0)

PARTS = (LOUDNESS, CONTRAST, SPEECH, SPEECH_LIKE, LIVELINESS, MOTION, CUTS, WORDS, EMPHASIS, INTEREST, EDGES)
"""Every part that a score may be made of. Parts that a video lacks (sound, captions) are left out and the others weigh more.

σ is the standard deviation of the rest of the video, over stretches of a second. The weights are a judgement, not trained: loud,
spoken and moving weigh most, then whether a clip starts and ends at a natural edge.
"""

_BY_NAME = {part.name: part for part in PARTS}
_MOST_REASONS = 4


def score_of(parts: Mapping[str, float]) -> float:
    """Return the weighted mean of the parts' worth, 0 to 100 with one decimal. A larger part never lowers the score."""
    weight = sum(_BY_NAME[name].weight for name in parts)
    worth = sum(_BY_NAME[name].weight * _BY_NAME[name].worth(value) for name, value in parts.items())
    return round(100 * worth / weight, 1) if weight else 0.0


def round_parts(parts: Mapping[str, float]) -> dict[str, float]:
    """Round the parts as they are shown, so that the shown parts give the shown score."""
    return {name: round(value, _BY_NAME[name].digits) + 0.0 for name, value in parts.items()}


def stands_out(parts: Mapping[str, float]) -> bool:
    """Return whether any part is a reason, apart from where the clip starts and ends."""
    return any(parts[part.name] >= part.told for part in PARTS if part.name in parts and part is not EDGES)


def reasons_of(parts: Mapping[str, float]) -> tuple[str, ...]:
    """Return the reasons, the heaviest first."""
    told = [part for part in PARTS if part.name in parts and parts[part.name] >= part.told] if stands_out(parts) else []
    told.sort(key=lambda part: -part.weight * part.worth(parts[part.name]))
    sentences = tuple(_singular(part.says.format(parts[part.name])) for part in told[:_MOST_REASONS])
    return sentences or ("nothing in it stands out from the rest",)


def _singular(sentence: str) -> str:
    return {"1 cuts": "1 cut", "1 questions and exclamations": "1 question or exclamation"}.get(sentence, sentence)
