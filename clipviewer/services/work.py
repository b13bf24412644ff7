"""Jobs on the library: enqueued by requests, claimed by one worker, reported, finished, failed, cancelled.

A job may be repeated from its beginning: whoever claims it after its worker died starts it as the next attempt. Who owns it:
``services.workers``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import utc_now
from clipviewer.db.statements import count_changed, upsert
from clipviewer.db.work_models import Work
from clipviewer.domain.ids import is_id, new_id
from clipviewer.domain.job_state import UNFINISHED, Cause, JobState
from clipviewer.errors import Conflict, NotFound
from clipviewer.services.retrying import NO_TIME, Failure, interruptions, postpone
from clipviewer.services.workers import MAX_ATTEMPTS, Ticket, claimable, is_due, owned


class Priority(IntEnum):
    """Which job comes first: the smallest number, and among equals the one that has waited longest."""

    SEEN = 1
    """Somebody waits for it on an open page."""
    ASKED = 2
    IDLE = 3
    """Nobody asked for it: it is made while the worker has nothing else to do."""


class WorkNotFound(NotFound):
    code, title = "work_not_found", "Job not found"


@dataclass(frozen=True, slots=True)
class WorkView:
    """A job on the library and its progress, as described by ``db.work_models.Work``."""

    id: str
    kind: str
    subject: str
    video_id: str | None
    given: dict[str, Any]
    state: str
    progress: float
    note: str
    log: str
    result: dict[str, Any]
    attempt: int
    priority: int
    requested_by: str
    created_at: datetime
    updated_at: datetime

    @property
    def ticket(self) -> Ticket:
        """Return the job's current attempt."""
        return Ticket(self.id, self.attempt)


_COLUMNS = [col(getattr(Work, field.name)) for field in fields(WorkView)]


