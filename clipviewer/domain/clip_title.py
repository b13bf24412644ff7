"""A title for a clip, out of what is said in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

MAX_TITLE = 60

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LEAST_WORDS = 3
_LATER = 0.03


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def rarity(sentences: Sequence[str]) -> Mapping[str, float]:
    """How much each word tells, by the share of ``sentences`` (all that are said in a video) that it is not in."""
    found = Counter(word for sentence in sentences for word in set(words_of(sentence)))
    return {word: log((1 + len(sentences)) / (1 + count)) for word, count in found.items()}


def title_of(sentences: Sequence[str], telling: Mapping[str, float]) -> str:
    """The sentence that tells most, cut to 60 characters at a word; empty where nothing is said.

    A whole sentence counts for more than one that has to be cut, a question or an exclamation for more than a statement, and of equals
    the first is taken.
    """
    best, best_value = "", float("-inf")
    for index, sentence in enumerate(sentences):
        words = words_of(sentence)
        if not words:
            continue
        value = sum(telling.get(word, 0.0) for word in words) / max(len(words), _LEAST_WORDS)
        value *= (1.0 if len(words) >= _LEAST_WORDS else 0.3) * (1.0 if len(sentence) <= MAX_TITLE else 0.7)
        value *= 1.25 if sentence.rstrip("\"'”’»)").endswith(("?", "!", "？", "！")) else 1.0
        value -= _LATER * index
        if value > best_value:
            best, best_value = sentence, value
    return shortened(best)


def shortened(text: str, most: int = MAX_TITLE) -> str:
    """``text`` in one line of at most ``most`` characters: whole words, then an ellipsis if anything is missing."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    kept = line[: most - 1]
    if " " in kept and line[most - 1] != " ":
        kept = kept[: kept.rindex(" ")]
    return kept.rstrip(" ,;:-–—") + "…"
