"""What people removed from a video, so that no pipeline, import or search brings it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import RemovedItem
from clipviewer.db.statements import upsert

CANDIDATE, CAPTIONS = "candidate", "captions"


def record_removal(
    db: Session, video_id: str, kind: str, name: str, item_id: str, now: datetime, span: tuple[int, int] | None = None
) -> None:
    """Record that a person removed a candidate, by its reference, or captions, by their language. ``span`` is a candidate's range (ms)."""
    start_ms, end_ms = span or (None, None)
    values = {"item_id": item_id, "start_ms": start_ms, "end_ms": end_ms, "removed_at": now}
    row = upsert(db, RemovedItem).values(video_id=video_id, kind=kind, name=name, **values)
    db.execute(row.on_conflict_do_update(index_elements=["video_id", "kind", "name"], set_=values))


def forget_removal(db: Session, video_id: str, kind: str, name: str) -> None:
    """Undo ``record_removal``: a person has brought it back."""
    db.execute(delete(RemovedItem).where(*_of(video_id, kind), col(RemovedItem.name) == name))


def is_removed(db: Session, video_id: str, kind: str, name: str) -> bool:
    """Return whether a person removed it."""
    query = select(col(RemovedItem.item_id)).where(*_of(video_id, kind), col(RemovedItem.name) == name)
    return db.execute(query).one_or_none() is not None


def removed_candidates(db: Session, video_id: str) -> dict[str, str]:
    """Return the former ids of the candidates that people removed from the video, by reference."""
    query = select(col(RemovedItem.name), col(RemovedItem.item_id)).where(*_of(video_id, CANDIDATE))
    return {row.name: row.item_id for row in db.execute(query)}


def removed_items_of(db: Session, video_id: str) -> Sequence[RemovedItem]:
    """Return everything that people removed from the video, in a fixed order."""
    ordered = select(RemovedItem).order_by(col(RemovedItem.kind), col(RemovedItem.name))
    return db.scalars(ordered.where(col(RemovedItem.video_id) == video_id)).all()


def removed_spans(db: Session, video_id: str, origin: str) -> Sequence[Any]:
    """Return the ranges (``start_ms``, ``end_ms``) of removed candidates whose reference begins with ``origin`` and a colon."""
    of_origin = col(RemovedItem.name).startswith(f"{origin}:", autoescape=True)
    return db.execute(select(col(RemovedItem.start_ms), col(RemovedItem.end_ms)).where(*_of(video_id, CANDIDATE), of_origin)).all()


def _of(video_id: str, kind: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(RemovedItem.video_id) == video_id, col(RemovedItem.kind) == kind
