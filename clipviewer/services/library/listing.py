"""The library: its videos searched, filtered, sorted and counted by the database, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, select, union_all
from sqlmodel import Session

from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.library_models import VideoTally
from clipviewer.db.models import ExportedClip, Video
from clipviewer.db.work_models import Work
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.services.cells.board import JOB
from clipviewer.services.library.search_words import found_by
from clipviewer.services.library.tags import tagged, tags_by_video

VIDEO = Video.metadata.tables["video"]
_TALLY = VideoTally.metadata.tables["video_tally"]
_EXPORTED = ExportedClip.metadata.tables["exported_clip"]
_CAPTIONS = VideoCaptions.metadata.tables["video_captions"]
_WORK = Work.metadata.tables["work"]
MAX_PAGE = 500

Item = TypeVar("Item")


class Sort(StrEnum):
    """In which order; the best known one first."""

    NEWEST = "newest"
    ACTIVITY = "activity"
    TITLE = "title"
    DURATION = "duration"
    EXPORTS = "exports"


class Filter(StrEnum):
    """Which videos. All but the last two leave out what is archived, and all but the last what is deleted."""

    ALL = "all"
    ATTENTION = "attention"
    FAILED = "failed"
    STALE = "stale"
    MISSING = "missing"
    RUNNING = "running"
    EXPORTED = "exported"
    CAPTIONED = "captioned"
    ARCHIVED = "archived"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """``items`` are the ones from ``offset`` on; ``total`` is how many there are altogether."""

    items: Sequence[Item]
    total: int
    offset: int


@dataclass(frozen=True, slots=True)
class VideoSummary:
    """A row of the library. ``duration_ms`` is 0 where it is not known; ``previews`` is empty until they are made.

    ``running``, ``failed`` and ``stale`` count exports, ``missing`` objects that are gone from the bucket, the video's own included.
    """

    id: str
    title: str
    duration_ms: int
    identified_count: int
    exported_count: int
    poster_key: str | None
    previews: Mapping[str, Any]
    created_at: datetime
    active_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None
    missing_at: datetime | None
    tags: Sequence[str] = ()
    running: int = 0
    failed: int = 0
    stale: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which videos are asked for, and in which order; with a ``tag``, those that have it."""

    text: str = ""
    filter: Filter = Filter.ALL
    sort: Sort = Sort.NEWEST
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """How many videos have something that a person should look at."""

    failed: int = 0
    stale: int = 0
    missing: int = 0


def list_videos(db: Session, wanted: Wanted = Wanted(), *, offset: int = 0, limit: int = 60) -> Page[VideoSummary]:
    """The videos that are wanted, from ``offset`` on."""
    offset, limit = max(offset, 0), min(max(limit, 1), MAX_PAGE)
    connection = db.connection()
    condition = and_(found_by(db, wanted.text, VIDEO.c.id), _kept(wanted.filter))
    if wanted.tag:
        condition = and_(condition, tagged(wanted.tag))
    count = select(func.count()).select_from(VIDEO).where(condition)
    if wanted.text.strip():  # Looked for once, for the page and its number: that is what takes the time.
        found = select(VIDEO.c.id).where(condition).cte("found").prefix_with("MATERIALIZED")
        condition, count = VIDEO.c.id.in_(select(found.c.id)), select(func.count()).select_from(found)
    rows = connection.execute(
        select(*_COLUMNS, count.scalar_subquery().label("total"))
        .select_from(VIDEO.join(_TALLY, _TALLY.c.video_id == VIDEO.c.id))
        .where(condition)
        .order_by(*_ORDERS[wanted.sort])
        .offset(offset)
        .limit(limit)
    ).all()
    total = rows[0].total if rows else connection.execute(count).scalar_one()
    ids = [row.id for row in rows]
    counts, tags = _counts(db, ids), tags_by_video(db, ids)
    names = [column.name for column in _COLUMNS]
    told = [dict(zip(names, row, strict=False)) | counts.get(row.id, {}) for row in rows]
    items = [VideoSummary(**each, tags=tags.get(each["id"], ())) for each in told]
    return Page(items, total, offset)


def attention(db: Session) -> Attention:
    """Over the whole library, but for what is archived or deleted."""
    columns = [select(func.count()).select_from(VIDEO).where(_kept(name)).scalar_subquery() for name in _TROUBLES]
    return Attention(*db.connection().execute(select(*columns)).one())


