"""Quick start: replace a slow-starting master by a copy of the same footage with the index first.

The former object stays in the bucket, and whoever names it still means the video. The pictures are the same, so exports, previews and
analyses are carried over to the new object. Its metadata name the original, so a library rebuilt from the bucket finds the copy again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, union, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import ClipLook
from clipviewer.db.export_models import ExportJob
from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.domain import quick_copy
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_identity import export_identity
from clipviewer.domain.job_state import UNFINISHED
from clipviewer.domain.quick_copy import Original
from clipviewer.errors import Conflict
from clipviewer.media.source.inspection import Inspection
from clipviewer.services import audit, work
from clipviewer.services.cells.board import framing_of, hold_board
from clipviewer.services.library import video_previews
from clipviewer.services.library.videos import require_video
from clipviewer.services.work import WorkView
from clipviewer.storage.s3 import StoredObject

KIND = "remux"
_OWNERS = ((col(Video.id), col(Video.s3_key)), (col(FormerMaster.video_id), col(FormerMaster.s3_key)))
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class QuickStart:
    """``slow``: the master's index lies at its end; ``size`` is its bytes. ``making`` is the newest job that makes a copy."""

    slow: bool
    size: int
    making: WorkView | None


@dataclass(frozen=True, slots=True)
class QuickCopy:
    """An object whose metadata say that it is the quick-start copy of ``original``. ``there`` is what now lies at the original's key."""

    file: StoredObject
    original: Original
    there: StoredObject | None

    @property
    def replaced_by(self) -> StoredObject | None:
        """What has replaced the original since."""
        return None if self.there is None or self.there.etag == self.original.etag else self.there


def quick_start_of(db: Session, video_id: str) -> QuickStart:
    """Return how the video starts. Raises ``VideoNotFound``."""
    require_video(db, video_id)
    row = db.execute(select(col(Video.media), col(Video.size)).where(col(Video.id) == video_id)).one()
    making = next(iter(work.latest_work(db, [video_id], KIND)), None)
    return QuickStart(bool(row.media.get("slowToStart")), row.size, making)


def enqueue_quick_start(db: Session, video_id: str, *, actor: str = "") -> WorkView:
    """Enqueue a quick-start copy, or return the unfinished job. Raises ``VideoNotFound`` and ``Conflict``."""
    if not quick_start_of(db, video_id).slow:
        raise Conflict("This video already starts quickly.")
    return work.enqueue(db, KIND, video_id, video_id=video_id, actor=actor)


def cancel_quick_start(db: Session, video_id: str) -> bool:
    """Cancel the job; return False if there is none. Raises ``VideoNotFound``."""
    making = quick_start_of(db, video_id).making
    if making is None or making.state not in UNFINISHED:
        return False
    work.cancel(db, making.id)
    return True


def quick_key(key: str, item: WorkView, attempt: int | None = None) -> str:
    """Return the key of the copy made by one attempt of the job: beside ``key``, under a unique name."""
    return quick_copy.quick_key(key, item.id, item.attempt if attempt is None else attempt)


def leftover_keys(db: Session, item: WorkView, key: str) -> list[str]:
    """Return keys beside ``key`` that killed attempts may have left."""
    unfinished = [other for other in work.latest_work(db, [item.subject], KIND) if other.id != item.id and other.state != "done"]
    earlier = [quick_key(key, item, attempt) for attempt in range(1, item.attempt)]
    return earlier + [quick_key(key, other, attempt) for other in unfinished for attempt in range(1, other.attempt + 1)]


def promote_copy(db: Session, item: WorkView, old: StoredObject, new: StoredObject, info: Inspection, now: datetime) -> None:
    """Make ``new`` the master in place of ``old``, with everything made from it.

    Raises ``Conflict`` if ``old`` is no longer the master.
    """
    video_id = item.subject
    hold_board(db, video_id)
    mine = (col(Video.id) == video_id) & (col(Video.s3_key) == old.key)
    previews = db.execute(select(col(Video.previews)).where(mine).with_for_update()).scalar_one_or_none()
    if previews is None:
        raise Conflict("The video's file was replaced meanwhile. Reload the page.")
    if previews.get("etag") != old.etag:
        video_previews.enqueue_previews(db, video_id, actor=item.requested_by)
    _replace_master(db, video_id, Original(old.key, old.etag), new, now, media=video_previews.media_json(info))
    audit.record(db, "master_repacked", actor=item.requested_by, subject=new.key, at=now, video=video_id, before=old.key)


def find_videos_of_copy(db: Session, copy: QuickCopy) -> list[str]:
    """Return the videos that the copy or its original belongs to: usually one, none if both are unknown."""
    keys = (copy.original.key, copy.file.key)
    owners = union(*(select(owner).where(key.in_(keys)) for owner, key in _OWNERS))
    return list(db.execute(owners).scalars())


