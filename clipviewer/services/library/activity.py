"""What runs now, over the whole library: exports and background work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, literal, select, union_all
from sqlalchemy.orm import Session

from clipviewer.db.models import Video
from clipviewer.db.work_models import Work
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.services.cells.board import JOB

VIDEO = Video.metadata.tables["video"]
_WORK = Work.metadata.tables["work"]
_UNFINISHED = [state.value for state in UNFINISHED]
EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Running:
    """``kind`` is ``export`` or that of the work, ``title`` the video's, or what the work is on; ``clip`` and ``ratio`` are an export's.

    ``progress`` is 0 to 1; ``note`` says what it waits for or does.
    """

    id: str
    kind: str
    video_id: str | None
    title: str
    clip: str
    ratio: str
    state: str
    progress: float
    note: str


def running(db: Session, *, limit: int = 20) -> tuple[Sequence[Running], int]:
    """What is under way, then what waits, the oldest first; and how many there are altogether."""
    exports = (
        select(
            JOB.c.id,
            literal(EXPORT).label("kind"),
            JOB.c.video_id,
            VIDEO.c.title,
            JOB.c.title.label("clip"),
            JOB.c.aspect_ratio.label("ratio"),
            JOB.c.state,
            JOB.c.progress,
            literal("").label("note"),
            JOB.c.created_at,
            JOB.c.number,
        )
        .select_from(JOB.join(VIDEO, VIDEO.c.id == JOB.c.video_id))
        .where(JOB.c.state.in_(_UNFINISHED))
    )
    nothing = literal("")
    work = (
        select(
            _WORK.c.id,
            _WORK.c.kind,
            _WORK.c.video_id,
            func.coalesce(VIDEO.c.title, _WORK.c.subject),
            nothing,
            nothing,
            _WORK.c.state,
            _WORK.c.progress,
            _WORK.c.note,
            _WORK.c.created_at,
            literal(0).label("number"),
        )
        .select_from(_WORK.outerjoin(VIDEO, VIDEO.c.id == _WORK.c.video_id))
        .where(_WORK.c.state.in_(_UNFINISHED))
    )
    found = union_all(exports, work).subquery()
    waits = case((found.c.state == JobState.RUNNING, 0), else_=1)
    connection = db.connection()
    total = connection.execute(select(func.count()).select_from(found)).scalar_one()
    shown = [column for column in found.c if column.name not in ("created_at", "number")]
    rows = connection.execute(select(*shown).order_by(waits, found.c.created_at, found.c.number, found.c.id).limit(limit))
    return [Running(**row._mapping) for row in rows], total
