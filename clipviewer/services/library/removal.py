"""Deleted videos that go for good: rows and, as was chosen, their objects.

A row goes after its objects, so what is interrupted can be done again, and nothing in the bucket is forgotten.
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
from clipviewer.domain.removal import KEPT_FOR, Objects
from clipviewer.errors import Conflict, VideoNotFound
from clipviewer.services import audit, work
from clipviewer.services.work import WorkView

KIND = "remove"


@dataclass(frozen=True, slots=True)
class Doomed:
    """A deleted video, and what goes with it."""

    id: str
    title: str
    objects: Objects
    s3_key: str
    poster_key: str | None


def ask(db: Session, video_id: str, *, actor: str = "") -> WorkView:
    """Have a deleted video removed now. Raises ``VideoNotFound``, and ``Conflict`` where it is not deleted."""
    if doomed(db, video_id) is None:
        raise Conflict("This video is not deleted. Delete it first.")
    return work.ask(db, KIND, video_id, video_id=video_id, actor=actor)


def ask_due(db: Session, now: datetime) -> int:
    """Have those removed whose time is over. → how many those are."""
    query = select(col(Video.id)).where(col(Video.deleted_at) <= now - KEPT_FOR).order_by(col(Video.deleted_at))
    video_ids = list(db.execute(query).scalars())
    for video_id in video_ids:
        work.ask(db, KIND, video_id, video_id=video_id)
    return len(video_ids)


def doomed(db: Session, video_id: str) -> Doomed | None:
    """What is to be removed; None for a video that is not deleted. Raises ``VideoNotFound``."""
    columns = (col(Video.id), col(Video.title), col(Video.removal), col(Video.s3_key), col(Video.poster_key), col(Video.deleted_at))
    row = db.execute(select(*columns).where(col(Video.id) == video_id)).one_or_none() if is_id(video_id, "video") else None
    if row is None:
        raise VideoNotFound
    if row.deleted_at is None:
        return None
    return Doomed(row.id, row.title, Objects(row.removal or Objects.KEEP), row.s3_key, row.poster_key)


def next_exports(db: Session, video_id: str, ours: str, *, limit: int = 100) -> dict[str, list[str]]:
    """Some of the video's exported clips with the keys of their objects; those under ``ours`` have a sidecar that says what they are."""
    columns = (col(ExportedClip.id), col(ExportedClip.s3_key), col(ExportedClip.captions_key))
    rows = db.execute(select(*columns).where(col(ExportedClip.video_id) == video_id).order_by(col(ExportedClip.id)).limit(limit))
    found: dict[str, list[str]] = {}
    for clip_id, key, captions_key in rows:
        sidecar = sidecar_key(key) if key.startswith(ours) and key.endswith(".mp4") else None
        found[clip_id] = [each for each in (captions_key, sidecar, key) if each]
    return found


def free(db: Session, video_id: str, keys: Collection[str]) -> list[str]:
    """Those of ``keys`` that no other video needs."""
    wanted = list(keys)
    columns = [(col(Video.id), col(Video.s3_key)), (col(Video.id), col(Video.poster_key))]
    columns += [(col(ExportedClip.video_id), col(ExportedClip.s3_key)), (col(ExportedClip.video_id), col(ExportedClip.captions_key))]
    needed: set[str | None] = set()
    for owner, column in columns:
        needed |= set(db.execute(select(column).where(column.in_(wanted), owner != video_id)).scalars())
    return [key for key in wanted if key not in needed]


def exports_go(db: Session, clip_ids: Sequence[str], now: datetime) -> None:
    """Write down that their files are not to be counted on from here on."""
    db.execute(update(ExportedClip).where(col(ExportedClip.id).in_(list(clip_ids))).values(missing_at=now))


def drop_exports(db: Session, clip_ids: Sequence[str]) -> None:
    """Forget exported clips whose objects are gone."""
    db.execute(delete(ExportedClip).where(col(ExportedClip.id).in_(list(clip_ids))))


def master_goes(db: Session, video_id: str, now: datetime) -> None:
    """Write down that the master is not to be counted on from here on."""
    db.execute(update(Video).where(col(Video.id) == video_id).values(missing_at=now))


def drop_video(db: Session, gone: Doomed, *, actor: str = "") -> None:
    """Forget the video and all that belongs to it, its work included; nothing happens to one that is not deleted any more."""
    if count_changed(db, delete(Video).where(col(Video.id) == gone.id, col(Video.deleted_at).is_not(None))):
        audit.record(db, "video_removed", actor=actor, subject=gone.id, objects=gone.objects.value, key=gone.s3_key)
