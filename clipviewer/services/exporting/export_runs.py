"""What a worker reads and writes of an export: it claims a queued cell, reports, and publishes while it owns the cell.

Who owns a cell: ``services.workers``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob, ExportUpload
from clipviewer.db.models import ExportedClip, Video, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_identity import captions_key
from clipviewer.domain.framing import Framing
from clipviewer.domain.job_state import Cause, JobState
from clipviewer.errors import Conflict
from clipviewer.services import audit
from clipviewer.services.cells.board import CellView, cell, change, framing_of
from clipviewer.services.retrying import NO_TIME, Failure, interruptions, postpone
from clipviewer.services.workers import MAX_ATTEMPTS, Ticket, claimable, is_due, owned
from clipviewer.storage.s3 import StoredObject


@dataclass(frozen=True, slots=True)
class Order:
    """Everything needed to make one file. Times are ms of the master."""

    ticket: Ticket
    cell: CellView
    source_key: str
    source_etag: str
    ratio: AspectRatio
    framing: Framing


def queued(db: Session, limit: int, *, clock: Callable[[], datetime] = utc_now) -> list[Ticket]:
    """Return the queued cells that are due, the longest waiting first."""
    query = (
        select(col(ExportJob.id), col(ExportJob.attempt))
        .where(is_due(ExportJob, clock()))
        .order_by(col(ExportJob.created_at), col(ExportJob.number))
        .limit(limit)
    )
    return [Ticket(*row) for row in db.execute(query)]


def claim(db: Session, ticket: Ticket, now: datetime, worker: str = "") -> bool:
    """Start the attempt, or resume it after its process was killed; return False if it is no longer this attempt's turn."""
    if (video_id := _video_of(db, ticket)) is None:
        return False
    turn = claimable(ExportJob, ticket, worker)
    return change(db, ticket.id, video_id, now, turn, state=JobState.RUNNING, progress=0.0, reason="", worker=worker)


def order_of(db: Session, ticket: Ticket) -> Order | None:
    """Return what to make; None once the attempt does not own the cell."""
    query = select(col(Video.s3_key), col(ExportJob.source_etag)).join(Video, col(Video.id) == col(ExportJob.video_id))
    row = db.execute(query.where(owned(ExportJob, ticket))).one_or_none()
    if row is None:
        return None
    found = cell(db, ticket.id)
    return Order(ticket, found, row.s3_key, row.source_etag, AspectRatio(found.aspect_ratio), framing_of(found.framing))


def is_owned(db: Session, ticket: Ticket) -> bool:
    """Return whether the attempt still owns its cell."""
    return db.execute(select(col(ExportJob.id)).where(owned(ExportJob, ticket))).one_or_none() is not None


def report(db: Session, ticket: Ticket, now: datetime, *, progress: float, note: str = "") -> None:
    """Record the progress (0 to 1), and in ``note`` what the export waits for."""
    if (video_id := _video_of(db, ticket)) is not None:
        change(db, ticket.id, video_id, now, owned(ExportJob, ticket), progress=progress, reason=note)


def rendered(db: Session, ticket: Ticket, took_ms: int) -> None:
    """Record how long the rendering took, for the next estimate; nothing that a room shows changes."""
    db.execute(update(ExportJob).where(owned(ExportJob, ticket)).values(render_ms=took_ms))


def announce_upload(db: Session, ticket: Ticket, keys: Sequence[str]) -> None:
    """Record the objects that the attempt is about to write, so that they are found and removed whatever happens to it.

    Raises ``Conflict`` if one of them belongs to an exported clip: it must be neither overwritten nor removed.
    """
    taken = or_(col(ExportedClip.s3_key).in_(keys), col(ExportedClip.captions_key).in_(keys))
    if db.execute(select(col(ExportedClip.id)).where(taken)).first() is not None:
        raise Conflict("This file already exists as an exported clip.")
    known = set(db.execute(select(col(ExportUpload.s3_key)).where(col(ExportUpload.s3_key).in_(keys))).scalars())
    for key in keys:
        if key not in known:
            db.add(ExportUpload(s3_key=key, job_id=ticket.id, attempt=ticket.attempt))
    db.flush()


def publish(db: Session, order: Order, stored: StoredObject, now: datetime) -> str | None:
    """Make the finished file an exported clip and the cell done. Return the clip's id; None, with nothing written, if not owned."""
    done = order.cell
    if not change(db, done.id, done.video_id, now, owned(ExportJob, order.ticket), state=JobState.DONE, progress=1.0, reason="", log=""):
        return None
    clip = ExportedClip(
        video_id=done.video_id,
        identified_clip_id=done.identified_clip_id,
        start_ms=done.start_ms,
        end_ms=done.end_ms,
        title=done.title,
        s3_key=stored.key,
        etag=stored.etag,
        size=stored.size,
        aspect_ratio=done.aspect_ratio,
        target_language=done.target_language,
        captions_key=captions_key(stored.key) if done.captions else None,
        created_at=now,
    )
    db.add(clip)
    db.flush()
    db.execute(update(ExportJob).where(col(ExportJob.id) == done.id).values(exported_clip_id=clip.id))
    _drop_missing(db, clip)
    db.execute(delete(ExportUpload).where(col(ExportUpload.job_id) == done.id, col(ExportUpload.attempt) == order.ticket.attempt))
    audit.record(db, "exported", actor=done.requested_by, subject=stored.key, at=now, job=done.id)
    return clip.id