def record_copy(db: Session, copy: QuickCopy, now: datetime) -> str | None:
    """Record a copy found in the bucket; return the video whose file changed. Idempotent.

    It becomes the master if its original is the file that was copied, or is gone. Otherwise it becomes a former master.
    """
    video_ids = find_videos_of_copy(db, copy)
    if len(video_ids) != 1 or _is_unfinished_copy(db, video_ids[0], copy):
        return None
    (video_id,) = video_ids
    hold_board(db, video_id)
    held = select(col(Video.s3_key), col(Video.etag)).where(col(Video.id) == video_id).with_for_update()
    before = db.execute(held).one()
    if before.s3_key not in (copy.original.key, copy.file.key):
        _record_former_master(db, video_id, Original(copy.file.key, copy.file.etag), before.s3_key, now)
        return None
    if copy.replaced_by is None:
        _replace_master(db, video_id, copy.original, copy.file, now)
    else:
        _record_former_master(db, video_id, Original(copy.file.key, copy.file.etag), copy.original.key, now)
        _set_master(db, video_id, copy.replaced_by)
    present = copy.replaced_by or copy.file
    return video_id if (present.key, present.etag) != (before.s3_key, before.etag) else None


def former_master(db: Session, key: str) -> Mapping[str, Any] | None:
    """Return the video (``video_id``) whose master that object was, and its state at that time (``etag``)."""
    query = select(col(FormerMaster.video_id), col(FormerMaster.etag)).where(col(FormerMaster.s3_key) == key)
    row = db.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def former_keys(db: Session, video_id: str) -> list[str]:
    """Return the former masters that are still in the bucket."""
    return list(db.execute(select(col(FormerMaster.s3_key)).where(col(FormerMaster.video_id) == video_id)).scalars())


def restore_former_master(db: Session, key: str, now: datetime) -> None:
    """Restore a former master: its key now holds something other than what was copied."""
    former = former_master(db, key)
    if former is None:
        return
    of_video = col(Video.id) == former["video_id"]
    present = db.execute(select(col(Video.s3_key), col(Video.etag)).where(of_video)).one()
    db.execute(update(Video).where(of_video).values(s3_key=key))
    _record_former_master(db, former["video_id"], Original(present.s3_key, present.etag), key, now)


def _is_unfinished_copy(db: Session, video_id: str, copy: QuickCopy) -> bool:
    """Return whether a running attempt put it there, and will remove it."""
    unfinished = [other for other in work.latest_work(db, [video_id], KIND) if other.state != "done"]
    attempts = ((other, attempt) for other in unfinished for attempt in range(1, other.attempt + 1))
    return any(quick_key(copy.original.key, other, attempt) == copy.file.key for other, attempt in attempts)


def _replace_master(db: Session, video_id: str, old: Original, new: StoredObject, now: datetime, **values: Any) -> None:
    """Make ``new`` the master, with everything made from ``old``."""
    previews = db.execute(select(col(Video.previews)).where(col(Video.id) == video_id)).scalar_one()
    if previews.get("etag") == old.etag:
        values["previews"] = {**previews, "etag": new.etag}
    _set_master(db, video_id, new, **values)
    _rekey_exports(db, video_id, old.etag, new.etag)
    of_video = col(ClipLook.identified_clip_id).in_(select(col(IdentifiedClip.id)).where(col(IdentifiedClip.video_id) == video_id))
    db.execute(update(ClipLook).where(of_video, col(ClipLook.source_etag) == old.etag).values(source_etag=new.etag))
    _record_former_master(db, video_id, old, new.key, now)


def _set_master(db: Session, video_id: str, master: StoredObject, **values: Any) -> None:
    where = {"s3_key": master.key, "etag": master.etag, "size": master.size, "missing_at": None}
    db.execute(update(Video).where(col(Video.id) == video_id).values(**where, **values))


def _record_former_master(db: Session, video_id: str, former: Original, present: str, now: datetime) -> None:
    """Record ``former`` as the video's master before ``present``."""
    db.execute(delete(FormerMaster).where(col(FormerMaster.s3_key).in_((former.key, present))))
    row = {"s3_key": former.key, "video_id": video_id, "etag": former.etag, "replaced_at": now}
    db.execute(insert(FormerMaster).values(row))


def _rekey_exports(db: Session, video_id: str, old_etag: str, new_etag: str) -> None:
    """Re-key every cell made, or to be made, from the old object to the new one, unless such a cell exists."""
    rows = db.execute(
        select(
            col(ExportJob.id),
            col(ExportJob.start_ms),
            col(ExportJob.end_ms),
            col(ExportJob.aspect_ratio),
            col(ExportJob.target_language),
            col(ExportJob.framing),
            col(ExportJob.captions),
            col(ExportJob.recipe),
        ).where(col(ExportJob.video_id) == video_id, col(ExportJob.source_etag) == old_etag)
    ).all()
    renewed = {
        row.id: export_identity(
            video_id,
            new_etag,
            row.start_ms,
            row.end_ms,
            ratio=AspectRatio(row.aspect_ratio),
            language=row.target_language,
            framing=framing_of(row.framing),
            captions=row.captions,
            recipe=row.recipe,
        )
        for row in rows
    }
    known = list(renewed.items())
    for start in range(0, len(known), _CHUNK):
        chunk = known[start : start + _CHUNK]
        there = set(db.execute(select(col(ExportJob.identity)).where(col(ExportJob.identity).in_([one for _, one in chunk]))).scalars())
        changes = [{"id": job_id, "identity": identity, "source_etag": new_etag} for job_id, identity in chunk if identity not in there]
        if changes:
            db.execute(update(ExportJob), changes)
