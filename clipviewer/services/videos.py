"""The library: which videos there are, and what is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, or_, select, true, union_all
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.ids import is_id
from clipviewer.errors import VideoNotFound

_VIDEO = Video.metadata.tables["video"].c
_IDENTIFIED = IdentifiedClip.metadata.tables["identified_clip"].c
_EXPORTED = ExportedClip.metadata.tables["exported_clip"].c
MAX_PAGE = 500

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """``items`` are the ones from ``offset`` on; ``total`` is how many there are altogether."""

    items: Sequence[Item]
    total: int
    offset: int


@dataclass(frozen=True, slots=True)
class VideoSummary:
    """A row of the library. ``duration_ms`` is 0 where it is not known."""

    id: str
    title: str
    duration_ms: int
    identified_count: int
    exported_count: int
    poster_key: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """A video as its own page shows it. ``frame_rate`` is a fraction such as ``30000/1001``; sizes are pixels; 0 and "" mean unknown."""

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


def list_videos(db: Session, *, search: str = "", offset: int = 0, limit: int = 60) -> Page[VideoSummary]:
    """The newest videos first; with ``search`` only those whose title contains it, whatever the case."""
    offset, limit = max(offset, 0), min(max(limit, 1), MAX_PAGE)
    try:
        wanted = _title_contains(search)
    except ValueError:
        return Page((), 0, offset)
    connection = db.connection()
    total = connection.execute(select(func.count()).select_from(_VIDEO.id.table).where(wanted)).scalar_one()
    rows = connection.execute(
        select(_VIDEO.id, _VIDEO.title, _VIDEO.duration_ms, _VIDEO.poster_key, _VIDEO.created_at)
        .where(wanted)
        .order_by(_VIDEO.created_at.desc(), _VIDEO.id)
        .offset(offset)
        .limit(limit)
    ).all()
    counts = _clip_counts(db, [row.id for row in rows])
    items = [VideoSummary(row.id, row.title, row.duration_ms, *counts.get(row.id, (0, 0)), row.poster_key, row.created_at) for row in rows]
    return Page(items, total, offset)


def video_details(db: Session, video_id: str) -> VideoDetails:
    """One video; raises ``VideoNotFound``."""
    row = db.connection().execute(_DETAILS, {"video_id": video_id}).one_or_none() if is_id(video_id, "video") else None
    if row is None:
        raise VideoNotFound
    return VideoDetails(**row._mapping)


def require_video(db: Session, video_id: str) -> None:
    """Raises ``VideoNotFound`` unless it is there."""
    master_key(db, video_id)


def master_key(db: Session, video_id: str) -> str:
    """The object that the video itself is; raises ``VideoNotFound``."""
    key = db.connection().execute(_MASTER_KEY, {"video_id": video_id}).scalar_one_or_none() if is_id(video_id, "video") else None
    if key is None:
        raise VideoNotFound
    return str(key)


_MASTER_KEY = select(_VIDEO.s3_key).where(_VIDEO.id == bindparam("video_id"))
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
).where(_VIDEO.id == bindparam("video_id"))


def _clip_counts(db: Session, video_ids: list[str]) -> dict[str, tuple[int, int]]:
    """Identified and exported clips per video, in one query."""
    if not video_ids:
        return {}
    kinds = union_all(
        select(_IDENTIFIED.video_id, literal(0).label("kind")).where(_IDENTIFIED.video_id.in_(video_ids)),
        select(_EXPORTED.video_id, literal(1)).where(_EXPORTED.video_id.in_(video_ids)),
    ).subquery()
    exported = func.sum(kinds.c.kind)
    query = select(kinds.c.video_id, func.count() - exported, exported).group_by(kinds.c.video_id)
    return {video_id: (identified, count) for video_id, identified, count in db.connection().execute(query)}


def _title_contains(search: str) -> ColumnElement[bool]:
    """Each word of ``search`` somewhere in the title. Raises ``ValueError`` for what no title can contain.

    SQLite folds the case of ASCII only, and so does PostgreSQL in the C locale: the usual ways to write a word are asked for one by one.
    """
    if "\0" in search:
        raise ValueError("no title has a NUL in it")
    search.encode()
    words = search.split()[:10]
    return and_(
        true(), *(or_(*(_VIDEO.title.icontains(form, autoescape=True) for form in {w, w.lower(), w.upper(), w.title()})) for w in words)
    )