def enqueue(
    db: Session,
    kind: str,
    subject: str,
    *,
    video_id: str | None = None,
    given: Mapping[str, Any] | None = None,
    actor: str = "",
    priority: Priority = Priority.ASKED,
    due_at: datetime | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> WorkView:
    """Enqueue a job that starts at ``due_at`` or at once, or return the unfinished one of the same kind and subject."""
    slot, now = f"{kind}:{subject}", clock()
    row = {
        "id": new_id("work"), "kind": kind, "subject": subject, "video_id": video_id, "slot": slot, "given": dict(given or {}),
        "state": JobState.QUEUED.value, "progress": 0.0, "note": "", "log": "", "result": {}, "attempt": 1, "priority": int(priority),
        "worker": "", "due_at": due_at, "requested_by": actor, "created_at": now, "updated_at": now,
    }  # fmt: skip
    db.execute(upsert(db, Work).values(row).on_conflict_do_nothing(index_elements=["slot"]))
    return _view(db.execute(select(*_COLUMNS).where(col(Work.slot) == slot)).one())


def work(db: Session, work_id: str) -> WorkView:
    """Return one job; raises ``WorkNotFound``."""
    row = db.execute(select(*_COLUMNS).where(col(Work.id) == work_id)).one_or_none() if is_id(work_id, "work") else None
    if row is None:
        raise WorkNotFound
    return _view(row)


def find(db: Session, ticket: Ticket) -> WorkView | None:
    """Return the job, or None unless that attempt is its current one."""
    row = db.execute(select(*_COLUMNS).where(col(Work.id) == ticket.id, col(Work.attempt) == ticket.attempt)).one_or_none()
    return _view(row) if row is not None else None


def latest_work(db: Session, video_ids: Collection[str], *kinds: str) -> list[WorkView]:
    """Return the jobs on those videos, of those kinds or of any, newest first."""
    wanted = col(Work.video_id).in_(list(video_ids)) & (col(Work.kind).in_(kinds) if kinds else col(Work.kind).is_not(None))
    return [_view(row) for row in db.execute(select(*_COLUMNS).where(wanted).order_by(col(Work.created_at).desc()))]


def unfinished_work(db: Session, *, limit: int = 50) -> list[WorkView]:
    """Return queued and running jobs, oldest first."""
    query = select(*_COLUMNS).where(col(Work.state).in_(UNFINISHED)).order_by(col(Work.created_at), col(Work.id)).limit(limit)
    return [_view(row) for row in db.execute(query)]


def recent_work(db: Session, *kinds: str, limit: int = 50) -> list[WorkView]:
    """Return the jobs of those kinds or of any, newest first."""
    query = select(*_COLUMNS).order_by(col(Work.created_at).desc(), col(Work.id)).limit(limit)
    return [_view(row) for row in db.execute(query.where(col(Work.kind).in_(kinds)) if kinds else query)]


def cancel(db: Session, work_id: str, clock: Callable[[], datetime] = utc_now) -> WorkView:
    """Cancel a job; its worker notices within a second. Raises ``WorkNotFound``, and ``Conflict`` once it is finished."""
    found = work(db, work_id)
    if not _end(db, work_id, col(Work.state).in_(UNFINISHED), clock(), JobState.CANCELLED):
        raise Conflict("This job is already finished.")
    return work(db, found.id)


def retry(db: Session, work_id: str, *, actor: str = "", clock: Callable[[], datetime] = utc_now) -> WorkView:
    """Enqueue a failed or cancelled job again, as a new job. Raises ``WorkNotFound``."""
    found = work(db, work_id)
    return enqueue(db, found.kind, found.subject, video_id=found.video_id, given=found.given, actor=actor, clock=clock)


def withdraw(db: Session, kind: str, subject: str) -> None:
    """Delete the job if it has not started: it is not needed any more."""
    db.execute(delete(Work).where(col(Work.slot) == f"{kind}:{subject}", col(Work.state) == JobState.QUEUED))


def queued(db: Session, kinds: Collection[str], limit: int, *, clock: Callable[[], datetime] = utc_now) -> list[WorkView]:
    """Return the queued jobs of those kinds that are due, in the order in which they are to be done."""
    query = select(*_COLUMNS).where(is_due(Work, clock()), col(Work.kind).in_(list(kinds)))
    return [_view(row) for row in db.execute(query.order_by(col(Work.priority), col(Work.created_at), col(Work.id)).limit(limit))]


def claim(db: Session, ticket: Ticket, now: datetime, worker: str = "") -> bool:
    """Start the attempt, or restart it after its process was killed; return False if it is no longer this attempt's turn."""
    values = {"state": JobState.RUNNING.value, "worker": worker, "progress": 0.0, "note": "", "updated_at": now}
    return count_changed(db, update(Work).where(claimable(Work, ticket, worker)).values(**values)) == 1


def is_owned(db: Session, item: WorkView | Ticket) -> bool:
    """Return whether that attempt still owns the job."""
    return db.execute(select(col(Work.id)).where(_owned(item))).one_or_none() is not None


def report(db: Session, item: WorkView | Ticket, now: datetime, *, progress: float, note: str = "") -> None:
    """Record the progress (0 to 1), and in ``note`` what the job does or waits for."""
    db.execute(update(Work).where(_owned(item)).values(progress=progress, note=note[:500], updated_at=now))


def finish(db: Session, item: WorkView | Ticket, now: datetime, result: Mapping[str, Any]) -> bool:
    """Finish the job with ``result`` as JSON; return False, with nothing written, if the attempt does not own it any more."""
    return _end(db, item.id, _owned(item), now, JobState.DONE, progress=1.0, note="", result=dict(result))


def fail(
    db: Session, item: WorkView | Ticket, now: datetime, reason: str, log: str = "", cause: Cause = Cause.OTHER, worked: timedelta = NO_TIME
) -> None:
    """End the job with a reason for people, or enqueue its next attempt if the cause is one that passes.

    ``worked`` is how long the attempt had been under way.
    """
    later = postpone(db, Work, Ticket(item.id, item.attempt), Failure(cause, reason, worked), now)
    if later is not None:
        columns, told = later
        db.execute(update(Work).where(_owned(item)).values(note=told[:500], updated_at=now, **columns))
        return
    history = {"cause": cause.value, "failing_since": func.coalesce(col(Work.failing_since), now)}
    _end(db, item.id, _owned(item), now, JobState.FAILED, note=reason[:500], log=log[-4_000:], **history)


def release(db: Session, item: WorkView | Ticket, now: datetime) -> None:
    """Enqueue the job again as a new attempt, because its worker is stopping or dead."""
    if interruptions(db, Work, Ticket(item.id, item.attempt)) >= MAX_ATTEMPTS:
        fail(db, item, now, "The job was interrupted several times. Check the server log, then try again.")
        return
    again = {"state": JobState.QUEUED.value, "progress": 0.0, "note": "", "attempt": item.attempt + 1, "updated_at": now}
    db.execute(update(Work).where(_owned(item)).values(**again))


def forget_failed(db: Session, before: datetime) -> int:
    """Delete the records of jobs that failed or were cancelled before that moment; return their count."""
    given_up = col(Work.state).in_((JobState.FAILED, JobState.CANCELLED))
    return count_changed(db, delete(Work).where(given_up, col(Work.updated_at) < before))


def _end(db: Session, work_id: str, only_if: ColumnElement[bool], now: datetime, state: JobState, **values: Any) -> bool:
    ended = update(Work).where(col(Work.id) == work_id, only_if).values(state=state.value, slot=None, updated_at=now, **values)
    return count_changed(db, ended) == 1


def _owned(item: WorkView | Ticket) -> ColumnElement[bool]:
    return owned(Work, Ticket(item.id, item.attempt))


def _view(row: Row[Any]) -> WorkView:
    return WorkView(**row._mapping)
