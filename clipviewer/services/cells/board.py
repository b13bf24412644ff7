"""The state of the cells of the export matrix, and the numbered changes by which open rooms follow them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportBoard, ExportJob
from clipviewer.db.statements import count_changed, upsert
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.ids import is_id
from clipviewer.domain.job_state import JobState
from clipviewer.errors import NotFound
from clipviewer.services.cells.drift import JOB_DRIFTS, Drift

_CHUNK = 500


class JobNotFound(NotFound):
    code, title = "job_not_found", "Export not found"


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell and its progress. Times are ms of the master, ``progress`` is 0 to 1; ``reason`` and ``log`` say why it failed.

    ``exported_clip_id`` is set once it is done, unless that clip was deleted since; ``file_missing``: its file is gone from the bucket.
    ``revision`` numbers the changes of its video.
    """

    id: str
    identity: str
    video_id: str
    identified_clip_id: str | None
    exported_clip_id: str | None
    title: str
    start_ms: int
    end_ms: int
    aspect_ratio: str
    target_language: str
    framing: dict[str, Any]
    captions: str
    recipe: int
    state: str
    progress: float
    reason: str
    log: str
    attempt: int
    revision: int
    requested_by: str
    created_at: datetime
    updated_at: datetime
    file_missing: bool = False

    @property
    def needs_requeue(self) -> bool:
        """Return whether a new request has to queue it again: it failed, was cancelled, or its file is gone."""
        gone = self.exported_clip_id is None or self.file_missing
        return self.state in (JobState.FAILED, JobState.CANCELLED) or (self.state == JobState.DONE and gone)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed cells, and the revision to continue from."""

    revision: int
    cells: Sequence[CellView]


_COLUMNS = [
    *(col(getattr(ExportJob, field.name)) for field in fields(CellView) if field.name != "file_missing"),
    JOB_DRIFTS[Drift.MISSING].label("file_missing"),
]


def cells(db: Session, video_id: str, *, offset: int = 0, limit: int | None = None) -> list[CellView]:
    """Return the video's cells in the order of their requests."""
    query = select(*_COLUMNS).where(col(ExportJob.video_id) == video_id).order_by(col(ExportJob.created_at), col(ExportJob.number))
    return [_view(row) for row in db.execute(query.offset(offset).limit(limit))]


def count_cells(db: Session, video_id: str, *states: JobState) -> int:
    """Return how many cells the video has, in one of ``states`` or in any."""
    query = select(func.count()).select_from(ExportJob).where(col(ExportJob.video_id) == video_id)
    return int(db.execute(query.where(col(ExportJob.state).in_(states)) if states else query).scalar_one())


def cell(db: Session, job_id: str) -> CellView:
    """Return one cell; raises ``JobNotFound``."""
    row = db.execute(select(*_COLUMNS).where(col(ExportJob.id) == job_id)).one_or_none() if is_id(job_id, "job") else None
    if row is None:
        raise JobNotFound
    return _view(row)


def cells_by_identity(db: Session, identities: Iterable[str]) -> dict[str, CellView]:
    """Return the existing cells among these identities."""
    found: dict[str, CellView] = {}
    wanted = list(identities)
    for start in range(0, len(wanted), _CHUNK):
        query = select(*_COLUMNS).where(col(ExportJob.identity).in_(wanted[start : start + _CHUNK]))
        found |= {row.identity: _view(row) for row in db.execute(query)}
    return found


def changes_since(db: Session, video_id: str, revision: int) -> Changes:
    """Return the cells changed after ``revision`` (0: all), in the order of their changes; one small query if nothing changed."""
    latest = db.execute(select(col(ExportBoard.revision)).where(col(ExportBoard.video_id) == video_id)).scalar_one_or_none() or 0
    if latest <= revision:
        return Changes(latest, ())
    query = (
        select(*_COLUMNS).where(col(ExportJob.video_id) == video_id, col(ExportJob.revision) > revision).order_by(col(ExportJob.revision))
    )
    found = [_view(row) for row in db.execute(query)]
    return Changes(max([latest, *(item.revision for item in found)]), found)


def change(db: Session, job_id: str, video_id: str, now: datetime, *only_if: ColumnElement[bool], **values: Any) -> bool:
    """Change a cell under the next revision of its video; return False, changing nothing, if ``only_if`` does not hold."""
    revision = hold_board(db, video_id) + 1
    query = update(ExportJob).where(col(ExportJob.id) == job_id, *only_if).values(revision=revision, updated_at=now, **values)
    changed = count_changed(db, query) == 1
    if changed:
        set_revision(db, video_id, revision)
    return changed


def hold_board(db: Session, video_id: str) -> int:
    """Lock one video's cells until the transaction ends, so that changes follow each other; return the last revision."""
    held = (
        update(ExportBoard)
        .where(col(ExportBoard.video_id) == video_id)
        .values(revision=col(ExportBoard.revision))
        .returning(col(ExportBoard.revision))
    )
    revision = db.execute(held).scalar_one_or_none()
    if revision is None:
        db.execute(upsert(db, ExportBoard).values(video_id=video_id, revision=0).on_conflict_do_nothing())
        revision = db.execute(held).scalar_one()
    return int(revision)


def set_revision(db: Session, video_id: str, revision: int) -> None:
    """Store the newest revision; the caller has locked the board."""
    db.execute(update(ExportBoard).where(col(ExportBoard.video_id) == video_id).values(revision=revision))


def framing_json(framing: Framing) -> dict[str, Any]:
    return {"mode": framing.mode.value, "x": framing.x, "y": framing.y}


def framing_of(value: Mapping[str, Any]) -> Framing:
    """Restore what ``framing_json`` returned."""
    return Framing(FramingMode(value["mode"]), float(value["x"]), float(value["y"]))


def _view(row: Row[Any]) -> CellView:
    return CellView(**row._mapping)
