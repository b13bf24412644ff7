"""Changes of the library by people: rename, tag, archive, delete, restore.

Every change takes several videos, is written to the audit log, and returns what undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, Video, utc_now
from clipviewer.db.statements import count_changed
from clipviewer.db.work_models import Work
from clipviewer.domain.ids import is_id
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.one_line import normalize_line
from clipviewer.domain.removal import RemovalScope
from clipviewer.domain.sent_values import VIDEO_PARTS, sent_without
from clipviewer.domain.tag import normalize_tag, normalize_tags
from clipviewer.errors import Conflict, Invalid, VideoDeleted, VideoNotFound
from clipviewer.services import audit
from clipviewer.services.cells.board import change
from clipviewer.services.library import video_previews
from clipviewer.services.library.removal import KIND as REMOVAL
from clipviewer.services.library.tags import tags_by_video, write_tags

MAX_TITLE, MAX_VIDEOS = 300, 1_000
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, by id, and from which address."""

    id: str = ""
    address: str = ""


NOBODY = Actor()


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed, with the previous values by video; ``cancelled`` counts cancelled jobs."""

    titles: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    archived: Mapping[str, bool] = field(default_factory=dict)
    deleted: Sequence[str] = ()
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class DeletionStakes:
    """What a deletion affects; sizes are bytes, 0 if unknown."""

    videos: int
    master_bytes: int
    exports: int
    export_bytes: int


def rename(db: Session, video_id: str, title: str, *, by: Actor = NOBODY) -> Changed:
    """Rename a video. Raises ``VideoNotFound``, ``Conflict`` for a deleted one, and ``Invalid``."""
    (row,) = _rows(db, [video_id])
    try:
        wanted = normalize_line(title, MAX_TITLE)
    except ValueError as error:
        raise Invalid(f"The title {error}.") from error
    if wanted == row.title:
        return Changed()
    values = {"title": wanted, "sent": sent_without(row._mapping, {"title": wanted}, VIDEO_PARTS)}
    db.execute(update(Video).where(col(Video.id) == video_id).values(values))
    audit.record(db, "video_renamed", actor=by.id, address=by.address, subject=video_id, title=wanted, before=row.title)
    return Changed(titles={video_id: row.title})


def set_tags(db: Session, video_id: str, tags: Collection[str], *, by: Actor = NOBODY) -> Changed:
    """Set a video's tags. Raises ``VideoNotFound``, ``Conflict`` for a deleted one, and ``Invalid``."""
    return _tag(db, [video_id], lambda _: tags, by)


def change_tags(
    db: Session, video_ids: Collection[str], *, add: Collection[str] = (), remove: Collection[str] = (), by: Actor = NOBODY
) -> Changed:
    """Remove tags from all videos, then add others. Raises as ``set_tags`` does."""

    def wanted(before: Sequence[str]) -> list[str]:
        unwanted = {normalize_tag(tag) for tag in remove}
        return [*(tag for tag in before if tag not in unwanted), *add]

    return _tag(db, video_ids, wanted, by)


def archive(
    db: Session, video_ids: Collection[str], archived: bool = True, *, by: Actor = NOBODY, clock: Callable[[], datetime] = utc_now
) -> Changed:
    """Archive videos, or unarchive them. Raises ``VideoNotFound``, and ``Conflict`` for a deleted one."""
    found = [row for row in _rows(db, video_ids) if (row.archived_at is not None) != archived]
    ids = [row.id for row in found]
    db.execute(update(Video).where(col(Video.id).in_(ids)).values(archived_at=clock() if archived else None))
    for video_id in ids:
        audit.record(db, "video_archived" if archived else "video_unarchived", actor=by.id, address=by.address, subject=video_id)
    return Changed(archived=dict.fromkeys(ids, not archived))


def deletion_stakes(db: Session, video_ids: Collection[str]) -> DeletionStakes:
    """Return what a deletion of these videos affects."""
    ids = list(video_ids)
    videos = select(func.count(), func.coalesce(func.sum(col(Video.size)), 0)).where(col(Video.id).in_(ids))
    exports = select(func.count(), func.coalesce(func.sum(col(ExportedClip.size)), 0)).where(col(ExportedClip.video_id).in_(ids))
    return DeletionStakes(*map(int, db.execute(videos).one()), *map(int, db.execute(exports).one()))


def delete(
    db: Session, video_ids: Collection[str], objects: RemovalScope, *, by: Actor = NOBODY, clock: Callable[[], datetime] = utc_now
) -> Changed:
    """Delete videos, for good after ``domain.removal.KEPT_FOR``; their unfinished jobs are cancelled.

    A deleted one stays deleted, with the new choice of ``objects``. Raises ``VideoNotFound``, and ``Conflict`` for one that is being
    removed.
    """
    rows = _rows(db, video_ids, deleted=True)
    now, ids = clock(), [row.id for row in rows]
    _hold_removal(db, ids, now)
    again = func.coalesce(col(Video.deleted_at), now)
    db.execute(update(Video).where(col(Video.id).in_(ids)).values(deleted_at=again, removal=objects.value))
    for video_id in ids:
        audit.record(db, "video_deleted", actor=by.id, address=by.address, subject=video_id, objects=objects.value)
    return Changed(deleted=[row.id for row in rows if row.deleted_at is None], cancelled=_cancel_jobs(db, ids, now))


