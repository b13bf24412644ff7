"""What is known of one video. A deleted one is not there for whoever does not ask for it as such."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.ids import is_id
from clipviewer.errors import Conflict, VideoNotFound

_VIDEO = Video.metadata.tables["video"].c
_IDENTIFIED = IdentifiedClip.metadata.tables["identified_clip"].c
_EXPORTED = ExportedClip.metadata.tables["exported_clip"].c


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """A video as its own page shows it. ``frame_rate`` is a fraction such as ``30000/1001``; sizes are pixels; 0 and "" mean unknown.

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
    """One video, with ``deleted`` also one that can still be brought back; raises ``VideoNotFound``."""
    row = db.connection().execute(_DETAILS, {"video_id": video_id}).one_or_none() if is_id(video_id, "video") else None
    if row is None or (row.deleted_at is not None and not deleted):
        raise VideoNotFound
    return VideoDetails(**row._mapping)


def is_kept(video_id: ColumnElement[str]) -> ColumnElement[bool]:
    """A condition of a query: the video of that id is there, and not deleted."""
    return select(_VIDEO.id).where(_VIDEO.id == video_id, _VIDEO.deleted_at.is_(None)).exists()


def require_video(db: Session, video_id: str) -> None:
    """Raises ``VideoNotFound`` unless it is there and not deleted."""
    master_key(db, video_id)


def require_kept(db: Session, video_id: str) -> None:
    """As ``require_video``, for who would change something: raises ``Conflict`` if it was deleted, which says what to do first."""
    query = select(_VIDEO.id, _VIDEO.deleted_at).where(_VIDEO.id == video_id)
    row = db.connection().execute(query).one_or_none() if is_id(video_id, "video") else None
    if row is None:
        raise VideoNotFound
    if row.deleted_at is not None:
        raise Conflict("This video was deleted. Bring it back first.")


def master_key(db: Session, video_id: str) -> str:
    """The object that the video itself is; raises ``VideoNotFound``, also for a deleted one."""
    key = db.connection().execute(_MASTER_KEY, {"video_id": video_id}).scalar_one_or_none() if is_id(video_id, "video") else None
    if key is None:
        raise VideoNotFound
    return str(key)


_MASTER_KEY = select(_VIDEO.s3_key).where(_VIDEO.id == bindparam("video_id"), _VIDEO.deleted_at.is_(None))
_DETAILS = select(
    _VIDEO.id,
    _VIDEO.title,
    _VIDEO.duration_ms,
    select(func.count()).where(_IDENTIFIED.video_id == _VIDEO.id).scalar_subquery().label("identified_count"),
    select(func.count()).where(_EXPORTED.video_id == _VIDEO.id).scalar_subquery().label("exported_count"),
    _VIDEO.poster_key,
    _VIDEO.created_at,
    _VIDEO.s3_key,
    _VIDEO.width,
    _VIDEO.height,
    _VIDEO.frame_rate,
    _VIDEO.archived_at,
    _VIDEO.deleted_at,
    _VIDEO.missing_at,
).where(_VIDEO.id == bindparam("video_id"))
