"""Uploads to the bucket: their state, who may continue them, and how they become videos.

Bytes go from the sender straight to the store, by URLs that each accept one exact part. The key is made here, the video's id is reserved
at the start, and the video exists only once its object was inspected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import Video, utc_now
from clipviewer.db.statements import count_changed
from clipviewer.db.upload_models import VideoUpload
from clipviewer.domain.ids import is_id, new_id
from clipviewer.domain.master_file import MAX_NAME, content_type, master_key, part_count, part_size
from clipviewer.errors import Conflict, Invalid, NotFound
from clipviewer.media.source.media_info import MediaInfo
from clipviewer.services.library.registration import title_from_key
from clipviewer.storage.s3 import StoredObject, StoredPart

MAX_OPEN = 100
"""Maximum unfinished uploads of one sender."""
ABANDONED = timedelta(days=7)
KEPT = timedelta(days=7)
"""How long a finished upload can be queried."""
CHECKING_TAKES = timedelta(minutes=2)
KIND = "upload"
"""The kind of job that completes an upload."""
FIND_CLIPS = "find"
"""The kind of job that finds clips in a video: a team may want it for every video that comes in."""


class State(StrEnum):
    """``OPEN`` accepts parts; ``CHECKING`` is being joined and inspected; the others are final."""

    OPEN = "open"
    CHECKING = "checking"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


UNFINISHED = (State.OPEN, State.CHECKING)


class UploadNotFound(NotFound):
    code, title = "upload_not_found", "Upload not found"


class UploadBusy(Conflict):
    code, title = "upload_busy", "This upload is already being checked"


class UploadRefused(Invalid):
    code, title = "upload_refused", "This file cannot be imported"


@dataclass(frozen=True, slots=True)
class UploadView:
    """An upload as described by ``db.upload_models.VideoUpload``."""

    id: str
    video_id: str
    s3_key: str
    store_id: str
    file_name: str
    size: int
    part_size: int
    content_type: str
    fingerprint: str
    checked: bool
    sender: str
    state: str
    note: str
    created_at: datetime
    updated_at: datetime

    @property
    def part_count(self) -> int:
        return part_count(self.size, self.part_size)

    def part_size_of(self, number: int) -> int:
        """Return the required bytes of part ``number`` (from 1); raises ``Invalid`` if there is no such part."""
        if not 1 <= number <= self.part_count:
            raise Invalid(f"This upload has parts 1 to {self.part_count}.")
        return min(self.part_size, self.size - (number - 1) * self.part_size)


_COLUMNS = [col(getattr(VideoUpload, field.name)) for field in fields(UploadView)]


def plan_upload(
    file_name: str, size: int, fingerprint: str, sender: str, *, prefix: str = "", clock: Callable[[], datetime] = utc_now
) -> UploadView:
    """Return a new upload, not stored yet: its key, parts and the id of its video. Raises ``Invalid`` for an unsupported file."""
    name = PurePosixPath(file_name.replace("\\", "/")).name
    if not name or len(name) > MAX_NAME:
        raise Invalid(f"Give the file a name of 1 to {MAX_NAME} characters.")
    try:
        kind, part = content_type(name), part_size(size)
    except ValueError as error:
        raise Invalid(f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    video_id, now = new_id("video"), clock()
    return UploadView(
        id=new_id("upload"), video_id=video_id, s3_key=master_key(prefix, video_id, name), store_id="", file_name=name, size=size,
        part_size=part, content_type=kind, fingerprint=fingerprint, checked=False, sender=sender, state=State.OPEN.value, note="",
        created_at=now, updated_at=now,
    )  # fmt: skip


def find_resumable(db: Session, plan: UploadView) -> UploadView | None:
    """Return the sender's unfinished upload of the same file, or None. Raises ``Conflict`` if there are too many others."""
    mine = (col(VideoUpload.sender) == plan.sender) & col(VideoUpload.state).in_(UNFINISHED)
    same = (
        (col(VideoUpload.file_name) == plan.file_name)
        & (col(VideoUpload.size) == plan.size)
        & (col(VideoUpload.fingerprint) == plan.fingerprint)
    )
    if plan.fingerprint:
        row = db.execute(select(*_COLUMNS).where(mine & same).order_by(col(VideoUpload.created_at))).first()
        if row is not None:
            return _view(row)
    if db.execute(select(func.count()).select_from(VideoUpload).where(mine)).scalar_one() >= MAX_OPEN:
        raise Conflict(f"You have {MAX_OPEN} unfinished uploads. Finish or cancel some of them first.")
    return None


