"""Remove deleted videos for good: their rows and, as chosen, their objects.

A row is deleted after its objects, so an interrupted removal can be repeated and nothing in the bucket is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import ExportedClip, Video
from clipviewer.db.statements import count_changed
from clipviewer.domain.export_identity import sidecar_key
from clipviewer.domain.ids import is_id
from clipviewer.domain.removal import KEPT_FOR, RemovalScope
from clipviewer.errors import Conflict, VideoNotFound
from clipviewer.services import audit, work
from clipviewer.services.work import WorkView

KIND = "remove"


@dataclass(frozen=True, slots=True)
class PendingRemoval:
    """A deleted video, and what is removed with it."""

    id: str
    title: str
    objects: RemovalScope
    s3_key: str
    poster_key: str | None


def enqueue_removal(db: Session, video_id: str, *, actor: str = "") -> WorkView:
    """Enqueue the removal of a deleted video. Raises ``VideoNotFound``, and ``Conflict`` if it is not deleted."""
    if pending_removal(db, video_id) is None:
        raise Conflict("This video is not deleted. Delete it first.")
    return work.enqueue(db, KIND, video_id, video_id=video_id, actor=actor)


def enqueue_expired(db: Session, now: datetime) -> int:
    """Enqueue removal of videos past their retention; return the count."""
    query = select(col(Video.id)).where(col(Video.deleted_at) <= now - KEPT_FOR).order_by(col(Video.deleted_at))
    video_ids = list(db.execute(query).scalars())
    for video_id in video_ids:
        work.enqueue(db, KIND, video_id, video_id=video_id)
    return len(video_ids)


def pending_removal(db: Session, video_id: str) -> PendingRemoval | None:
    """Return what is to be removed; None if the video is not deleted. Raises ``VideoNotFound``."""
    columns = (col(Video.id), col(Video.title), col(Video.removal), col(Video.s3_key), col(Video.poster_key), col(Video.deleted_at))
    row = db.execute(select(*columns).where(col(Video.id) == video_id)).one_or_none() if is_id(video_id, "video") else None
    if row is None:
        raise VideoNotFound
    if row.deleted_at is None:
        return None
    return PendingRemoval(row.id, row.title, RemovalScope(row.removal or RemovalScope.KEEP), row.s3_key, row.poster_key)


def next_exports(db: Session, video_id: str, ours: str, *, limit: int = 100) -> dict[str, list[str]]:
    """Return some of the video's exports with their object keys; those under ``ours`` have a sidecar."""
    columns = (col(ExportedClip.id), col(ExportedClip.s3_key), col(ExportedClip.captions_key))
    rows = db.execute(select(*columns).where(col(ExportedClip.video_id) == video_id).order_by(col(ExportedClip.id)).limit(limit))
    found: dict[str, list[str]] = {}
    for clip_id, key, captions_key in rows:
        sidecar = sidecar_key(key) if key.startswith(ours) and key.endswith(".mp4") else None
        found[clip_id] = [each for each in (captions_key, sidecar, key) if each]
    return found


def unshared_keys(db: Session, video_id: str, keys: Collection[str]) -> list[str]:
    """Return those of ``keys`` that no other video needs."""
    wanted = list(keys)
    columns = [(col(Video.id), col(Video.s3_key)), (col(Video.id), col(Video.poster_key))]
    columns += [(col(ExportedClip.video_id), col(ExportedClip.s3_key)), (col(ExportedClip.video_id), col(ExportedClip.captions_key))]
    needed: set[str | None] = set()
    for owner, column in columns:
        needed |= set(db.execute(select(column).where(column.in_(wanted), owner != video_id)).scalars())
    return [key for key in wanted if key not in needed]


def mark_exports_removed(db: Session, clip_ids: Sequence[str], now: datetime) -> None:
    """Record that the exports' files can no longer be relied on."""
    db.execute(update(ExportedClip).where(col(ExportedClip.id).in_(list(clip_ids))).values(missing_at=now))


def delete_exports(db: Session, clip_ids: Sequence[str]) -> None:
    """Delete exports whose objects are gone."""
    db.execute(delete(ExportedClip).where(col(ExportedClip.id).in_(list(clip_ids))))


def mark_master_removed(db: Session, video_id: str, now: datetime) -> None:
    """Record that the master can no longer be relied on."""
    db.execute(update(Video).where(col(Video.id) == video_id).values(missing_at=now))


def delete_video(db: Session, gone: PendingRemoval, *, actor: str = "") -> None:
    """Delete the video and all that belongs to it, its jobs included, unless it is no longer deleted."""
    if count_changed(db, delete(Video).where(col(Video.id) == gone.id, col(Video.deleted_at).is_not(None))):
        audit.record(db, "video_removed", actor=actor, subject=gone.id, objects=gone.objects.value, key=gone.s3_key)