def restore(db: Session, video_ids: Collection[str], *, by: Actor = NOBODY, clock: Callable[[], datetime] = utc_now) -> Sequence[str]:
    """Restore deleted videos; return which. Raises ``VideoNotFound``, and ``Conflict`` for one that is being removed."""
    rows = [row for row in _rows(db, video_ids, deleted=True) if row.deleted_at is not None]
    ids = [row.id for row in rows]
    _hold_removal(db, ids, clock())
    db.execute(update(Video).where(col(Video.id).in_(ids)).values(deleted_at=None, removal=""))
    for row in rows:
        audit.record(db, "video_restored", actor=by.id, address=by.address, subject=row.id)
        if not row.previews:
            video_previews.enqueue_previews(db, row.id, actor=by.id)
    return ids


def undo(db: Session, done: Changed, *, by: Actor = NOBODY) -> None:
    """Undo a change. Raises as the changes do."""
    for video_id, title in done.titles.items():
        rename(db, video_id, title, by=by)
    for video_id, tags in done.tags.items():
        set_tags(db, video_id, tags, by=by)
    for before in (True, False):
        ids = [video_id for video_id, was in done.archived.items() if was is before]
        archive(db, ids, before, by=by)
    restore(db, done.deleted, by=by)


def _rows(db: Session, video_ids: Collection[str], *, deleted: bool = False) -> Sequence[Any]:
    """Return the videos, locked until the transaction ends; deleted ones only with ``deleted``."""
    ids = list(dict.fromkeys(video_ids))
    if len(ids) > MAX_VIDEOS:
        raise Invalid(f"This is more than {MAX_VIDEOS} videos at once. Choose fewer.")
    if not all(is_id(video_id, "video") for video_id in ids):
        raise VideoNotFound
    columns = (col(Video.id), col(Video.title), col(Video.sent), col(Video.previews), col(Video.archived_at), col(Video.deleted_at))
    rows = db.execute(select(*columns).where(col(Video.id).in_(ids)).order_by(col(Video.id)).with_for_update()).all()
    there = {row.id for row in rows}
    if missing := [video_id for video_id in ids if video_id not in there]:
        raise VideoNotFound(_describe("Video not found", missing) if len(ids) > 1 else None)
    if gone := [f"{row.title} ({row.id})" for row in rows if row.deleted_at is not None and not deleted]:
        raise VideoDeleted(None if len(ids) == 1 else _describe("These videos were deleted. Restore them first", gone))
    return rows


def _describe(sentence: str, videos: Sequence[str]) -> str:
    """Name one of several videos in an error."""
    more = f" and {len(videos) - _TOLD} more" if len(videos) > _TOLD else ""
    return f"{sentence}: {', '.join(videos[:_TOLD])}{more}."


def _tag(db: Session, video_ids: Collection[str], wanted: Callable[[Sequence[str]], Collection[str]], by: Actor) -> Changed:
    ids = [row.id for row in _rows(db, video_ids)]
    known = tags_by_video(db, ids)
    try:
        after = {video_id: normalize_tags(wanted(known.get(video_id, []))) for video_id in ids}
    except ValueError as error:
        raise Invalid(str(error)) from error
    changed = {video_id: tags for video_id, tags in after.items() if tags != known.get(video_id, [])}
    write_tags(db, changed)
    for video_id, tags in changed.items():
        audit.record(db, "video_tagged", actor=by.id, address=by.address, subject=video_id, tags=", ".join(tags))
    return Changed(tags={video_id: known.get(video_id, []) for video_id in changed})


def _hold_removal(db: Session, video_ids: Sequence[str], now: datetime) -> None:
    """Cancel queued removals; raises ``Conflict`` if one has started."""
    ours = (col(Work.kind) == REMOVAL) & col(Work.subject).in_(list(video_ids))
    waiting = update(Work).where(ours, col(Work.state) == JobState.QUEUED)
    db.execute(waiting.values(state=JobState.CANCELLED, slot=None, updated_at=now))
    if db.execute(select(col(Work.id)).where(ours, col(Work.state) == JobState.RUNNING)).first() is not None:
        raise Conflict("This video is being removed permanently and cannot be restored.")


def _cancel_jobs(db: Session, video_ids: Sequence[str], now: datetime) -> int:
    """Cancel the videos' unfinished jobs; return their number."""
    unfinished = [state.value for state in UNFINISHED]
    jobs = db.execute(
        select(col(ExportJob.id), col(ExportJob.video_id)).where(
            col(ExportJob.video_id).in_(video_ids), col(ExportJob.state).in_(unfinished)
        )
    )
    count = 0
    for job_id, video_id in jobs.all():
        values = {"state": JobState.CANCELLED, "progress": 0.0, "reason": "", "log": ""}
        count += change(db, job_id, video_id, now, col(ExportJob.state).in_(unfinished), **values)
    ended = update(Work).where(col(Work.video_id).in_(video_ids), col(Work.state).in_(unfinished))
    return count + count_changed(db, ended.values(state=JobState.CANCELLED, slot=None, updated_at=now))