def begin(db: Session, plan: UploadView, store_id: str, checked: bool) -> UploadView:
    """Store ``plan``, for which the store has opened ``store_id``; ``checked`` if it verifies the checksum of each part."""
    row = {name: getattr(plan, name) for name in (field.name for field in fields(plan))}
    db.execute(insert(VideoUpload).values(row | {"store_id": store_id, "checked": checked}))
    return require_upload(db, plan.id, plan.sender)


def require_upload(db: Session, upload_id: str, sender: str) -> UploadView:
    """Return one upload of ``sender``; raises ``UploadNotFound``, also for somebody else's."""
    mine = (col(VideoUpload.id) == upload_id) & (col(VideoUpload.sender) == sender)
    row = db.execute(select(*_COLUMNS).where(mine)).one_or_none() if is_id(upload_id, "upload") else None
    if row is None:
        raise UploadNotFound
    return _view(row)


def require_open_upload(db: Session, upload_id: str, sender: str) -> UploadView:
    """Return an upload that accepts parts; raises ``Conflict`` otherwise."""
    found = require_upload(db, upload_id, sender)
    if found.state != State.OPEN:
        raise Conflict(refusal_reason(found))
    return found


def refusal_reason(found: UploadView) -> str:
    """Return why an upload accepts no parts."""
    return _WHY_NOT[State(found.state)]


WAS_CANCELLED = "This upload was cancelled. Start a new one."
_WHY_NOT = {
    State.CHECKING: "This upload is complete and is being checked.",
    State.DONE: "This upload is already finished.",
    State.REFUSED: "This file was refused. Choose another file.",
    State.CANCELLED: WAS_CANCELLED,
}


def list_unfinished(db: Session, sender: str) -> list[UploadView]:
    """Return the sender's unfinished uploads, oldest first."""
    mine = (col(VideoUpload.sender) == sender) & col(VideoUpload.state).in_(UNFINISHED)
    return [_view(row) for row in db.execute(select(*_COLUMNS).where(mine).order_by(col(VideoUpload.created_at), col(VideoUpload.id)))]


def touch(db: Session, found: UploadView, now: datetime) -> None:
    """Record that the upload is still active."""
    _write(db, found.id, col(VideoUpload.state) == State.OPEN, now)


def claim(db: Session, found: UploadView, now: datetime) -> bool:
    """Claim the upload for checking; return False if another request has it. A dead claim expires after two minutes."""
    stale = (col(VideoUpload.state) == State.CHECKING) & (col(VideoUpload.updated_at) < now - CHECKING_TAKES)
    return _write(db, found.id, or_(col(VideoUpload.state) == State.OPEN, stale), now, state=State.CHECKING.value)


def take_over(db: Session, found: UploadView, now: datetime) -> bool:
    """Claim the upload for checking, whoever else has; return False once it has ended."""
    return _write(db, found.id, col(VideoUpload.state).in_(UNFINISHED), now, state=State.CHECKING.value)


def reopen(db: Session, found: UploadView, now: datetime) -> bool:
    """Reopen an upload whose parts are missing or whose store did not answer; return False if it was cancelled meanwhile."""
    return _write(db, found.id, col(VideoUpload.state) == State.CHECKING, now, state=State.OPEN.value)


