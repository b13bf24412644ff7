"""The files of the export matrix, there or on their way: every job that counts, and every exported clip that has none.

A cancelled job, and one whose file was deleted since, are as if they had never been. One that drifted or failed gives way to a later one
of the same cell, framing and kind of captions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, func, literal, null, or_, select, union_all
from sqlalchemy.orm import Session, aliased, join
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.drift import (
    FRAMING_MODE,
    Drift,
    drifted,
    drifts_of_files,
    drifts_of_jobs,
    files_with_origins,
    jobs_with_origins,
    labelled,
    reasons,
    state_of_file,
    state_of_job,
)
from clipviewer.services.cells.filters import CellState

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
        select(col(ExportJob.identified_clip_id), *_columns_of_jobs(drifts))
        .select_from(jobs_with_origins())
        .where(col(ExportJob.identified_clip_id).in_(clip_ids), _counts(ExportJob), ~_outdone(drifts))
        .order_by(col(ExportJob.number))
    )
    drifts = drifts_of_files(recaptioned)
    given = (
        select(col(ExportedClip.identified_clip_id), *_columns_of_files(drifts))
        .select_from(files_with_origins())
        .where(col(ExportedClip.identified_clip_id).in_(clip_ids), col(ExportJob.id).is_(None), ~_made_anew(drifts))
        .order_by(col(ExportedClip.created_at), col(ExportedClip.id))
    )
    found = [*db.execute(given), *db.execute(made)]
    return [(row[0], _entry(row[1:])) for row in found]


def entries_of_ranges(
    db: Session, video_id: str, starts: Collection[int], recaptioned: Collection[str]
) -> list[tuple[tuple[int, int], MatrixEntry]]:
    """The video's exported clips of no candidate that start there, with their range in ms."""
    found = (
        select(col(ExportedClip.start_ms), col(ExportedClip.end_ms), *_columns_of_files(drifts_of_files(recaptioned)))
        .select_from(files_with_origins())
        .where(
            col(ExportedClip.video_id) == video_id, col(ExportedClip.start_ms).in_(starts), col(ExportedClip.identified_clip_id).is_(None)
        )
        .order_by(col(ExportedClip.created_at), col(ExportedClip.id))
    )
    return [((row[0], row[1]), _entry(row[2:])) for row in db.execute(found)]


def all_entries(video_id: str, recaptioned: Collection[str]) -> Subquery:
    """Every file of the video's candidates as SQL: ``clip``, ``ratio``, ``language``, ``state``; for filtering without reading them."""
    drifts = drifts_of_jobs(recaptioned)
    made = (
        select(
            col(ExportJob.identified_clip_id).label("clip"),
            col(ExportJob.aspect_ratio).label("ratio"),
            col(ExportJob.target_language).label("language"),
        )
        .add_columns(state_of_job(drifts).label("state"))
        .select_from(jobs_with_origins())
        .where(col(ExportJob.video_id) == video_id, col(ExportJob.identified_clip_id).is_not(None), _counts(ExportJob), ~_outdone(drifts))
    )
    drifts = drifts_of_files(recaptioned)
    given = (
        select(
            col(ExportedClip.identified_clip_id),
            col(ExportedClip.aspect_ratio),
            col(ExportedClip.target_language),
            state_of_file(drifts),
        )
        .select_from(files_with_origins())
        .where(
            col(ExportedClip.video_id) == video_id,
            col(ExportedClip.identified_clip_id).is_not(None),
            col(ExportJob.id).is_(None),
            ~_made_anew(drifts),
        )
    )
    same = aliased(IdentifiedClip, name="same")
    of_its_range = (
        select(col(same.id), col(ExportedClip.aspect_ratio), col(ExportedClip.target_language), state_of_file(drifts))
        .select_from(join(files_with_origins(), same, has_range_of(same)))
        .where(col(ExportedClip.video_id) == video_id, col(ExportedClip.identified_clip_id).is_(None))
    )
    return union_all(made, given, of_its_range).subquery("entries")


def has_range_of(clip: type[IdentifiedClip]) -> ColumnElement[bool]:
    """Whether an exported clip shows exactly what the candidate ``clip`` is."""
    same_edges = and_(col(clip.start_ms) == col(ExportedClip.start_ms), col(clip.end_ms) == col(ExportedClip.end_ms))
    return and_(col(clip.video_id) == col(ExportedClip.video_id), same_edges)


def _columns_of_jobs(drifts: dict[Drift, ColumnElement[bool]]) -> Sequence[ColumnElement[Any]]:
    told = (
        col(ExportJob.id),
        col(ExportJob.exported_clip_id),
        col(ExportJob.aspect_ratio),
        col(ExportJob.target_language),
        FRAMING_MODE,
        col(ExportJob.captions),
    )
    return *told, state_of_job(drifts).label("state"), col(ExportJob.progress), col(ExportJob.reason), *labelled(drifts)


def _columns_of_files(drifts: dict[Drift, ColumnElement[bool]]) -> Sequence[ColumnElement[Any]]:
    told = (
        col(ExportJob.id),
        col(ExportedClip.id),
        col(ExportedClip.aspect_ratio),
        col(ExportedClip.target_language),
        FRAMING_MODE,
        col(ExportJob.captions),
    )
    return *told, state_of_file(drifts).label("state"), literal(1.0), null(), *labelled(drifts)


def _entry(row: Sequence[Any]) -> MatrixEntry:
    job_id, exported_id, ratio, language, framing, captions, state, progress, reason = row[:9]
    drift = reasons(row[9:]) if state == CellState.STALE else ()
    kind = (captions or "").partition(":")[0]
    return MatrixEntry(job_id or "", exported_id or "", ratio, language, framing or "", kind, state, progress, reason or "", drift)


def _counts(job: type[ExportJob]) -> ColumnElement[bool]:
    return and_(col(job.state) != JobState.CANCELLED, or_(col(job.state) != JobState.DONE, col(job.exported_clip_id).is_not(None)))


def _of_same_cell(job: type[ExportJob], of: type[ExportJob] | type[ExportedClip]) -> ColumnElement[bool]:
    same_clip = col(job.identified_clip_id) == col(of.identified_clip_id)
    same_shape = col(job.aspect_ratio) == col(of.aspect_ratio)
    return and_(_counts(job), same_clip, same_shape, col(job.target_language) == col(of.target_language))


def _outdone(drifts: dict[Drift, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether a later job stands in the place of this one."""
    later = aliased(ExportJob, name="later")
    mode = col(later.framing)["mode"].as_string()
    framed_alike = or_(mode == FRAMING_MODE, and_(drifts[Drift.CROP], mode == FramingMode.MANUAL))
    captioned_alike = func.substr(col(later.captions), 1, _MODE) == func.substr(col(ExportJob.captions), 1, _MODE)
    failed = col(ExportJob.state) == JobState.FAILED
    gives_way = or_(failed, and_(col(ExportJob.state) == JobState.DONE, drifted(drifts), col(later.state) != JobState.FAILED))
    query = select(col(later.id)).where(
        _of_same_cell(later, ExportJob), col(later.number) > col(ExportJob.number), framed_alike, captioned_alike, gives_way
    )
    return query.exists()


def _made_anew(drifts: dict[Drift, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether a job stands in the place of a pipeline's file that has drifted."""
    later = aliased(ExportJob, name="later")
    query = select(col(later.id)).where(_of_same_cell(later, ExportedClip), col(later.state) != JobState.FAILED, drifted(drifts))
    return query.exists()
