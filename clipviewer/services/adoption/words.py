"""What adopting has found, or would do, in words for people."""

from __future__ import annotations

from clipviewer.domain.bucket_contents import IGNORED_WORDS, Ignored, Sort
from clipviewer.services.adoption.tally import Tally

_NEW = ((Sort.VIDEO, "videos", "video"), (Sort.EXPORT, "exports", "export"), (Sort.CAPTIONS, "captions", "caption file"))


def whole(prefix: str) -> str:
    """The prefix as a line names it."""
    return prefix or "The whole bucket"


def lines(found: Tally, *, done: bool) -> list[str]:
    """A line for each thing that is to be known, the most important ones first; ``done``: it has happened."""
    new = [(getattr(found, name), word) for _, name, word in _NEW]
    adopted = ", ".join(counted(count, word) for count, word in new if count) or "Nothing new"
    told = [f"{adopted} adopted" if done and any(count for count, _ in new) else adopted]
    for count, words in (
        (found.changed, "changed in the bucket: what was made from them is marked as out of date"),
        (found.missing, "gone from the bucket: they are marked as missing"),
        (found.back, "there again"),
        (found.known, "known already"),
    ):
        if count:
            told.append(f"{count:,} {words}")
    return told


def left_out(found: Tally) -> list[tuple[str, str, list[str]]]:
    """Of each reason how many were left out and why, and the first of their keys; what nobody would want to adopt comes last."""
    counted_reasons = sorted(found.ignored.items(), key=lambda item: (item[0] == Ignored.OWN, -item[1]))
    return [(f"{count:,}", IGNORED_WORDS[Ignored(reason)], found.shown.get(reason, [])) for reason, count in counted_reasons]


def counted(count: int, word: str) -> str:
    """``1 video``, ``2,000 videos``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def as_text(found: Tally, prefix: str, *, done: bool) -> str:
    """All of it, as the command prints it."""
    head = f"{whole(prefix)}: {counted(found.objects, 'object')}"
    text = [head + ("" if found.complete else " seen so far; there are more")]
    text += [f"  {line}" for line in lines(found, done=done)]
    if not done:
        text += [f"    {key}" for sort, _, _ in _NEW for key in found.shown.get(sort, [])]
    text += [f"  Left out, {count}: {words}" for count, words, _ in left_out(found)]
    return "\n".join(text)
