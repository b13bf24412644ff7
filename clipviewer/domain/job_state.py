"""States of background jobs."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """The kind of failure of a job."""

    OTHER = ""
    STORAGE = "storage"
    """The storage could not be reached, or asked for patience."""
    DISK = "disk"
    FOLDER = "folder"
    """The folder in which the job keeps its files could not be used."""
    DENIED = "denied"
    CREDENTIALS = "credentials"
    CLOCK = "clock"
    MISSING = "missing"


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
