"""Details of one video. Deleted videos are found only on request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, bindparam, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.ids import is_id
from clipviewer.errors import VideoDeleted, VideoNotFound


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """A video as its page shows it. ``frame_rate`` is a fraction such as ``30000/1001``; sizes are pixels; 0 and "" mean unknown.

    ``missing_at``: its object was found to be gone.
    """

    id: str
    title: str
    duration_ms: int
    identified_count: int
    exported_count: int
    poster_key: str | None
    created_at: datetime
    s3_key: str
    width: int
    height: int
    frame_rate: str
    archived_at: datetime | None
    deleted_at: datetime | None
    missing_at: datetime | None


def video_details(db: Session, video_id: str, *, deleted: bool = False) -> VideoDetails:
    """Return one video, with ``deleted`` also one that can still be restored; raises ``VideoNotFound``."""
    row = db.execute(_DETAILS, {"video_id": video_id}).one_or_none() if is_id(video_id, "video") else None
    if row is None or (row.deleted_at is not None and not deleted):
        raise VideoNotFound
    return VideoDetails(**row._mapping)


def is_kept(video_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Return a condition that the video of that id exists and is not deleted."""
    return select(col(Video.id)).where(col(Video.id) == video_id, col(Video.deleted_at).is_(None)).exists()


def require_video(db: Session, video_id: str) -> None:
    """Raise ``VideoNotFound`` unless the video exists and is not deleted."""
    master_key(db, video_id)


def require_changeable(db: Session, video_id: str) -> None:
    """Run ``require_video`` before a change: raises ``VideoDeleted``, which says what to do, for a deleted video."""
    query = select(col(Video.id), col(Video.deleted_at)).where(col(Video.id) == video_id)
    row = db.execute(query).one_or_none() if is_id(video_id, "video") else None
    if row is None:
        raise VideoNotFound
    if row.deleted_at is not None:
        raise VideoDeleted


def master_key(db: Session, video_id: str) -> str:
    """Return the key of the video's master; raises ``VideoNotFound``, also for a deleted one."""
    key = db.execute(_MASTER_KEY, {"video_id": video_id}).scalar_one_or_none() if is_id(video_id, "video") else None
    if key is None:
        raise VideoNotFound
    return str(key)


_MASTER_KEY = select(col(Video.s3_key)).where(col(Video.id) == bindparam("video_id"), col(Video.deleted_at).is_(None))
_DETAILS = select(
    col(Video.id),
    col(Video.title),
    col(Video.duration_ms),
    select(func.count()).where(col(IdentifiedClip.video_id) == col(Video.id)).scalar_subquery().label("identified_count"),
    select(func.count()).where(col(ExportedClip.video_id) == col(Video.id)).scalar_subquery().label("exported_count"),
    col(Video.poster_key),
    col(Video.created_at),
    col(Video.s3_key),
    col(Video.width),
    col(Video.height),
    col(Video.frame_rate),
    col(Video.archived_at),
    col(Video.deleted_at),
    col(Video.missing_at),
).where(col(Video.id) == bindparam("video_id"))
