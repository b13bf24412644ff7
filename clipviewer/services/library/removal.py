"""Deleted videos that go for good: rows and, as was chosen, their objects.

A row goes after its objects, so what is interrupted can be done again, and nothing in the bucket is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, Video
from clipviewer.domain.export_identity import sidecar_key
from clipviewer.domain.ids import is_id
from clipviewer.domain.removal import KEPT_FOR, Objects
from clipviewer.errors import Conflict, VideoNotFound
from clipviewer.services import audit, work
from clipviewer.services.work import WorkView

KIND = "remove"
_VIDEO = Video.metadata.tables["video"]
_EXPORTED = ExportedClip.metadata.tables["exported_clip"]


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
    query = select(_VIDEO.c.id).where(_VIDEO.c.deleted_at <= now - KEPT_FOR).order_by(_VIDEO.c.deleted_at)
    video_ids = list(db.connection().execute(query).scalars())
    for video_id in video_ids:
        work.ask(db, KIND, video_id, video_id=video_id)
    return len(video_ids)


def doomed(db: Session, video_id: str) -> Doomed | None:
    """What is to be removed; None for a video that is not deleted. Raises ``VideoNotFound``."""
    columns = (_VIDEO.c.id, _VIDEO.c.title, _VIDEO.c.removal, _VIDEO.c.s3_key, _VIDEO.c.poster_key, _VIDEO.c.deleted_at)
    row = db.connection().execute(select(*columns).where(_VIDEO.c.id == video_id)).one_or_none() if is_id(video_id, "video") else None
    if row is None:
        raise VideoNotFound
    if row.deleted_at is None:
        return None
    return Doomed(row.id, row.title, Objects(row.removal or Objects.KEEP), row.s3_key, row.poster_key)


def next_exports(db: Session, video_id: str, ours: str, *, limit: int = 100) -> dict[str, list[str]]:
    """Some of the video's exported clips with the keys of their objects; those under ``ours`` have a sidecar that says what they are."""
    columns = (_EXPORTED.c.id, _EXPORTED.c.s3_key, _EXPORTED.c.captions_key)
    rows = db.connection().execute(select(*columns).where(_EXPORTED.c.video_id == video_id).order_by(_EXPORTED.c.id).limit(limit))
    found: dict[str, list[str]] = {}
    for clip_id, key, captions_key in rows:
        sidecar = sidecar_key(key) if key.startswith(ours) and key.endswith(".mp4") else None
        found[clip_id] = [each for each in (captions_key, sidecar, key) if each]
    return found


def free(db: Session, video_id: str, keys: Collection[str]) -> list[str]:
    """Those of ``keys`` that no other video needs."""
    wanted = list(keys)
    columns = [(_VIDEO, _VIDEO.c.id, name) for name in ("s3_key", "poster_key")]
    columns += [(_EXPORTED, _EXPORTED.c.video_id, name) for name in ("s3_key", "captions_key")]
    needed: set[str] = set()
    for table, owner, name in columns:
        query = select(table.c[name]).where(table.c[name].in_(wanted), owner != video_id)
        needed |= set(db.connection().execute(query).scalars())
    return [key for key in wanted if key not in needed]


def exports_go(db: Session, clip_ids: Sequence[str], now: datetime) -> None:
    """Write down that their files are not to be counted on from here on."""
    db.connection().execute(update(_EXPORTED).where(_EXPORTED.c.id.in_(list(clip_ids))).values(missing_at=now))


def drop_exports(db: Session, clip_ids: Sequence[str]) -> None:
    """Forget exported clips whose objects are gone."""
    db.connection().execute(delete(_EXPORTED).where(_EXPORTED.c.id.in_(list(clip_ids))))


def master_goes(db: Session, video_id: str, now: datetime) -> None:
    """Write down that the master is not to be counted on from here on."""
    db.connection().execute(update(_VIDEO).where(_VIDEO.c.id == video_id).values(missing_at=now))


def drop_video(db: Session, gone: Doomed, *, actor: str = "") -> None:
    """Forget the video and all that belongs to it, its work included; nothing happens to one that is not deleted any more."""
    dropped = db.connection().execute(delete(_VIDEO).where(_VIDEO.c.id == gone.id, _VIDEO.c.deleted_at.is_not(None)))
    if dropped.rowcount:
        audit.record(db, "video_removed", actor=actor, subject=gone.id, objects=gone.objects.value, key=gone.s3_key)
