"""The files of the export matrix, there or on their way: every job that counts, and every exported clip that has none.

A cancelled job, and one whose file was deleted since, are as if they had never been. One that drifted or failed gives way to a later one
of the same cell, framing and kind of captions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Subquery, and_, case, func, literal, null, or_, select, union_all
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import JOB
from clipviewer.services.cells.drift import (
    FRAMING_MODE,
    Drift,
    drifted,
    drifts_of_files,
    drifts_of_jobs,
    labelled,
    reasons,
    with_origins,
)
from clipviewer.services.cells.filters import CellState

EXPORTED = ExportedClip.metadata.tables["exported_clip"]
IDENTIFIED = IdentifiedClip.metadata.tables["identified_clip"]
_MODE = 4  # letters that tell the kinds of captions apart: "", "soft:…", "burned:…"


@dataclass(frozen=True, slots=True)
class MatrixEntry:
    """One file of a cell. ``framing`` and ``captions`` are modes, "" where a pipeline made it; ``state`` is a ``CellState``.

    ``progress`` is 0 to 1. ``reason`` says why it failed, or what a running one waits for; ``drift`` why it is stale.
    """

    job_id: str
    exported_clip_id: str
    ratio: str
    language: str
    framing: str
    captions: str
    state: str
    progress: float
    reason: str
    drift: tuple[Drift, ...]


def entries_of_clips(db: Session, clip_ids: Collection[str], recaptioned: Collection[str]) -> list[tuple[str, MatrixEntry]]:
    """What was made of those candidates here, or delivered for them, with the candidate's id, in the order of asking."""
    drifts = drifts_of_jobs(recaptioned)
    made = (
        select(JOB.c.identified_clip_id, *_columns_of_jobs(drifts))
        .select_from(with_origins(JOB, of=JOB))
        .where(JOB.c.identified_clip_id.in_(clip_ids), _counts(JOB), ~_outdone(drifts))
        .order_by(JOB.c.number)
    )
    drifts = drifts_of_files(recaptioned)
    given = (
        select(EXPORTED.c.identified_clip_id, *_columns_of_files(drifts))
        .select_from(with_making())
        .where(EXPORTED.c.identified_clip_id.in_(clip_ids), JOB.c.id.is_(None), ~_made_anew(drifts))
        .order_by(EXPORTED.c.created_at, EXPORTED.c.id)
    )
    found = [*db.connection().execute(given), *db.connection().execute(made)]
    return [(row[0], _entry(row[1:])) for row in found]


def entries_of_ranges(
    db: Session, video_id: str, starts: Collection[int], recaptioned: Collection[str]
) -> list[tuple[tuple[int, int], MatrixEntry]]:
    """The video's exported clips of no candidate that start there, with their range in ms."""
    found = (
        select(EXPORTED.c.start_ms, EXPORTED.c.end_ms, *_columns_of_files(drifts_of_files(recaptioned)))
        .select_from(with_making())
        .where(EXPORTED.c.video_id == video_id, EXPORTED.c.start_ms.in_(starts), EXPORTED.c.identified_clip_id.is_(None))
        .order_by(EXPORTED.c.created_at, EXPORTED.c.id)
    )
    return [((row[0], row[1]), _entry(row[2:])) for row in db.connection().execute(found)]


def all_entries(video_id: str, recaptioned: Collection[str]) -> Subquery:
    """Every file of the video's candidates as SQL: ``clip``, ``ratio``, ``language``, ``state``; for filtering without reading them."""
    drifts = drifts_of_jobs(recaptioned)
    made = (
        select(JOB.c.identified_clip_id.label("clip"), JOB.c.aspect_ratio.label("ratio"), JOB.c.target_language.label("language"))
        .add_columns(_state_of_job(drifts).label("state"))
        .select_from(with_origins(JOB, of=JOB))
        .where(JOB.c.video_id == video_id, JOB.c.identified_clip_id.is_not(None), _counts(JOB), ~_outdone(drifts))
    )
    drifts = drifts_of_files(recaptioned)
    given = (
        select(EXPORTED.c.identified_clip_id, EXPORTED.c.aspect_ratio, EXPORTED.c.target_language, state_of_file(recaptioned))
        .select_from(with_making())
        .where(EXPORTED.c.video_id == video_id, EXPORTED.c.identified_clip_id.is_not(None), JOB.c.id.is_(None), ~_made_anew(drifts))
    )
    same = IDENTIFIED.alias("same")
    of_its_range = (
        select(same.c.id, EXPORTED.c.aspect_ratio, EXPORTED.c.target_language, state_of_file(recaptioned))
        .select_from(with_making().join(same, has_range_of(same)))
        .where(EXPORTED.c.video_id == video_id, EXPORTED.c.identified_clip_id.is_(None))
    )
    return union_all(made, given, of_its_range).subquery("entries")