def missing_parts(found: UploadView, parts: Sequence[StoredPart]) -> list[int]:
    """Return the numbers of parts that are missing or wrong."""
    sizes = {part.number: part.size for part in parts}
    return [number for number in range(1, found.part_count + 1) if sizes.get(number) != found.part_size_of(number)]


def finish(db: Session, found: UploadView, stored: StoredObject, info: MediaInfo, now: datetime) -> str:
    """Make the upload a video; return the video's id. Raises ``Conflict`` if it has ended meanwhile."""
    if not _write(db, found.id, col(VideoUpload.state).in_(UNFINISHED), now, state=State.DONE.value, cleared_at=now):
        raise Conflict(WAS_CANCELLED)
    video = Video(
        id=found.video_id,
        title=title_from_key(found.file_name),
        s3_key=found.s3_key,
        etag=stored.etag,
        size=stored.size,
        duration_ms=info.duration_ms,
        width=info.width,
        height=info.height,
        frame_rate=str(info.frame_rate) if info.frame_rate else "",
        created_at=now,
    )
    db.add(video)
    db.flush()
    return video.id


def refuse(db: Session, found: UploadView, reason: str, now: datetime) -> bool:
    """Refuse an upload whose file is not a video; its objects are to be removed. Return False if it has ended meanwhile."""
    return _write(db, found.id, col(VideoUpload.state).in_(UNFINISHED), now, state=State.REFUSED.value, note=reason[:500])


def cancel(db: Session, found: UploadView, now: datetime) -> None:
    """Cancel the upload. Idempotent. Raises ``Conflict`` if it is already a video."""
    open_or_checking = col(VideoUpload.state).in_(UNFINISHED)
    if (
        not _write(db, found.id, open_or_checking, now, state=State.CANCELLED.value)
        and require_upload(db, found.id, found.sender).state == State.DONE
    ):
        raise Conflict(_WHY_NOT[State.DONE])


def mark_cleared(db: Session, found: UploadView, now: datetime) -> None:
    """Record that nothing of the upload is left in the bucket."""
    _write(db, found.id, col(VideoUpload.cleared_at).is_(None), now, cleared_at=now)


def list_to_clear(db: Session, now: datetime, *, limit: int = 100) -> list[UploadView]:
    """Return uploads with possible leftovers: refused, cancelled, or idle for seven days."""
    ended = and_(col(VideoUpload.state).in_((State.REFUSED, State.CANCELLED)), col(VideoUpload.cleared_at).is_(None))
    abandoned = and_(col(VideoUpload.state).in_(UNFINISHED), col(VideoUpload.updated_at) < now - ABANDONED)
    query = select(*_COLUMNS).where(or_(ended, abandoned)).order_by(col(VideoUpload.updated_at)).limit(limit)
    return [_view(row) for row in db.execute(query)]


def list_idle(db: Session, since: datetime, until: datetime, *, limit: int = 100) -> list[UploadView]:
    """Return unfinished uploads whose last activity was in that time."""
    idle = and_(col(VideoUpload.state).in_(UNFINISHED), col(VideoUpload.updated_at) >= since, col(VideoUpload.updated_at) < until)
    return [_view(row) for row in db.execute(select(*_COLUMNS).where(idle).order_by(col(VideoUpload.updated_at)).limit(limit))]


def delete_old_uploads(db: Session, now: datetime) -> None:
    """Delete the rows of uploads that ended a week ago."""
    db.execute(delete(VideoUpload).where(col(VideoUpload.cleared_at) < now - KEPT))


def _write(db: Session, upload_id: str, condition: ColumnElement[bool], now: datetime, **values: object) -> bool:
    """Update the row if ``condition`` holds; return whether it did."""
    change = update(VideoUpload).where(col(VideoUpload.id) == upload_id, condition).values(updated_at=now, **values)
    return count_changed(db, change) == 1


def _view(row: Row[Any]) -> UploadView:
    return UploadView(**row._mapping)