_COLUMNS = [
    *(VIDEO.c[name] for name in ("id", "title", "duration_ms", "poster_key", "previews", "created_at")),
    *(VIDEO.c[name] for name in ("archived_at", "deleted_at", "missing_at")),
    _TALLY.c.active_at,
    _TALLY.c.identified.label("identified_count"),
    _TALLY.c.exported.label("exported_count"),
]
_ORDERS: dict[Sort, tuple[ColumnElement[Any], ...]] = {
    Sort.NEWEST: (VIDEO.c.created_at.desc(), VIDEO.c.id),
    Sort.ACTIVITY: (_TALLY.c.active_at.desc(), _TALLY.c.video_id.desc()),
    Sort.TITLE: (func.lower(VIDEO.c.title), VIDEO.c.id),
    Sort.DURATION: (VIDEO.c.duration_ms.desc(), VIDEO.c.id.desc()),
    Sort.EXPORTS: (_TALLY.c.exported.desc(), _TALLY.c.video_id.desc()),
}
_TROUBLES = (Filter.FAILED, Filter.STALE, Filter.MISSING)
_UNFINISHED = [state.value for state in UNFINISHED]


def _failed_work() -> ColumnElement[bool]:
    """Work that failed, unless the same was asked for again since."""
    later = _WORK.alias("later")
    again = select(later.c.id).where(
        later.c.video_id == _WORK.c.video_id, later.c.kind == _WORK.c.kind, later.c.created_at > _WORK.c.created_at
    )
    return and_(_WORK.c.state == JobState.FAILED, _WORK.c.video_id.is_not(None), ~again.exists())


_STALE = and_(JOB.c.state == JobState.DONE, JOB.c.source_etag != "", VIDEO.c.etag != "", JOB.c.source_etag != VIDEO.c.etag)
"""Of a job beside its video: the file was made from an object that the video is no longer."""
_GONE = _EXPORTED.c.missing_at.is_not(None)


def _videos_of(table: FromClause, condition: ColumnElement[bool]) -> Select[tuple[str]]:
    return select(table.c.video_id).where(condition)


def _any_of(*ids: Select[tuple[str]]) -> ColumnElement[bool]:
    """One set of ids, so that the database begins with the few that there are and not with every video."""
    return VIDEO.c.id.in_(union_all(*ids))


_LOST = VIDEO.alias("lost")
_IS_FAILED = (_videos_of(JOB, JOB.c.state == JobState.FAILED), _videos_of(_WORK, _failed_work()))
_IS_STALE = (_videos_of(_TALLY, _TALLY.c.stale),)
_IS_MISSING = (select(_LOST.c.id).where(_LOST.c.missing_at.is_not(None)), _videos_of(_EXPORTED, _GONE))
_FILTERS: dict[Filter, ColumnElement[bool]] = {
    Filter.ATTENTION: _any_of(*_IS_FAILED, *_IS_STALE, *_IS_MISSING),
    Filter.FAILED: _any_of(*_IS_FAILED),
    Filter.STALE: _any_of(*_IS_STALE),
    Filter.MISSING: _any_of(*_IS_MISSING),
    Filter.RUNNING: _any_of(_videos_of(JOB, JOB.c.state.in_(_UNFINISHED)), _videos_of(_WORK, _WORK.c.state.in_(_UNFINISHED))),
    Filter.EXPORTED: _any_of(_videos_of(_TALLY, _TALLY.c.exported > 0)),
    Filter.CAPTIONED: _any_of(_videos_of(_CAPTIONS, _CAPTIONS.c.video_id.is_not(None))),
}


def _kept(wanted: Filter) -> ColumnElement[bool]:
    if wanted is Filter.DELETED:
        return VIDEO.c.deleted_at.is_not(None)
    if wanted is Filter.ARCHIVED:
        return and_(VIDEO.c.deleted_at.is_(None), VIDEO.c.archived_at.is_not(None))
    listed = and_(VIDEO.c.deleted_at.is_(None), VIDEO.c.archived_at.is_(None))
    return and_(listed, _FILTERS[wanted]) if wanted in _FILTERS else listed


def _counts(db: Session, video_ids: list[str]) -> dict[str, dict[str, int]]:
    """By video what is under way and what is wrong with it, in three queries."""
    counts: dict[str, dict[str, int]] = {}
    if not video_ids:
        return counts
    jobs = select(
        JOB.c.video_id,
        func.sum(_one_if(JOB.c.state.in_(_UNFINISHED))).label("running"),
        func.sum(_one_if(JOB.c.state == JobState.FAILED)).label("failed"),
        func.sum(_one_if(_STALE)).label("stale"),
    ).select_from(JOB.join(VIDEO, VIDEO.c.id == JOB.c.video_id))
    work = select(
        _WORK.c.video_id,
        func.sum(_one_if(_WORK.c.state.in_(_UNFINISHED))).label("running"),
        func.sum(_one_if(_failed_work())).label("failed"),
    )
    gone = select(_EXPORTED.c.video_id, func.count().label("missing")).where(_GONE)
    for query, column in ((jobs, JOB.c.video_id), (work, _WORK.c.video_id), (gone, _EXPORTED.c.video_id)):
        for row in db.connection().execute(query.where(column.in_(video_ids)).group_by(column)):
            found = counts.setdefault(row.video_id, {})
            for name, value in row._mapping.items():
                if name != "video_id":
                    found[name] = found.get(name, 0) + int(value)
    return counts


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)
