"""The exports in the export matrix, finished or under way: every job that counts, and every exported clip without a job.

Cancelled jobs, and jobs whose file was deleted since, do not count. A stale or failed one is superseded by a later one
of the same cell, framing and kind of captions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, bindparam, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session, aliased, join
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.drift import (
    FILE_DRIFTS,
    FILE_IS_STALE,
    FILE_STATE,
    FRAMING_MODE,
    JOB_DRIFTS,
    JOB_IS_STALE,
    JOB_STATE,
    Drift,
    files_with_origins,
    jobs_with_origins,
    label_columns,
    reasons,
)
from clipviewer.services.cells.filters import CellState

_MODE = 4  # characters that distinguish the kinds of captions: "", "soft:…", "burned:…"


@dataclass(frozen=True, slots=True)
class MatrixEntry:
    """One export in a cell. ``framing`` and ``captions`` are modes, "" if a pipeline made it; ``state`` is a ``CellState``.

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
    """Return the exports of those candidates, rendered here or delivered, with the candidate's id, in the order of their requests."""
    given = {"clip_ids": list(clip_ids), "recaptioned": list(recaptioned)}
    return [(row[0], _entry(row[1:])) for query in (_DELIVERED, _MADE_HERE) for row in db.execute(query, given)]


def entries_of_ranges(
    db: Session, video_id: str, starts: Collection[int], recaptioned: Collection[str]
) -> list[tuple[tuple[int, int], MatrixEntry]]:
    """Return the video's exported clips without a candidate that start there, with their range in ms."""
    given = {"video_id": video_id, "starts": list(starts), "recaptioned": list(recaptioned)}
    return [((row[0], row[1]), _entry(row[2:])) for row in db.execute(_OF_RANGES, given)]


def all_entries(video_id: str) -> Subquery:
    """Return SQL for every export of the video's candidates: ``clip``, ``ratio``, ``language``, ``state``; for filters."""
    made = (
        select(
            col(ExportJob.identified_clip_id).label("clip"),
            col(ExportJob.aspect_ratio).label("ratio"),
            col(ExportJob.target_language).label("language"),
        )
        .add_columns(JOB_STATE.label("state"))
        .select_from(jobs_with_origins())
        .where(
            col(ExportJob.video_id) == video_id,
            col(ExportJob.identified_clip_id).is_not(None),
            _is_counted(ExportJob),
            ~_superseded_by_job(),
        )
    )
    given = (
        select(
            col(ExportedClip.identified_clip_id),
            col(ExportedClip.aspect_ratio),
            col(ExportedClip.target_language),
            FILE_STATE,
        )
        .select_from(files_with_origins())
        .where(
            col(ExportedClip.video_id) == video_id,
            col(ExportedClip.identified_clip_id).is_not(None),
            col(ExportJob.id).is_(None),
            ~_replaced_by_render(),
        )
    )
    same = aliased(IdentifiedClip, name="same")
    of_its_range = (
        select(col(same.id), col(ExportedClip.aspect_ratio), col(ExportedClip.target_language), FILE_STATE)
        .select_from(join(files_with_origins(), same, has_range_of(same)))
        .where(col(ExportedClip.video_id) == video_id, col(ExportedClip.identified_clip_id).is_(None))
    )
    return union_all(made, given, of_its_range).subquery("entries")


def has_range_of(clip: type[IdentifiedClip]) -> ColumnElement[bool]:
    """Return the condition that an exported clip has the range of the candidate ``clip``."""
    same_edges = and_(col(clip.start_ms) == col(ExportedClip.start_ms), col(clip.end_ms) == col(ExportedClip.end_ms))
    return and_(col(clip.video_id) == col(ExportedClip.video_id), same_edges)


def _columns_of_jobs() -> Sequence[ColumnElement[Any]]:
    told = (
        col(ExportJob.id),
        col(ExportJob.exported_clip_id),
        col(ExportJob.aspect_ratio),
        col(ExportJob.target_language),
        FRAMING_MODE,
        col(ExportJob.captions),
    )
    return *told, JOB_STATE.label("state"), col(ExportJob.progress), col(ExportJob.reason), *label_columns(JOB_DRIFTS)


