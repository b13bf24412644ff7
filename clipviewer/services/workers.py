"""The processes that do jobs, each known by one heartbeat, and the attempts that they own.

An attempt owns its job while the job is running under that attempt's number. Every write asks for that in the same statement, so an attempt
that was cancelled, or whose job was given to another worker, changes nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.statements import count_changed
from clipviewer.db.work_models import Worker

MAX_ATTEMPTS = 10
"""How often a job of any kind is begun before its interruptions are taken for its own fault."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One attempt at one job."""

    id: str
    attempt: int

    @property
    def name(self) -> str:
        """What its workflow and its files are called."""
        return f"{self.id}-{self.attempt}"


def beat(db: Session, worker: str, now: datetime) -> None:
    """Record that the process is alive."""
    if not count_changed(db, update(Worker).where(col(Worker.id) == worker).values(alive_at=now)):
        db.add(Worker(id=worker, alive_at=now))
        db.flush()


def leave(db: Session, worker: str) -> None:
    """Record that the process has ended."""
    db.execute(delete(Worker).where(col(Worker.id) == worker))


def forget_silent(db: Session, before: datetime) -> int:
    """Take processes that were last heard of before that moment for dead; return their count."""
    return count_changed(db, delete(Worker).where(col(Worker.alive_at) < before))


def alive(db: Session) -> set[str]:
    """Return the processes that do jobs."""
    return set(db.execute(select(col(Worker.id))).scalars())


def is_dead(worker: Any) -> ColumnElement[bool]:
    """Return whether the process that the column names is gone."""
    return col(worker).not_in(select(col(Worker.id)))
