"""Tags: short words that a team sorts its videos by."""

from __future__ import annotations

from collections.abc import Iterable

from clipviewer.domain.one_line import normalize_line

MAX_TAG, MAX_TAGS = 40, 20


def normalize_tag(text: str) -> str:
    """Return the normalized tag (lower case, single spaces); raises ``ValueError`` with a sentence."""
    try:
        tag = normalize_line(text.lower(), MAX_TAG)
    except ValueError as error:
        raise ValueError(f"A tag {error}.") from error
    if "," in tag:
        raise ValueError("A tag cannot contain a comma.")
    return tag


def normalize_tags(texts: Iterable[str]) -> list[str]:
    """Return the distinct tags, sorted; raises ``ValueError`` for an invalid tag or more than ``MAX_TAGS``."""
    tags = sorted({normalize_tag(text) for text in texts})
    if len(tags) > MAX_TAGS:
        raise ValueError(f"A video can have at most {MAX_TAGS} tags.")
    return tags
