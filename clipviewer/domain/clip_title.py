"""Derive a clip's title from what is said in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import log

MAX_TITLE = 60

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LEAST_WORDS = 3
_LATER = 0.03


def split_words(text: str) -> list[str]:
    """Return the words of a text, in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def word_weights(sentences: Sequence[str]) -> Mapping[str, float]:
    """Return a weight per word: the share of ``sentences`` (all that is said in the video) that do not contain it."""
    found = Counter(word for sentence in sentences for word in set(split_words(sentence)))
    return {word: log((1 + len(sentences)) / (1 + count)) for word, count in found.items()}


def choose_title(sentences: Sequence[str], telling: Mapping[str, float]) -> str:
    """Return the most informative sentence, shortened to 60 characters at a word boundary; "" if nothing is said.

    Whole sentences rank above shortened ones, questions and exclamations above statements; the first wins a tie.
    """
    best, best_value = "", float("-inf")
    for index, sentence in enumerate(sentences):
        words = split_words(sentence)
        if not words:
            continue
        value = sum(telling.get(word, 0.0) for word in words) / max(len(words), _LEAST_WORDS)
        value *= (1.0 if len(words) >= _LEAST_WORDS else 0.3) * (1.0 if len(sentence) <= MAX_TITLE else 0.7)
        value *= 1.25 if sentence.rstrip("\"'”’»)").endswith(("?", "!", "？", "！")) else 1.0
        value -= _LATER * index
        if value > best_value:
            best, best_value = sentence, value
    return shorten(best)


def shorten(text: str, most: int = MAX_TITLE) -> str:
    """Return ``text`` as one line of at most ``most`` characters: whole words, with an ellipsis if something was cut."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    kept = line[: most - 1]
    if " " in kept and line[most - 1] != " ":
        kept = kept[: kept.rindex(" ")]
    return kept.rstrip(" ,;:-–—") + "…"
