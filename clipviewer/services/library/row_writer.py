"""Write the rows of a registration, a few statements for thousands of items, and never over what a person changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video, utc_now
from clipviewer.db.statements import refresh_statistics
from clipviewer.domain.ids import new_id
from clipviewer.domain.sent_values import CANDIDATE_PARTS, VIDEO_PARTS, Part, parts_by_person, sent_after
from clipviewer.errors import Conflict

_CHUNK = 500
_MANY = 1_000  # inserted rows after which the planner's statistics are measured anew
_Model = type[Video] | type[IdentifiedClip] | type[ExportedClip] | type[FormerMaster]
_PARTS: Mapping[_Model, Mapping[str, Part]] = {Video: VIDEO_PARTS, IdentifiedClip: CANDIDATE_PARTS}


class Status(StrEnum):
    """The outcome for one item."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REMOVED = "removed"
    MISSING = "missing"
    CONFLICT = "conflict"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one item. ``name`` is its key or reference; without ``id`` nothing was kept and ``detail`` says why.

    ``detail`` also names what was not taken over from a ``kept`` item. The ``id`` of a ``removed`` one is that of the former clip.
    """

    name: str
    id: str
    status: Status
    detail: str = ""


class RowWriter:
    """Sorts items into rows to insert, to update and to keep, and writes each group in one statement."""

    def __init__(self, db: Session, model: _Model, known: dict[str, Mapping[str, Any]]) -> None:
        self.known = known
        self._db, self._model, self._parts = db, model, _PARTS.get(model, {})
        self._seen: set[str] = set()
        self._now = utc_now()
        self._inserts: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []

    def put(
        self, name: str, kind: str, identity: Mapping[str, Any], values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
    ) -> Result:
        """Add an item. A value of None keeps the current one, or the one of ``defaults`` in a new row."""
        if name in self._seen:
            return Result(name, "", Status.INVALID, "This item occurs twice in the request.")
        self._seen.add(name)
        row = self.known.get(name)
        if row is None:
            new = new_id(kind)
            given = {column: value for column, value in values.items() if value is not None}
            self._inserts.append({"id": new, "created_at": self._now, **dict.fromkeys(values), **(defaults or {}), **identity, **given})
            return Result(name, new, Status.CREATED)
        wanted = {column: value for column, value in values.items() if value is not None and row[column] != value}
        if not wanted:
            return Result(name, row["id"], Status.UNCHANGED)
        kept = [part for part in parts_by_person(row, self._parts) if not wanted.keys().isdisjoint(self._parts[part])]
        written = {column: value for column, value in wanted.items() if not any(column in self._parts[part] for part in kept)}
        if written:
            update = {"id": row["id"], **{column: written.get(column, row[column]) for column in values}}
            self._updates.append(update | ({"sent": sent_after(row, written, self._parts)} if self._parts else {}))
        if kept:
            return Result(name, row["id"], Status.KEPT, f"A person has changed the {' and the '.join(kept)}: that stays.")
        return Result(name, row["id"], Status.UPDATED)

    def flush(self) -> None:
        """Write all items. Raises ``Conflict`` if another request has added one of them."""
        try:
            if self._inserts:
                self._db.execute(insert(self._model), self._inserts)
                if len(self._inserts) >= _MANY:
                    refresh_statistics(self._db, self._model)
            if self._updates:
                self._db.execute(update(self._model), self._updates)
        except IntegrityError as error:
            raise Conflict("Another request was registering the same item. Send this one again.") from error


def rows_by_value(
    db: Session, model: _Model, column: str, values: Iterable[str], video_id: str | None = None, *, lock: bool = False
) -> dict[str, Mapping[str, Any]]:
    """Return the rows that have one of ``values`` in ``column``, by that value; with ``lock`` they are locked for the transaction."""
    rows: dict[str, Mapping[str, Any]] = {}
    columns = inspect(model).columns
    query = select(*columns).where(columns[column].in_(bindparam("wanted", expanding=True)))
    if video_id is not None:
        query = query.where(columns["video_id"] == video_id)
    if lock:
        query = query.with_for_update()
    for chunk in _chunks(values):
        rows |= {row[column]: row for row in db.execute(query, {"wanted": chunk}).mappings()}
    return rows


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    left = iter(dict.fromkeys(values))
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
