"""Why a job failed, and when it is tried again.

A storage that is away, a full disk, or a folder that cannot be used is nobody's fault and passes: the job waits and starts again by
itself. What was refused fails at once; ``jobs.mending`` starts it again when the storage accepts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.domain.job_state import Cause, JobState
from clipviewer.errors import (
    DiskFull,
    FolderUnusable,
    ObjectMissing,
    StorageClock,
    StorageCredentials,
    StorageDenied,
    StorageFull,
    StorageUnreachable,
)
from clipviewer.services.disk import is_full_error
from clipviewer.services.workers import Jobs, Ticket

PAUSES = (15, 30, 60, 120, 300)
"""Seconds before each new try; the last one repeats."""
SPACE_SECONDS = 30
GIVE_UP = timedelta(hours=1)
NO_TIME = timedelta()
_LONG_ENOUGH = timedelta(minutes=5)
_CAUSES: tuple[tuple[type[Exception], Cause], ...] = (
    (DiskFull, Cause.DISK),
    (StorageFull, Cause.DISK),
    (FolderUnusable, Cause.FOLDER),
    (StorageUnreachable, Cause.STORAGE),
    (StorageClock, Cause.CLOCK),
    (StorageCredentials, Cause.CREDENTIALS),
    (StorageDenied, Cause.DENIED),
    (ObjectMissing, Cause.MISSING),
)
_ENDLESS = {Cause.DISK: "there is space", Cause.FOLDER: "it can"}
"""What is tried again without an end, and what a job then waits for."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, for people, and how long it had been under way."""

    cause: Cause
    reason: str
    worked: timedelta


def cause_of(error: Exception) -> Cause:
    """Return the kind of failure."""
    if is_full_error(error):
        return Cause.DISK
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.OTHER)


def postpone(db: Session, model: Jobs, ticket: Ticket, failure: Failure, now: datetime) -> tuple[dict[str, Any], str] | None:
    """Return the columns of the job's next attempt and what to tell people; None if it has failed for good."""
    if failure.cause not in (Cause.STORAGE, *_ENDLESS):
        return None
    row = db.execute(select(col(model.failing_since), col(model.retries)).where(col(model.id) == ticket.id)).one_or_none()
    if row is None:
        return None
    again = row.failing_since is not None and failure.worked < _LONG_ENOUGH
    since, retries = (row.failing_since, row.retries) if again else (now, 0)
    reason = f"{failure.reason.rstrip('.')}."
    if failure.cause in _ENDLESS:
        pause, told = SPACE_SECONDS, f"{reason} This goes on by itself once {_ENDLESS[failure.cause]}."
    elif now - since >= GIVE_UP:
        return None
    else:
        pause, told = PAUSES[min(retries, len(PAUSES) - 1)], f"{reason} Trying again by itself until {since + GIVE_UP:%H:%M} UTC."
    due = now + timedelta(seconds=pause)
    columns = {"state": JobState.QUEUED.value, "progress": 0.0, "attempt": ticket.attempt + 1, "due_at": due}
    return columns | {"failing_since": since, "retries": row.retries + 1 if again else 1, "cause": failure.cause.value}, told


def interruptions(db: Session, model: Jobs, ticket: Ticket) -> int:
    """Return how often the job was started, not counting tries after a failure of the storage."""
    return ticket.attempt - int(db.execute(select(col(model.retries)).where(col(model.id) == ticket.id)).scalar_one_or_none() or 0)


FRESH: dict[str, Any] = {"due_at": None, "failing_since": None, "retries": 0, "cause": ""}
"""The columns of a job that has not failed."""