def _drop_missing(db: Session, clip: ExportedClip) -> None:
    """Delete clips of the same range, shape and language whose files are gone and that no job refers to."""
    same = [
        col(getattr(ExportedClip, name)) == getattr(clip, name)
        for name in ("video_id", "start_ms", "end_ms", "aspect_ratio", "target_language")
    ]
    stood_for = select(col(ExportJob.exported_clip_id)).where(
        col(ExportJob.video_id) == clip.video_id, col(ExportJob.exported_clip_id).is_not(None)
    )
    db.execute(delete(ExportedClip).where(*same, col(ExportedClip.missing_at).is_not(None), col(ExportedClip.id).not_in(stood_for)))


def fail(
    db: Session, ticket: Ticket, now: datetime, reason: str, log: str = "", cause: Cause = Cause.OTHER, worked: timedelta = NO_TIME
) -> None:
    """End the attempt with a reason for people, or queue its cell again if the cause is one that passes.

    ``log`` is the end of the failed tool's output, ``worked`` how long the attempt had been under way.
    """
    if (video_id := _video_of(db, ticket)) is None:
        return
    later = postpone(db, ExportJob, ticket, Failure(cause, reason, worked), now)
    columns, told = later if later is not None else (_failed(cause, now), reason)
    change(db, ticket.id, video_id, now, owned(ExportJob, ticket), reason=told[:500], log=log[-4_000:], **columns)


def _failed(cause: Cause, now: datetime) -> dict[str, Any]:
    since = func.coalesce(col(ExportJob.failing_since), now)
    return {"state": JobState.FAILED, "progress": 0.0, "cause": cause.value, "failing_since": since}


def release(db: Session, ticket: Ticket, now: datetime) -> None:
    """Queue the cell again, as a new attempt, because its worker is stopping or dead."""
    if (video_id := _video_of(db, ticket)) is None:
        return
    if interruptions(db, ExportJob, ticket) >= MAX_ATTEMPTS:
        fail(db, ticket, now, "The rendering was interrupted several times. Check the server log, then press Retry.")
        return
    change(
        db, ticket.id, video_id, now, owned(ExportJob, ticket), state=JobState.QUEUED, progress=0.0, reason="", attempt=ticket.attempt + 1
    )


def leftovers(db: Session, ticket: Ticket | None = None) -> list[str]:
    """Return announced objects that will never be published: of that attempt, or of every attempt that does not own its cell."""
    query = select(col(ExportUpload.s3_key))
    if ticket is not None:
        query = query.where(col(ExportUpload.job_id) == ticket.id, col(ExportUpload.attempt) == ticket.attempt)
    else:
        owner = and_(
            col(ExportJob.id) == col(ExportUpload.job_id),
            col(ExportJob.attempt) == col(ExportUpload.attempt),
            col(ExportJob.state).in_((JobState.QUEUED, JobState.RUNNING)),
        )
        query = query.where(~select(col(ExportJob.id)).where(owner).exists())
    return list(db.execute(query).scalars())


def announced_film(db: Session, ticket: Ticket) -> str | None:
    """Return the key that the attempt has announced for its video file: its cell may have another identity by now."""
    mine = (col(ExportUpload.job_id) == ticket.id, col(ExportUpload.attempt) == ticket.attempt, col(ExportUpload.s3_key).endswith(".mp4"))
    return db.execute(select(col(ExportUpload.s3_key)).where(*mine)).scalars().first()


def strike_out(db: Session, keys: Sequence[str]) -> None:
    """Delete the records of announced objects that are gone from the bucket."""
    db.execute(delete(ExportUpload).where(col(ExportUpload.s3_key).in_(keys)))


def source_changed(db: Session, video_id: str, stored: StoredObject) -> None:
    """Record that the video's object has changed, so that later exports are made from the new one."""
    same_object = (col(Video.id) == video_id) & (col(Video.s3_key) == stored.key)
    db.execute(update(Video).where(same_object).values(etag=stored.etag, size=stored.size))


def _video_of(db: Session, ticket: Ticket) -> str | None:
    return db.execute(select(col(ExportJob.video_id)).where(col(ExportJob.id) == ticket.id)).scalar_one_or_none()