def _columns_of_files() -> Sequence[ColumnElement[Any]]:
    told = (
        col(ExportJob.id),
        col(ExportedClip.id),
        col(ExportedClip.aspect_ratio),
        col(ExportedClip.target_language),
        FRAMING_MODE,
        col(ExportJob.captions),
    )
    return *told, FILE_STATE.label("state"), literal(1.0), null(), *label_columns(FILE_DRIFTS)


def _entry(row: Sequence[Any]) -> MatrixEntry:
    job_id, exported_id, ratio, language, framing, captions, state, progress, reason = row[:9]
    drift = reasons(row[9:]) if state == CellState.STALE else ()
    kind = (captions or "").partition(":")[0]
    return MatrixEntry(job_id or "", exported_id or "", ratio, language, framing or "", kind, state, progress, reason or "", drift)


def _is_counted(job: type[ExportJob]) -> ColumnElement[bool]:
    return and_(col(job.state) != JobState.CANCELLED, or_(col(job.state) != JobState.DONE, col(job.exported_clip_id).is_not(None)))


def _of_same_cell(job: type[ExportJob], of: type[ExportJob] | type[ExportedClip]) -> ColumnElement[bool]:
    same_clip = col(job.identified_clip_id) == col(of.identified_clip_id)
    same_shape = col(job.aspect_ratio) == col(of.aspect_ratio)
    return and_(_is_counted(job), same_clip, same_shape, col(job.target_language) == col(of.target_language))


def _superseded_by_job() -> ColumnElement[bool]:
    """Return the condition that a later job of the same cell counts instead of this one."""
    later = aliased(ExportJob, name="later")
    mode = col(later.framing)["mode"].as_string()
    framed_alike = or_(mode == FRAMING_MODE, and_(JOB_DRIFTS[Drift.CROP], mode == FramingMode.MANUAL))
    captioned_alike = func.substr(col(later.captions), 1, _MODE) == func.substr(col(ExportJob.captions), 1, _MODE)
    failed = col(ExportJob.state) == JobState.FAILED
    gives_way = or_(failed, and_(col(ExportJob.state) == JobState.DONE, JOB_IS_STALE, col(later.state) != JobState.FAILED))
    query = select(col(later.id)).where(
        _of_same_cell(later, ExportJob), col(later.number) > col(ExportJob.number), framed_alike, captioned_alike, gives_way
    )
    return query.exists()


def _replaced_by_render() -> ColumnElement[bool]:
    """Return the condition that a job counts instead of a pipeline's stale file."""
    later = aliased(ExportJob, name="later")
    query = select(col(later.id)).where(_of_same_cell(later, ExportedClip), col(later.state) != JobState.FAILED, FILE_IS_STALE)
    return query.exists()


_MADE_HERE = (
    select(col(ExportJob.identified_clip_id), *_columns_of_jobs())
    .select_from(jobs_with_origins())
    .where(col(ExportJob.identified_clip_id).in_(bindparam("clip_ids", expanding=True)), _is_counted(ExportJob), ~_superseded_by_job())
    .order_by(col(ExportJob.number))
)
_DELIVERED = (
    select(col(ExportedClip.identified_clip_id), *_columns_of_files())
    .select_from(files_with_origins())
    .where(
        col(ExportedClip.identified_clip_id).in_(bindparam("clip_ids", expanding=True)), col(ExportJob.id).is_(None), ~_replaced_by_render()
    )
    .order_by(col(ExportedClip.created_at), col(ExportedClip.id))
)
_OF_RANGES = (
    select(col(ExportedClip.start_ms), col(ExportedClip.end_ms), *_columns_of_files())
    .select_from(files_with_origins())
    .where(
        col(ExportedClip.video_id) == bindparam("video_id"),
        col(ExportedClip.start_ms).in_(bindparam("starts", expanding=True)),
        col(ExportedClip.identified_clip_id).is_(None),
    )
    .order_by(col(ExportedClip.created_at), col(ExportedClip.id))
)
