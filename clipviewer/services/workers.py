"""The processes that do jobs, each with one heartbeat, and the attempts that they own.

An attempt owns its job while the job is running under that attempt's number. Every write checks that in the same statement, so an attempt
that was cancelled, or whose job was given to another worker, changes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.statements import count_changed
from clipviewer.db.work_models import Work, Worker
from clipviewer.domain.job_state import JobState

MAX_ATTEMPTS = 10
"""How often a job is started before its interruptions count as its own fault."""

ANSWERS_WITHIN = timedelta(minutes=2)
"""How long a process may be silent before people are told that nothing moves."""


Jobs = type[ExportJob] | type[Work]
"""A table of jobs and their progress."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One attempt at one job."""

    id: str
    attempt: int

    @property
    def name(self) -> str:
        """Return the name of its workflow and its files."""
        return f"{self.id}-{self.attempt}"


def beat(db: Session, worker: str, now: datetime, problem: str = "") -> None:
    """Record that the process is alive; ``problem`` says in a sentence why it can do no jobs."""
    if not count_changed(db, update(Worker).where(col(Worker.id) == worker).values(alive_at=now, problem=problem)):
        db.add(Worker(id=worker, alive_at=now, problem=problem))
        db.flush()


def leave(db: Session, worker: str) -> None:
    """Record that the process has ended."""
    db.execute(delete(Worker).where(col(Worker.id) == worker))


def forget_silent(db: Session, before: datetime) -> int:
    """Treat processes without a heartbeat since that moment as dead; return their count."""
    return count_changed(db, delete(Worker).where(col(Worker.alive_at) < before))


def alive(db: Session) -> set[str]:
    """Return the processes that do jobs."""
    return set(db.execute(select(col(Worker.id))).scalars())


def trouble(db: Session, now: datetime, started_at: datetime) -> str:
    """Return why no job moves, as the end of a sentence; "" if a process does jobs.

    A process that began at ``started_at`` has not had its first heartbeat yet.
    """
    rows = db.execute(select(col(Worker.alive_at), col(Worker.problem))).all()
    if any(row.alive_at > now - ANSWERS_WITHIN and not row.problem for row in rows):
        return ""
    if problem := next((row.problem for row in rows if row.alive_at > now - ANSWERS_WITHIN), ""):
        return str(problem)
    silent = now - max([started_at, *(row.alive_at for row in rows)])
    return "" if silent < ANSWERS_WITHIN else f"no worker has answered for {silent // timedelta(minutes=1)} minutes."


def is_due(model: Jobs, now: datetime) -> ColumnElement[bool]:
    """Return the condition that the job is queued and does not wait for a later moment."""
    return and_(col(model.state) == JobState.QUEUED, or_(col(model.due_at).is_(None), col(model.due_at) <= now))


def owned(model: Jobs, ticket: Ticket) -> ColumnElement[bool]:
    """Return the condition that the attempt owns its job."""
    return and_(col(model.id) == ticket.id, col(model.attempt) == ticket.attempt, col(model.state) == JobState.RUNNING)


def claimable(model: Jobs, ticket: Ticket, worker: str) -> ColumnElement[bool]:
    """Return the condition that it is the attempt's turn: its job is queued, or the process was killed during this very attempt."""
    mine = and_(col(model.state) == JobState.RUNNING, col(model.worker) == worker)
    return and_(col(model.id) == ticket.id, col(model.attempt) == ticket.attempt, or_(col(model.state) == JobState.QUEUED, mine))


def running(db: Session, model: Jobs, worker: str | None = None) -> list[Ticket]:
    """Return the running attempts, of that process or of any."""
    query = select(col(model.id), col(model.attempt)).where(col(model.state) == JobState.RUNNING)
    return [Ticket(*row) for row in db.execute(query if worker is None else query.where(col(model.worker) == worker))]


def lost(db: Session, model: Jobs) -> list[Ticket]:
    """Return the attempts whose process is dead."""
    dead = col(model.worker).not_in(select(col(Worker.id)))
    return [Ticket(*row) for row in db.execute(select(col(model.id), col(model.attempt)).where(col(model.state) == JobState.RUNNING, dead))]
