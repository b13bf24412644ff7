"""Describe an import's counts in words."""

from __future__ import annotations

from clipviewer.domain.bucket_contents import IGNORED_WORDS, Ignored, ObjectKind
from clipviewer.services.adoption.tally import Tally

_NEW = ((ObjectKind.VIDEO, "videos", "video"), (ObjectKind.EXPORT, "exports", "export"), (ObjectKind.CAPTIONS, "captions", "caption file"))


def format_prefix(prefix: str) -> str:
    """Return the prefix for use in a sentence."""
    return prefix or "The whole bucket"


def summary_lines(found: Tally, *, done: bool) -> list[str]:
    """Return one line per result, the most important first; ``done`` selects the past tense."""
    new = [(getattr(found, name), word) for _, name, word in _NEW]
    imported = ", ".join(format_count(count, word) for count, word in new if count) or "Nothing new"
    told = [f"{imported} imported" if done and any(count for count, _ in new) else imported]
    for count, words in (
        (found.changed, "changed in the bucket: what was made from them is marked as out of date"),
        (found.missing, "gone from the bucket: they are marked as missing"),
        (found.back, "found again"),
        (found.known, "already in the library"),
    ):
        if count:
            told.append(f"{count:,} {words}")
    return told


def ignored_lines(found: Tally) -> list[tuple[str, str, list[str]]]:
    """Return for each reason how many objects were ignored and the first keys; the least interesting last."""
    counted_reasons = sorted(found.ignored.items(), key=lambda item: (item[0] == Ignored.OWN, -item[1]))
    return [(f"{count:,}", IGNORED_WORDS[Ignored(reason)], found.shown.get(reason, [])) for reason, count in counted_reasons]


def format_count(count: int, word: str) -> str:
    """Return a number with its noun: ``1 video``, ``2,000 videos``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def format_report(found: Tally, prefix: str, *, done: bool) -> str:
    """Return the whole report, as the command prints it."""
    head = f"{format_prefix(prefix)}: {format_count(found.objects, 'object')}"
    text = [head + ("" if found.complete else " seen so far; there are more")]
    text += [f"  {line}" for line in summary_lines(found, done=done)]
    if not done:
        text += [f"    {key}" for sort, _, _ in _NEW for key in found.shown.get(sort, [])]
    text += [f"  Left out, {count}: {words}" for count, words, _ in ignored_lines(found)]
    return "\n".join(text)
