"""Which values of a row are a person's, so that no machine may replace them.

Machines are pipelines, imports and searches. The ``sent`` of a row is what machines had written when a person first changed it, by column.
It is None while nobody has: then the row is what machines wrote. A value is a person's while it differs from the one in ``sent``; one that
``sent`` does not have is always a person's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Part = tuple[str, ...]
VIDEO_PARTS: Mapping[str, Part] = {"title": ("title",)}
"""What people can change of a video: the columns of each part, by its name for people."""
CANDIDATE_PARTS: Mapping[str, Part] = {"range": ("start_ms", "end_ms"), "title": ("title",)}
"""What people can change of a candidate. Its range is one value: half of a person's and half of a machine's would be neither's."""
ALL_BY_PERSON: Mapping[str, Any] = {}
"""The ``sent`` of a row that a person made, or of which nobody knows what machines wrote."""


def sent_before(row: Mapping[str, Any], parts: Mapping[str, Part]) -> Mapping[str, Any]:
    """Return the ``sent`` of a row that a person is about to change."""
    sent: Mapping[str, Any] | None = row["sent"]
    return sent if sent is not None else {column: row[column] for part in parts.values() for column in part}


def parts_by_person(row: Mapping[str, Any], parts: Mapping[str, Part]) -> list[str]:
    """Return the names of the parts that are a person's."""
    sent = row.get("sent")
    if sent is None:
        return []
    return [name for name, part in parts.items() if any(column not in sent or row[column] != sent[column] for column in part)]


def sent_after(row: Mapping[str, Any], written: Mapping[str, Any], parts: Mapping[str, Part]) -> Mapping[str, Any] | None:
    """Return the ``sent`` of a row after a machine has written these values, none of them a person's."""
    sent = row.get("sent")
    if sent is None:
        return None
    return {**sent, **{column: written[column] for part in parts.values() for column in part if column in written}}
