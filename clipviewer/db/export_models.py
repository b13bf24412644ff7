"""Tables of export jobs: one row per cell, the objects that their uploads write, and a counter of changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, String, Text
from sqlmodel import Field, SQLModel

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import new_id


class ExportJob(SQLModel, table=True):
    """One cell of clip × aspect ratio × language, and the state of its file.

    ``identity`` is the SHA-256 of everything that decides the file's content, so a file is never made twice. ``attempt`` counts from 1;
    an earlier attempt may not change the row any more. ``progress`` is 0 to 1. ``worker`` is the process that makes
    it, or made it last.
    ``due_at``, ``failing_since``, ``retries`` and ``cause`` are those of ``work_models.Work``.
    ``render_ms`` is how long the rendering took, once it is done.
    ``revision`` is the number of the last change to the row among all changes of its video.
    """

    __tablename__ = "export_job"
    __table_args__ = (
        Index("ix_export_job_changes", "video_id", "revision"),
        Index("ix_export_job_queue", "state", "created_at", "number"),
        CheckConstraint("start_ms >= 0 AND end_ms > start_ms", name="ck_export_job_range"),
    )

    id: str = Field(default_factory=lambda: new_id("job"), primary_key=True)
    identity: str = Field(unique=True, max_length=64)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False))
    identified_clip_id: str | None = Field(
        default=None, sa_column=Column(String, ForeignKey("identified_clip.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    exported_clip_id: str | None = Field(
        default=None, sa_column=Column(String, ForeignKey("exported_clip.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    start_ms: int
    end_ms: int
    title: str = Field(max_length=300)
    source_etag: str = Field(max_length=100)
    aspect_ratio: str = Field(max_length=10)
    target_language: str = Field(max_length=20)
    framing: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    captions: str = Field(default="", max_length=100)
    recipe: int
    state: str = Field(max_length=20)
    progress: float = 0.0
    reason: str = Field(default="", max_length=500)
    log: str = Field(default="", sa_column=Column(Text, nullable=False))
    attempt: int = 1
    number: int
    revision: int
    requested_by: str = Field(default="", max_length=64)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)
    worker: str = Field(default="", max_length=64)
    due_at: datetime | None = None
    failing_since: datetime | None = None
    retries: int = 0
    cause: str = Field(default="", max_length=20)
    render_ms: int | None = None


class ExportUpload(SQLModel, table=True):
    """An object that an attempt is about to write to the bucket: recorded before, deleted once it is published or gone."""

    __tablename__ = "export_upload"

    s3_key: str = Field(primary_key=True, max_length=1024)
    job_id: str = Field(max_length=64, index=True)
    attempt: int


class ExportBoard(SQLModel, table=True):
    """The number of the last change to a video's export jobs. Its row is locked while they change, so numbers are seen in order."""

    __tablename__ = "export_board"

    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), primary_key=True))
    revision: int = 0
