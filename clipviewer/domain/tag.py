"""Tags: short words by which a team sorts its videos."""

from __future__ import annotations

from collections.abc import Iterable

from clipviewer.domain.one_line import one_line

MAX_TAG, MAX_TAGS = 40, 20


def tag_of(text: str) -> str:
    """The tag as it is kept: in small letters, with single spaces; else ``ValueError`` with a sentence."""
    try:
        tag = one_line(text.lower(), MAX_TAG)
    except ValueError as error:
        raise ValueError(f"A tag {error}.") from error
    if "," in tag:
        raise ValueError("A tag has no comma.")
    return tag


def tags_of(texts: Iterable[str]) -> list[str]:
    """Each tag once, in the order of letters; ``ValueError`` for one that is no tag, or for more than ``MAX_TAGS``."""
    tags = sorted({tag_of(text) for text in texts})
    if len(tags) > MAX_TAGS:
        raise ValueError(f"A video has at most {MAX_TAGS} tags.")
    return tags
