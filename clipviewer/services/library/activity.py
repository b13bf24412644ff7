"""The jobs of every kind in one list for people, exports included.

The list is read from the rows that workers write; nothing is stored twice. An export's state is in its cell, because the matrix reads it
there; every other job's state is in a row of ``work``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Select, case, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import Video
from clipviewer.db.work_models import Work
from clipviewer.domain.ids import is_id
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.services.work import WorkNotFound

EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Job:
    """``kind`` is ``export`` or that of the job on the library, ``subject`` what it is done to: a video's id, a prefix, an export's name.

    ``title`` is the video's, or the subject; ``clip`` and ``ratio`` are an export's. ``progress`` is 0 to 1; ``note`` says what it waits
    for, or why it failed.
    """

    id: str
    kind: str
    subject: str
    video_id: str | None
    title: str
    clip: str
    ratio: str
    state: str
    progress: float
    note: str
    result: dict[str, Any] | None
    attempt: int
    created_at: datetime
    updated_at: datetime


def job(db: Session, job_id: str) -> Job:
    """Return one job; raises ``WorkNotFound``."""
    query = _exports().where(col(ExportJob.id) == job_id) if is_id(job_id, "job") else _library().where(col(Work.id) == job_id)
    row = db.execute(query).one_or_none() if is_id(job_id, "job") or is_id(job_id, "work") else None
    if row is None:
        raise WorkNotFound
    return _job(row)


def recent(db: Session, *, limit: int) -> list[Job]:
    """Return the jobs that were enqueued last, the newest first."""
    newest = (
        _exports().order_by(col(ExportJob.created_at).desc(), col(ExportJob.number).desc()).limit(limit).subquery(),
        _library().order_by(col(Work.created_at).desc(), col(Work.id)).limit(limit).subquery(),
    )
    found = union_all(*(select(part) for part in newest)).subquery()
    rows = db.execute(select(found).order_by(found.c.created_at.desc(), found.c.number.desc(), found.c.id).limit(limit))
    return [_job(row) for row in rows]


def running(db: Session, *, limit: int = 20) -> tuple[Sequence[Job], int]:
    """Return running, then queued jobs, oldest first, and their total number."""
    exports, library = _exports().where(col(ExportJob.state).in_(UNFINISHED)), _library().where(col(Work.state).in_(UNFINISHED))
    found = union_all(exports, library).subquery()
    total = db.execute(select(func.count()).select_from(found)).scalar_one()
    waits = case((found.c.state == JobState.RUNNING, 0), else_=1)
    rows = db.execute(select(found).order_by(waits, found.c.created_at, found.c.number, found.c.id).limit(limit))
    return [_job(row) for row in rows], total


def _exports() -> Select[*tuple[Any, ...]]:
    name = col(ExportJob.title) + " · " + col(ExportJob.aspect_ratio) + " · " + col(ExportJob.target_language)
    return select(
        col(ExportJob.id),
        literal(EXPORT).label("kind"),
        name.label("subject"),
        col(ExportJob.video_id),
        col(Video.title),
        col(ExportJob.title).label("clip"),
        col(ExportJob.aspect_ratio).label("ratio"),
        col(ExportJob.state),
        col(ExportJob.progress),
        col(ExportJob.reason).label("note"),
        cast(null(), JSON).label("result"),
        col(ExportJob.attempt),
        col(ExportJob.created_at),
        col(ExportJob.updated_at),
        col(ExportJob.number),
    ).join(Video, col(Video.id) == col(ExportJob.video_id))


def _library() -> Select[*tuple[Any, ...]]:
    return select(
        col(Work.id),
        col(Work.kind),
        col(Work.subject),
        col(Work.video_id),
        func.coalesce(col(Video.title), col(Work.subject)).label("title"),
        literal("").label("clip"),
        literal("").label("ratio"),
        col(Work.state),
        col(Work.progress),
        col(Work.note),
        col(Work.result),
        col(Work.attempt),
        col(Work.created_at),
        col(Work.updated_at),
        literal(0).label("number"),
    ).join(Video, col(Video.id) == col(Work.video_id), isouter=True)


def _job(row: Any) -> Job:
    return Job(**{field.name: getattr(row, field.name) for field in fields(Job)})
