"""Whether an export is stale, and why: its file is gone, or its video, range, crop, captions or the renderer has changed.

No other module decides that. The reasons are SQL over ``export_job`` and ``exported_clip`` joined with what they were made from
(``jobs_with_origins``, ``files_with_origins``), so that lists can be filtered and counted in the database. The trigger that
keeps ``video_tally.stale`` repeats ``source_changed`` in its own SQL; tests hold both to the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, case, false, func, or_, select
from sqlalchemy.orm import join, outerjoin
from sqlmodel import col

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.export_identity import RECIPE_VERSION
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.filters import CellState

_CUT_SLACK_MS = 100  # tolerance for the edges of a pipeline's file
_SHARE = 0.00005  # half of the last decimal place of a stored crop


class Drift(StrEnum):
    """What has changed since the export was made."""

    MISSING = "missing"
    SOURCE = "source"
    RANGE = "range"
    CROP = "crop"
    CAPTIONS = "captions"
    RECIPE = "recipe"


FRAMING_MODE = col(ExportJob.framing)["mode"].as_string()


def jobs_with_origins() -> FromClause:
    """Return the export jobs, each joined with its video, its candidate and the saved crop."""
    return _with_origins(ExportJob, ExportJob)


def files_with_origins() -> FromClause:
    """Return the exported clips, each joined with the job that made it, its video, its candidate and the saved crop, if they exist."""
    return _with_origins(outerjoin(ExportedClip, ExportJob, col(ExportJob.exported_clip_id) == col(ExportedClip.id)), ExportedClip)


def source_changed() -> ColumnElement[bool]:
    """Return the condition that a job's file was made from another object than the video's current one."""
    return and_(col(ExportJob.source_etag) != "", col(Video.etag) != "", col(ExportJob.source_etag) != col(Video.etag))


def is_cut_at(made: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """Return whether a pipeline's file with the range ``made`` (ms) counts as the clip with the range ``wanted``."""
    return all(abs(edge - other) <= _CUT_SLACK_MS for edge, other in zip(made, wanted, strict=True))


def label_columns(drifts: Mapping[Drift, ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """Return columns in the order of ``Drift``, for ``reasons``."""
    return [drifts[drift].label(f"drift_{drift}") for drift in Drift]


def reasons(flags: Sequence[Any]) -> tuple[Drift, ...]:
    """Return the reasons in the columns of ``label_columns``."""
    return tuple(drift for drift, holds in zip(Drift, flags, strict=True) if holds)


def _with_origins(exports: Any, of: type[ExportJob] | type[ExportedClip]) -> FromClause:
    same_crop = and_(
        col(ClipFraming.identified_clip_id) == col(of.identified_clip_id), col(ClipFraming.aspect_ratio) == col(of.aspect_ratio)
    )
    with_video = join(exports, Video, col(Video.id) == col(of.video_id))
    with_candidate = outerjoin(with_video, IdentifiedClip, col(IdentifiedClip.id) == col(of.identified_clip_id))
    return outerjoin(with_candidate, ClipFraming, same_crop)


def _known(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition with NULL, for joined rows that do not exist, as false."""
    return func.coalesce(condition, false())


def _drifts(moved: ColumnElement[bool], missing: ColumnElement[bool]) -> Mapping[Drift, ColumnElement[bool]]:
    framing = col(ExportJob.framing)
    cropped = FRAMING_MODE.in_((FramingMode.CENTRE, FramingMode.MANUAL))
    axes = (("x", col(ClipFraming.x)), ("y", col(ClipFraming.y)))
    elsewhere = (func.abs(framing[axis].as_float() - column) > _SHARE for axis, column in axes)
    return {
        Drift.MISSING: _known(missing),
        Drift.SOURCE: _known(source_changed()),
        Drift.RANGE: _known(moved),
        Drift.CROP: _known(and_(cropped, col(ClipFraming.chosen_at) > col(ExportJob.created_at), or_(*elsewhere))),
        Drift.CAPTIONS: _known(col(ExportJob.id).in_(bindparam("recaptioned", expanding=True))),
        Drift.RECIPE: _known(col(ExportJob.recipe) < RECIPE_VERSION),
    }


def _of_jobs() -> Mapping[Drift, ColumnElement[bool]]:
    moved = or_(col(ExportJob.start_ms) != col(IdentifiedClip.start_ms), col(ExportJob.end_ms) != col(IdentifiedClip.end_ms))
    gone = col(ExportJob.exported_clip_id).in_(select(col(ExportedClip.id)).where(col(ExportedClip.missing_at).is_not(None)))
    return _drifts(moved, gone)


def _of_files() -> Mapping[Drift, ColumnElement[bool]]:
    slack = case((col(ExportJob.id).is_(None), _CUT_SLACK_MS), else_=0)
    edges = ((col(ExportedClip.start_ms), col(IdentifiedClip.start_ms)), (col(ExportedClip.end_ms), col(IdentifiedClip.end_ms)))
    moved = or_(*(func.abs(made - wanted) > slack for made, wanted in edges))
    return _drifts(moved, col(ExportedClip.missing_at).is_not(None))


JOB_DRIFTS = _of_jobs()
"""For each reason, the condition that it holds for an export rendered here.

Statements that use one must bind ``recaptioned``: the ids of the jobs whose captions have changed.
"""
FILE_DRIFTS = _of_files()
"""The same for exported clips, including those that a pipeline made, of which only the range is known."""
JOB_IS_STALE, FILE_IS_STALE = or_(*JOB_DRIFTS.values()), or_(*FILE_DRIFTS.values())
_FINISHED = col(ExportJob.state) == JobState.DONE
JOB_STATE: ColumnElement[str] = case((and_(_FINISHED, JOB_IS_STALE), CellState.STALE.value), else_=col(ExportJob.state))
"""The ``CellState`` of a job; a finished one is done or stale."""
FILE_STATE: ColumnElement[str] = case((FILE_IS_STALE, CellState.STALE.value), else_=CellState.DONE.value)
"""The ``CellState`` of an exported clip: done or stale, never anything else."""
