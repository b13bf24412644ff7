"""What an export worker reads and writes: it claims a queued cell, reports, and publishes, unless the cell was taken from it meanwhile.

An attempt owns its cell as long as the cell is running under that attempt's number. Every write asks for that in the same statement, so
work that was cancelled, or given to another worker, changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from clipviewer.db.export_models import ExportUpload
from clipviewer.db.models import ExportedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_identity import captions_key
from clipviewer.domain.framing import Framing
from clipviewer.domain.job_state import JobState
from clipviewer.errors import Conflict
from clipviewer.services import audit
from clipviewer.services.cells.board import JOB, CellView, cell, change, framing_of
from clipviewer.storage.s3 import StoredObject

MAX_ATTEMPTS = 10
_VIDEO = Video.metadata.tables["video"]
_EXPORTED = ExportedClip.metadata.tables["exported_clip"]
_UPLOAD = ExportUpload.metadata.tables["export_upload"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """One attempt at one cell."""

    job_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that making one file needs. Times are ms of the master."""

    ticket: Ticket
    cell: CellView
    source_key: str
    source_etag: str
    ratio: AspectRatio
    framing: Framing


def queued(db: Session, limit: int) -> list[Ticket]:
    """The cells that wait, the longest waiting first."""
    query = select(JOB.c.id, JOB.c.attempt).where(JOB.c.state == JobState.QUEUED).order_by(JOB.c.created_at, JOB.c.number).limit(limit)
    return [Ticket(*row) for row in db.connection().execute(query)]


def claim(db: Session, ticket: Ticket, now: datetime) -> bool:
    """Start the attempt, or go on with it after the process was killed; False if it is not this attempt's turn any more."""
    video_id = _video_of(db, ticket)
    turn = and_(JOB.c.attempt == ticket.attempt, JOB.c.state.in_((JobState.QUEUED, JobState.RUNNING)))
    return video_id is not None and change(db, ticket.job_id, video_id, now, turn, state=JobState.RUNNING, progress=0.0, alive_at=now)


def order_of(db: Session, ticket: Ticket) -> Order | None:
    """What is to be made; None once the attempt does not own the cell."""
    query = select(_VIDEO.c.s3_key, JOB.c.source_etag).join(_VIDEO, _VIDEO.c.id == JOB.c.video_id)
    row = db.connection().execute(query.where(JOB.c.id == ticket.job_id, _owned(ticket))).one_or_none()
    if row is None:
        return None
    found = cell(db, ticket.job_id)
    return Order(ticket, found, row.s3_key, row.source_etag, AspectRatio(found.aspect_ratio), framing_of(found.framing))


def is_owned(db: Session, ticket: Ticket) -> bool:
    """Whether the attempt still owns its cell."""
    return db.connection().execute(select(JOB.c.id).where(JOB.c.id == ticket.job_id, _owned(ticket))).one_or_none() is not None


def report(db: Session, ticket: Ticket, now: datetime, *, progress: float, note: str = "") -> None:
    """Tell the open rooms how far it is (0 to 1), and in ``note`` what it waits for."""
    if (video_id := _video_of(db, ticket)) is not None:
        change(db, ticket.job_id, video_id, now, _owned(ticket), progress=progress, reason=note, alive_at=now)


def keep_alive(db: Session, tickets: Collection[Ticket], now: datetime) -> None:
    """Say that this process still works on them; nothing that a room shows changes."""
    for ticket in tickets:
        db.connection().execute(update(JOB).where(JOB.c.id == ticket.job_id, _owned(ticket)).values(alive_at=now))


def rendered(db: Session, ticket: Ticket, took_ms: int) -> None:
    """Write down how long the rendering took, for the next estimate; nothing that a room shows changes."""
    db.connection().execute(update(JOB).where(JOB.c.id == ticket.job_id, _owned(ticket)).values(render_ms=took_ms))


def announce_upload(db: Session, ticket: Ticket, keys: Sequence[str]) -> None:
    """Write down which objects the attempt is about to make, so that whatever happens to it, they are found and removed.

    Raises ``Conflict`` when one of them belongs to an exported clip already: that one must be neither overwritten nor removed.
    """
    taken = or_(_EXPORTED.c.s3_key.in_(keys), _EXPORTED.c.captions_key.in_(keys))
    if db.connection().execute(select(_EXPORTED.c.id).where(taken)).first() is not None:
        raise Conflict("This file is there already, as an exported clip.")
    known = set(db.connection().execute(select(_UPLOAD.c.s3_key).where(_UPLOAD.c.s3_key.in_(keys))).scalars())
    for key in keys:
        if key not in known:
            db.add(ExportUpload(s3_key=key, job_id=ticket.job_id, attempt=ticket.attempt))
    db.flush()


