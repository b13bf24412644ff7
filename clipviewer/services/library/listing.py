"""List the library: search, filter, sort and count in the database, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Executable, Select, SQLColumnExpression, and_, bindparam, case, func, select, union_all
from sqlalchemy.orm import Mapped, Session, aliased
from sqlmodel import col

from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.export_models import ExportJob
from clipviewer.db.library_models import VideoTally
from clipviewer.db.models import ExportedClip, Video
from clipviewer.db.work_models import Work
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.services.cells.drift import source_changed
from clipviewer.services.library.search_words import matches_search
from clipviewer.services.library.tags import has_tag, tags_by_video

MAX_PAGE = 500

Item = TypeVar("Item")


class SortOrder(StrEnum):
    """Sort orders; the default first."""

    NEWEST = "newest"
    ACTIVITY = "activity"
    TITLE = "title"
    DURATION = "duration"
    EXPORTS = "exports"


class Filter(StrEnum):
    """Which videos to list. All but the last two exclude archived videos, all but the last exclude deleted ones."""

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
class VideoListPage(Generic[Item]):
    """``items`` are the videos from ``offset`` on; ``total`` is the number of all matches."""

    items: Sequence[Item]
    total: int
    offset: int


@dataclass(frozen=True, slots=True)
class VideoSummary:
    """A row of the library. ``duration_ms`` is 0 if unknown; ``previews`` is empty until they are made.

    ``running``, ``failed`` and ``stale`` count exports, ``missing`` the objects that are gone from the bucket, the master included.
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
    s3_key: str
    tags: Sequence[str] = ()
    running: int = 0
    failed: int = 0
    stale: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which videos to list and in which order, optionally with a ``tag``."""

    text: str = ""
    filter: Filter = Filter.ALL
    sort: SortOrder = SortOrder.NEWEST
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """The number of videos for each reason to look at them."""

    failed: int = 0
    stale: int = 0
    missing: int = 0


def list_videos(db: Session, wanted: ListQuery = ListQuery(), *, offset: int = 0, limit: int = 60) -> VideoListPage[VideoSummary]:
    """Return the matching videos from ``offset`` on."""
    offset, limit = max(offset, 0), min(max(limit, 1), MAX_PAGE)
    if not wanted.text.strip() and not wanted.tag:
        page, count = _page_of_all(wanted.filter, wanted.sort)
    else:
        condition = and_(matches_search(db, wanted.text, col(Video.id)), _kept(wanted.filter))
        if wanted.tag:
            condition = and_(condition, has_tag(wanted.tag))
        page, count = _page(condition, wanted.sort, once=bool(wanted.text.strip()))
    rows = db.execute(page, {"page_offset": offset, "page_limit": limit}).all()
    total = rows[0].total if rows else db.execute(count).scalar_one()
    ids = [row.id for row in rows]
    counts, tags = _counts(db, ids), tags_by_video(db, ids)
    told = [dict(zip(_NAMES, row, strict=False)) | counts.get(row.id, {}) for row in rows]
    items = [VideoSummary(**each, tags=tags.get(each["id"], ())) for each in told]
    return VideoListPage(items, total, offset)


def count_attention(db: Session) -> Attention:
    """Count the videos that need attention, without archived and deleted ones."""
    return Attention(*db.execute(_ATTENTION).one())


_COLUMNS = [
    col(Video.id),
    col(Video.title),
    col(Video.duration_ms),
    col(Video.poster_key),
    col(Video.previews),
    col(Video.created_at),
    col(Video.archived_at),
    col(Video.deleted_at),
    col(Video.missing_at),
    col(Video.s3_key),
    col(VideoTally.active_at),
    col(VideoTally.identified).label("identified_count"),
    col(VideoTally.exported).label("exported_count"),
]
_NAMES = [column.name for column in select(*_COLUMNS).selected_columns]
_ORDERS: dict[SortOrder, tuple[SQLColumnExpression[Any], ...]] = {
    SortOrder.NEWEST: (col(Video.created_at).desc(), col(Video.id)),
    SortOrder.ACTIVITY: (col(VideoTally.active_at).desc(), col(VideoTally.video_id).desc()),
    SortOrder.TITLE: (func.lower(col(Video.title)), col(Video.id)),
    SortOrder.DURATION: (col(Video.duration_ms).desc(), col(Video.id).desc()),
    SortOrder.EXPORTS: (col(VideoTally.exported).desc(), col(VideoTally.video_id).desc()),
}
_TROUBLES = (Filter.FAILED, Filter.STALE, Filter.MISSING)
_UNFINISHED = [state.value for state in UNFINISHED]


def _failed_work() -> ColumnElement[bool]:
    """Return failed jobs, except those enqueued again since."""
    later = aliased(Work, name="later")
    same = and_(col(later.video_id) == col(Work.video_id), col(later.kind) == col(Work.kind))
    again = select(col(later.id)).where(same, col(later.created_at) > col(Work.created_at))
    return and_(col(Work.state) == JobState.FAILED, col(Work.video_id).is_not(None), ~again.exists())


_STALE = and_(col(ExportJob.state) == JobState.DONE, source_changed())
"""Of a job beside its video: the file was made from an object that the video is no longer."""
_GONE = col(ExportedClip.missing_at).is_not(None)


def _videos_of(owner: Mapped[str] | Mapped[str | None], condition: SQLColumnExpression[bool]) -> Select[Any]:
    return select(owner).where(condition)


def _union_of_ids(*ids: Select[Any]) -> ColumnElement[bool]:
    """Combine sets of ids, so that the database starts from these few and not from every video."""
    return col(Video.id).in_(union_all(*ids))


_LOST = aliased(Video, name="lost")
_IS_FAILED = (_videos_of(col(ExportJob.video_id), col(ExportJob.state) == JobState.FAILED), _videos_of(col(Work.video_id), _failed_work()))
_IS_STALE = (_videos_of(col(VideoTally.video_id), col(VideoTally.stale)),)
_IS_MISSING = (select(col(_LOST.id)).where(col(_LOST.missing_at).is_not(None)), _videos_of(col(ExportedClip.video_id), _GONE))
_FILTERS: dict[Filter, ColumnElement[bool]] = {
    Filter.ATTENTION: _union_of_ids(*_IS_FAILED, *_IS_STALE, *_IS_MISSING),
    Filter.FAILED: _union_of_ids(*_IS_FAILED),
    Filter.STALE: _union_of_ids(*_IS_STALE),
    Filter.MISSING: _union_of_ids(*_IS_MISSING),
    Filter.RUNNING: _union_of_ids(
        _videos_of(col(ExportJob.video_id), col(ExportJob.state).in_(_UNFINISHED)),
        _videos_of(col(Work.video_id), col(Work.state).in_(_UNFINISHED)),
    ),
    Filter.EXPORTED: _union_of_ids(_videos_of(col(VideoTally.video_id), col(VideoTally.exported) > 0)),
    Filter.CAPTIONED: _union_of_ids(_videos_of(col(VideoCaptions.video_id), col(VideoCaptions.video_id).is_not(None))),
}


def _kept(wanted: Filter) -> ColumnElement[bool]:
    if wanted is Filter.DELETED:
        return col(Video.deleted_at).is_not(None)
    if wanted is Filter.ARCHIVED:
        return and_(col(Video.deleted_at).is_(None), col(Video.archived_at).is_not(None))
    listed = and_(col(Video.deleted_at).is_(None), col(Video.archived_at).is_(None))
    return and_(listed, _FILTERS[wanted]) if wanted in _FILTERS else listed


def _page(condition: ColumnElement[bool], sort: SortOrder, *, once: bool = False) -> tuple[Executable, Executable]:
    """Return the statements for a page of the videos that fulfil ``condition``, and for how many there are.

    ``once``: they are looked for once, for the page and its number, because that is what takes the time.
    """
    count = select(func.count()).select_from(Video).where(condition)
    if once:
        found = select(col(Video.id)).where(condition).cte("found").prefix_with("MATERIALIZED")
        condition, count = col(Video.id).in_(select(found.c.id)), select(func.count()).select_from(found)
    page = (
        select(*_COLUMNS, count.scalar_subquery().label("total"))
        .join(VideoTally, col(VideoTally.video_id) == col(Video.id))
        .where(condition)
        .order_by(*_ORDERS[sort])
    )
    return page.offset(bindparam("page_offset")).limit(bindparam("page_limit")), count


@cache
def _page_of_all(wanted: Filter, sort: SortOrder) -> tuple[Executable, Executable]:
    """Building a statement takes as long as running it."""
    return _page(_kept(wanted), sort)


def _counting() -> list[Executable]:
    """Return the statements that count unfinished jobs and problems per video."""
    jobs = select(
        col(ExportJob.video_id),
        func.sum(_one_if(col(ExportJob.state).in_(_UNFINISHED))).label("running"),
        func.sum(_one_if(col(ExportJob.state) == JobState.FAILED)).label("failed"),
        func.sum(_one_if(_STALE)).label("stale"),
    ).join(Video, col(Video.id) == col(ExportJob.video_id))
    work = select(
        col(Work.video_id),
        func.sum(_one_if(col(Work.state).in_(_UNFINISHED))).label("running"),
        func.sum(_one_if(_failed_work())).label("failed"),
    )
    gone = select(col(ExportedClip.video_id), func.count().label("missing")).where(_GONE)
    owned = ((jobs, col(ExportJob.video_id)), (work, col(Work.video_id)), (gone, col(ExportedClip.video_id)))
    return [query.where(owner.in_(bindparam("video_ids", expanding=True))).group_by(owner) for query, owner in owned]


def _counts(db: Session, video_ids: list[str]) -> dict[str, dict[str, int]]:
    """Count unfinished jobs and problems per video, in three queries."""
    counts: dict[str, dict[str, int]] = {}
    for query in _COUNTS if video_ids else ():
        for row in db.execute(query, {"video_ids": video_ids}):
            found = counts.setdefault(row.video_id, {})
            for name, value in row._mapping.items():
                if name != "video_id":
                    found[name] = found.get(name, 0) + int(value)
    return counts


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


_ATTENTION = select(*(select(func.count()).select_from(Video).where(_kept(name)).scalar_subquery() for name in _TROUBLES))
_COUNTS = _counting()
