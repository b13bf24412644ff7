"""Work in the background on the library: asked for, claimed by one worker, reported, finished, called off.

A piece of work may be done again from its beginning: whoever claims it after a worker died starts it anew, as the next attempt. Every
write of an attempt asks in the same statement whether it still owns the work, so one that was called off changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clipviewer.db.models import utc_now
from clipviewer.db.work_models import Work
from clipviewer.domain.ids import is_id, new_id
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.errors import Conflict, NotFound

MAX_ATTEMPTS = 5
_WORK = Work.metadata.tables["work"]


class WorkNotFound(NotFound):
    code, title = "work_not_found", "There is no such work"


@dataclass(frozen=True, slots=True)
class WorkView:
    """A piece of work and how far it is, as ``db.work_models.Work`` describes it."""

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
    requested_by: str
    created_at: datetime
    updated_at: datetime


_COLUMNS = [_WORK.c[field.name] for field in fields(WorkView)]


def ask(
    db: Session,
    kind: str,
    subject: str,
    *,
    video_id: str | None = None,
    given: Mapping[str, Any] | None = None,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> WorkView:
    """Have it done. → the new work, or the one of that kind and subject that is not finished yet."""
    slot, now = f"{kind}:{subject}", clock()
    row = {
        "id": new_id("work"), "kind": kind, "subject": subject, "video_id": video_id, "slot": slot, "given": dict(given or {}),
        "state": JobState.QUEUED.value, "progress": 0.0, "note": "", "log": "", "result": {}, "attempt": 1, "requested_by": actor,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    dialect = postgresql if db.connection().dialect.name == "postgresql" else sqlite
    db.connection().execute(dialect.insert(_WORK).values(row).on_conflict_do_nothing(index_elements=["slot"]))
    return _view(db.connection().execute(select(*_COLUMNS).where(_WORK.c.slot == slot)).one())


def work(db: Session, work_id: str) -> WorkView:
    """One piece of work; raises ``WorkNotFound``."""
    row = db.connection().execute(select(*_COLUMNS).where(_WORK.c.id == work_id)).one_or_none() if is_id(work_id, "work") else None
    if row is None:
        raise WorkNotFound
    return _view(row)


def latest_work(db: Session, video_ids: Collection[str], *kinds: str) -> list[WorkView]:
    """The work on those videos, the newest first."""
    wanted = _WORK.c.video_id.in_(list(video_ids)) & (_WORK.c.kind.in_(kinds) if kinds else _WORK.c.kind.is_not(None))
    return [_view(row) for row in db.connection().execute(select(*_COLUMNS).where(wanted).order_by(_WORK.c.created_at.desc()))]


def unfinished_work(db: Session, *, limit: int = 50) -> list[WorkView]:
    """What waits or is under way, the oldest first."""
    query = select(*_COLUMNS).where(_WORK.c.state.in_(UNFINISHED)).order_by(_WORK.c.created_at, _WORK.c.id).limit(limit)
    return [_view(row) for row in db.connection().execute(query)]


def recent_work(db: Session, *kinds: str, limit: int = 50) -> list[WorkView]:
    """What was asked for, of those kinds or of any, the newest first."""
    query = select(*_COLUMNS).order_by(_WORK.c.created_at.desc(), _WORK.c.id).limit(limit)
    return [_view(row) for row in db.connection().execute(query.where(_WORK.c.kind.in_(kinds)) if kinds else query)]


def cancel(db: Session, work_id: str, clock: Callable[[], datetime] = utc_now) -> WorkView:
    """Call it off; raises ``WorkNotFound``, and ``Conflict`` once it is finished."""
    found = work(db, work_id)
    if not _end(db, work_id, _WORK.c.state.in_(UNFINISHED), clock(), JobState.CANCELLED):
        raise Conflict("This is finished already.")
    return work(db, found.id)


def retry(db: Session, work_id: str, *, actor: str = "", clock: Callable[[], datetime] = utc_now) -> WorkView:
    """Ask again for what failed or was called off. Raises ``WorkNotFound``."""
    found = work(db, work_id)
    return ask(db, found.kind, found.subject, video_id=found.video_id, given=found.given, actor=actor, clock=clock)


def claim_next(db: Session, kinds: Collection[str], now: datetime) -> WorkView | None:
    """Start the work of those kinds that has waited longest; None when there is none, or another worker was quicker."""
    waiting = and_(_WORK.c.state == JobState.QUEUED, _WORK.c.kind.in_(list(kinds)))
    work_id = (
        db.connection().execute(select(_WORK.c.id).where(waiting).order_by(_WORK.c.created_at, _WORK.c.id).limit(1)).scalar_one_or_none()
    )
    started = update(_WORK).where(_WORK.c.id == work_id, _WORK.c.state == JobState.QUEUED)
    values = {"state": JobState.RUNNING, "progress": 0.0, "note": "", "updated_at": now, "alive_at": now}
    if work_id is None or db.connection().execute(started.values(**values)).rowcount != 1:
        return None
    return work(db, work_id)


def is_owned(db: Session, item: WorkView) -> bool:
    """Whether that attempt still owns the work."""
    return db.connection().execute(select(_WORK.c.id).where(_owned(item))).one_or_none() is not None


def report(db: Session, item: WorkView, now: datetime, *, progress: float, note: str = "") -> None:
    """How far it is (0 to 1), and what it does or waits for."""
    db.connection().execute(update(_WORK).where(_owned(item)).values(progress=progress, note=note[:500], updated_at=now, alive_at=now))


def keep_alive(db: Session, item: WorkView, now: datetime) -> None:
    """Say that the worker still works on it."""
    db.connection().execute(update(_WORK).where(_owned(item)).values(alive_at=now))


def finish(db: Session, item: WorkView, now: datetime, result: Mapping[str, Any]) -> bool:
    """Done, with ``result`` as JSON; False, and nothing is written, if the attempt does not own the work any more."""
    return _end(db, item.id, _owned(item), now, JobState.DONE, progress=1.0, note="", result=dict(result))


def fail(db: Session, item: WorkView, now: datetime, reason: str, log: str = "") -> bool:
    """End it with a reason for people."""
    return _end(db, item.id, _owned(item), now, JobState.FAILED, note=reason[:500], log=log[-4_000:])


def give_back(db: Session, item: WorkView, now: datetime) -> None:
    """Let it wait again, as a new attempt: the worker goes away, or has not been heard of for too long."""
    if item.attempt >= MAX_ATTEMPTS:
        fail(db, item, now, "This was interrupted again and again. Look into the server's log, then try again.")
        return
    again = {"state": JobState.QUEUED, "progress": 0.0, "note": "", "attempt": item.attempt + 1, "updated_at": now}
    db.connection().execute(update(_WORK).where(_owned(item)).values(**again))


def lost(db: Session, before: datetime) -> list[WorkView]:
    """What is under way at a worker that was last heard of before that moment."""
    silent = or_(_WORK.c.alive_at.is_(None), _WORK.c.alive_at < before)
    return [_view(row) for row in db.connection().execute(select(*_COLUMNS).where(_WORK.c.state == JobState.RUNNING, silent))]


def forget_failed(db: Session, before: datetime) -> int:
    """Drop the record of what failed or was called off before that moment. → of how many."""
    given_up = _WORK.c.state.in_((JobState.FAILED, JobState.CANCELLED))
    return db.connection().execute(delete(_WORK).where(given_up, _WORK.c.updated_at < before)).rowcount


def _end(db: Session, work_id: str, only_if: ColumnElement[bool], now: datetime, state: JobState, **values: Any) -> bool:
    ended = update(_WORK).where(_WORK.c.id == work_id, only_if).values(state=state, slot=None, updated_at=now, **values)
    return db.connection().execute(ended).rowcount == 1


def _owned(item: WorkView) -> ColumnElement[bool]:
    return and_(_WORK.c.id == item.id, _WORK.c.attempt == item.attempt, _WORK.c.state == JobState.RUNNING)


def _view(row: Row[Any]) -> WorkView:
    return WorkView(**row._mapping)