def publish(db: Session, order: Order, stored: StoredObject, now: datetime) -> str | None:
    """Make the finished file an exported clip and the cell done. → the clip's id; None, with nothing written, if the cell is not owned."""
    done = order.cell
    if not change(db, done.id, done.video_id, now, _owned(order.ticket), state=JobState.DONE, progress=1.0, reason="", log=""):
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
    db.connection().execute(update(JOB).where(JOB.c.id == done.id).values(exported_clip_id=clip.id))
    _drop_missing(db, clip)
    db.connection().execute(delete(_UPLOAD).where(_UPLOAD.c.job_id == done.id, _UPLOAD.c.attempt == order.ticket.attempt))
    audit.record(db, "exported", actor=done.requested_by, subject=stored.key, at=now, job=done.id)
    return clip.id


def _drop_missing(db: Session, clip: ExportedClip) -> None:
    """Take clips of the same range, shape and language out of the list whose files are gone and that no job stands for any more."""
    same = [_EXPORTED.c[name] == getattr(clip, name) for name in ("video_id", "start_ms", "end_ms", "aspect_ratio", "target_language")]
    stood_for = select(JOB.c.exported_clip_id).where(JOB.c.video_id == clip.video_id, JOB.c.exported_clip_id.is_not(None))
    db.connection().execute(delete(_EXPORTED).where(*same, _EXPORTED.c.missing_at.is_not(None), _EXPORTED.c.id.not_in(stood_for)))


def fail(db: Session, ticket: Ticket, now: datetime, reason: str, log: str = "") -> None:
    """End the attempt with a reason for people; ``log`` is the last lines of what failed."""
    if (video_id := _video_of(db, ticket)) is not None:
        change(db, ticket.job_id, video_id, now, _owned(ticket), state=JobState.FAILED, progress=0.0, reason=reason[:500], log=log[-4_000:])


def give_back(db: Session, ticket: Ticket, now: datetime) -> None:
    """Queue the cell again, as a new attempt: the worker goes away in order, or has not been heard of for too long."""
    if (video_id := _video_of(db, ticket)) is None:
        return
    if ticket.attempt >= MAX_ATTEMPTS:
        fail(db, ticket, now, "The rendering was interrupted again and again. Look into the server's log, then press Retry.")
        return
    change(db, ticket.job_id, video_id, now, _owned(ticket), state=JobState.QUEUED, progress=0.0, reason="", attempt=ticket.attempt + 1)


def lost(db: Session, before: datetime) -> list[Ticket]:
    """The attempts whose worker was last heard of before that moment."""
    silent = or_(JOB.c.alive_at.is_(None), JOB.c.alive_at < before)
    return [Ticket(*row) for row in db.connection().execute(select(JOB.c.id, JOB.c.attempt).where(JOB.c.state == JobState.RUNNING, silent))]


def running(db: Session) -> set[Ticket]:
    """Every attempt that is under way, in any process."""
    return {Ticket(*row) for row in db.connection().execute(select(JOB.c.id, JOB.c.attempt).where(JOB.c.state == JobState.RUNNING))}


def leftovers(db: Session, ticket: Ticket | None = None) -> list[str]:
    """Announced objects that will never be published: of that attempt, or of every attempt that does not own its cell any more."""
    query = select(_UPLOAD.c.s3_key)
    if ticket is not None:
        query = query.where(_UPLOAD.c.job_id == ticket.job_id, _UPLOAD.c.attempt == ticket.attempt)
    else:
        owner = and_(JOB.c.id == _UPLOAD.c.job_id, JOB.c.attempt == _UPLOAD.c.attempt, JOB.c.state.in_((JobState.QUEUED, JobState.RUNNING)))
        query = query.where(~select(JOB.c.id).where(owner).exists())
    return list(db.connection().execute(query).scalars())


def announced_film(db: Session, ticket: Ticket) -> str | None:
    """The key under which the attempt puts its film, once it has said so: its cell may be known by another identity since."""
    mine = (_UPLOAD.c.job_id == ticket.job_id, _UPLOAD.c.attempt == ticket.attempt, _UPLOAD.c.s3_key.endswith(".mp4"))
    return db.connection().execute(select(_UPLOAD.c.s3_key).where(*mine)).scalars().first()


def strike_out(db: Session, keys: Sequence[str]) -> None:
    """Forget announced objects, once they are gone from the bucket."""
    db.connection().execute(delete(_UPLOAD).where(_UPLOAD.c.s3_key.in_(keys)))


def source_changed(db: Session, video_id: str, stored: StoredObject) -> None:
    """Remember that the video's object is another one now, so that what is asked for from here on is made from it."""
    same_object = (_VIDEO.c.id == video_id) & (_VIDEO.c.s3_key == stored.key)
    db.connection().execute(update(_VIDEO).where(same_object).values(etag=stored.etag, size=stored.size))


def _owned(ticket: Ticket) -> ColumnElement[bool]:
    return and_(JOB.c.attempt == ticket.attempt, JOB.c.state == JobState.RUNNING)


def _video_of(db: Session, ticket: Ticket) -> str | None:
    return db.connection().execute(select(JOB.c.video_id).where(JOB.c.id == ticket.job_id)).scalar_one_or_none()
