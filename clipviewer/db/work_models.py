"""Tables of background jobs on the library (previews, finding clips, imports and others), and of the processes that do jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Text
from sqlmodel import Field, SQLModel

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import new_id


class Work(SQLModel, table=True):
    """One job of a ``kind`` on a ``subject`` (a video's id, a prefix), with its arguments in ``given`` and its ``result``.

    ``slot`` is kind and subject while it is unfinished, and NULL afterwards: unique, so the same job never exists twice at once.
    ``attempt`` counts from 1; an earlier attempt may not change the row any more. ``progress`` is 0 to 1; ``note`` says what it waits
    for, or why it failed. ``priority``: the smallest number comes first. ``worker`` is the process that does it, or did it last.

    A queued job does not start before ``due_at``. ``cause`` says what it failed for (``domain.job_state.Cause``), ``failing_since`` when
    it began to, and ``retries`` how often it was tried again since; all of them are empty once an attempt gets further.
    """

    __tablename__ = "work"
    __table_args__ = (Index("ix_work_queue", "state", "created_at"), Index("ix_work_of_video", "video_id", "created_at"))

    id: str = Field(default_factory=lambda: new_id("work"), primary_key=True)
    kind: str = Field(max_length=20)
    subject: str = Field(max_length=1100)
    video_id: str | None = Field(default=None, sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=True))
    slot: str | None = Field(default=None, unique=True, max_length=1200)
    given: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: str = Field(max_length=20)
    progress: float = 0.0
    note: str = Field(default="", max_length=500)
    log: str = Field(default="", sa_column=Column(Text, nullable=False))
    result: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    attempt: int = 1
    priority: int = 2
    worker: str = Field(default="", max_length=64)
    due_at: datetime | None = None
    failing_since: datetime | None = None
    retries: int = 0
    cause: str = Field(default="", max_length=20)
    requested_by: str = Field(default="", max_length=64)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)


class Worker(SQLModel, table=True):
    """A process that does jobs, exports included, and its last heartbeat. ``problem`` says in a sentence why it cannot do any."""

    __tablename__ = "worker"

    id: str = Field(primary_key=True, max_length=64)
    alive_at: datetime
    problem: str = Field(default="", max_length=500)