def has_range_of(candidate: FromClause) -> ColumnElement[bool]:
    """Whether an exported clip shows exactly what ``candidate`` is."""
    clip = candidate.c
    return and_(clip.video_id == EXPORTED.c.video_id, clip.start_ms == EXPORTED.c.start_ms, clip.end_ms == EXPORTED.c.end_ms)


def with_making() -> FromClause:
    """Exported clips with the job that made each and what that was made from, where there are such."""
    return with_origins(EXPORTED.outerjoin(JOB, JOB.c.exported_clip_id == EXPORTED.c.id), of=EXPORTED)


def state_of_file(recaptioned: Collection[str]) -> ColumnElement[str]:
    """What is there is done or stale."""
    return case((drifted(drifts_of_files(recaptioned)), CellState.STALE.value), else_=CellState.DONE.value)


def _state_of_job(drifts: dict[Drift, ColumnElement[bool]]) -> ColumnElement[str]:
    return case((and_(JOB.c.state == JobState.DONE, drifted(drifts)), CellState.STALE.value), else_=JOB.c.state)


def _columns_of_jobs(drifts: dict[Drift, ColumnElement[bool]]) -> Sequence[ColumnElement[Any]]:
    told = (JOB.c.id, JOB.c.exported_clip_id, JOB.c.aspect_ratio, JOB.c.target_language, FRAMING_MODE, JOB.c.captions)
    return *told, _state_of_job(drifts).label("state"), JOB.c.progress, JOB.c.reason, *labelled(drifts)


def _columns_of_files(drifts: dict[Drift, ColumnElement[bool]]) -> Sequence[ColumnElement[Any]]:
    told = (JOB.c.id, EXPORTED.c.id, EXPORTED.c.aspect_ratio, EXPORTED.c.target_language, FRAMING_MODE, JOB.c.captions)
    state = case((drifted(drifts), CellState.STALE.value), else_=CellState.DONE.value)
    return *told, state.label("state"), literal(1.0), null(), *labelled(drifts)


def _entry(row: Sequence[Any]) -> MatrixEntry:
    job_id, exported_id, ratio, language, framing, captions, state, progress, reason = row[:9]
    drift = reasons(row[9:]) if state == CellState.STALE else ()
    kind = (captions or "").partition(":")[0]
    return MatrixEntry(job_id or "", exported_id or "", ratio, language, framing or "", kind, state, progress, reason or "", drift)


def _counts(job: FromClause) -> ColumnElement[bool]:
    return and_(job.c.state != JobState.CANCELLED, or_(job.c.state != JobState.DONE, job.c.exported_clip_id.is_not(None)))


def _of_same_cell(job: FromClause, of: FromClause) -> ColumnElement[bool]:
    columns = ("identified_clip_id", "aspect_ratio", "target_language")
    return and_(_counts(job), *(job.c[name] == of.c[name] for name in columns))


def _outdone(drifts: dict[Drift, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether a later job stands in the place of this one."""
    later = JOB.alias("later")
    mode = later.c.framing["mode"].as_string()
    framed_alike = or_(mode == FRAMING_MODE, and_(drifts[Drift.CROP], mode == FramingMode.MANUAL))
    captioned_alike = func.substr(later.c.captions, 1, _MODE) == func.substr(JOB.c.captions, 1, _MODE)
    failed = JOB.c.state == JobState.FAILED
    gives_way = or_(failed, and_(JOB.c.state == JobState.DONE, drifted(drifts), later.c.state != JobState.FAILED))
    query = select(later.c.id).where(_of_same_cell(later, JOB), later.c.number > JOB.c.number, framed_alike, captioned_alike, gives_way)
    return query.exists()


def _made_anew(drifts: dict[Drift, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether a job stands in the place of a pipeline's file that has drifted."""
    later = JOB.alias("later")
    query = select(later.c.id).where(_of_same_cell(later, EXPORTED), later.c.state != JobState.FAILED, drifted(drifts))
    return query.exists()
