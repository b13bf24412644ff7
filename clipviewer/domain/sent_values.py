"""Which values of a row are a person's, so that no machine may replace them.

Machines are pipelines, imports and searches. The ``sent`` of a row is what machines wrote last, by column, without the values that a person
has changed since: those stay the person's, whatever they are. It is None while no person has changed the row: then all of it is what
machines wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Part = tuple[str, ...]
VIDEO_PARTS: Mapping[str, Part] = {"title": ("title",)}
"""The parts of a video that people can change: the columns of each part, by the name shown to people."""
CANDIDATE_PARTS: Mapping[str, Part] = {"range": ("start_ms", "end_ms"), "title": ("title",)}
"""The same for a candidate. Start and end are one part, so that a person's start is never combined with a machine's end."""
ALL_BY_PERSON: Mapping[str, Any] = {}
"""The ``sent`` of a row that a person made, or of which nobody knows what machines wrote."""


def sent_without(row: Mapping[str, Any], values: Mapping[str, Any], parts: Mapping[str, Part]) -> Mapping[str, Any]:
    """Return the ``sent`` of a row after a person has given it these values; those that are saved unchanged do not become the person's."""
    sent = row["sent"] if row["sent"] is not None else {column: row[column] for part in parts.values() for column in part}
    changed = [part for part in parts.values() if any(values.get(column, row[column]) != row[column] for column in part)]
    return {column: value for column, value in sent.items() if not any(column in part for part in changed)}


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
