"""Why an export no longer is what a new one would be: its file is gone, or its video, range, crop, captions or the renderer has changed.

The reasons are SQL over ``export_job`` and ``exported_clip`` with what they were made from (``with_origins``), so that lists can be
filtered by them and counted without being read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, or_

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.framing import FramingMode
from clipviewer.media.render.render import RECIPE_VERSION
from clipviewer.services.cells.board import FILE_MISSING, JOB

_VIDEO = Video.metadata.tables["video"]
_EXPORTED = ExportedClip.metadata.tables["exported_clip"]
_IDENTIFIED = IdentifiedClip.metadata.tables["identified_clip"]
_FRAMING = ClipFraming.metadata.tables["clip_framing"]
_CUT_SLACK_MS = 100  # by how much the edges of a pipeline's own file may lie beside the clip's
_SHARE = 0.00005  # half of the last place that tells two crops apart


class Drift(StrEnum):
    """What has changed since the export was made."""

    MISSING = "missing"
    SOURCE = "source"
    RANGE = "range"
    CROP = "crop"
    CAPTIONS = "captions"
    RECIPE = "recipe"


FRAMING_MODE = JOB.c.framing["mode"].as_string()


def with_origins(exports: FromClause, *, of: FromClause) -> FromClause:
    """``exports`` joined with the video, the candidate and the saved crop of ``of``, which is ``export_job`` or ``exported_clip``."""
    saved = and_(_FRAMING.c.identified_clip_id == of.c.identified_clip_id, _FRAMING.c.aspect_ratio == of.c.aspect_ratio)
    return (
        exports.join(_VIDEO, _VIDEO.c.id == of.c.video_id)
        .outerjoin(_IDENTIFIED, _IDENTIFIED.c.id == of.c.identified_clip_id)
        .outerjoin(_FRAMING, saved)
    )


def drifts_of_jobs(recaptioned: Collection[str] = ()) -> dict[Drift, ColumnElement[bool]]:
    """By reason, whether it holds for an export that was made here. ``recaptioned`` are the jobs whose captions read otherwise now."""
    moved = or_(JOB.c.start_ms != _IDENTIFIED.c.start_ms, JOB.c.end_ms != _IDENTIFIED.c.end_ms)
    return _drifts(moved, FILE_MISSING, recaptioned)


def drifts_of_files(recaptioned: Collection[str] = ()) -> dict[Drift, ColumnElement[bool]]:
    """The same for exported clips, those that a pipeline made included: of these only the range is known."""
    slack = case((JOB.c.id.is_(None), _CUT_SLACK_MS), else_=0)
    edges = ((_EXPORTED.c.start_ms, _IDENTIFIED.c.start_ms), (_EXPORTED.c.end_ms, _IDENTIFIED.c.end_ms))
    moved = or_(*(func.abs(made - wanted) > slack for made, wanted in edges))
    return _drifts(moved, _EXPORTED.c.missing_at.is_not(None), recaptioned)


def is_cut_at(made: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """Whether a pipeline's file, from and to ``made`` (ms), can pass for the clip from and to ``wanted``."""
    return all(abs(edge - other) <= _CUT_SLACK_MS for edge, other in zip(made, wanted, strict=True))


def drifted(drifts: dict[Drift, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether any of them holds."""
    return or_(*drifts.values())


def labelled(drifts: dict[Drift, ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """Columns in the order of ``Drift``, for ``reasons``."""
    return [drifts[drift].label(f"drift_{drift}") for drift in Drift]


def reasons(flags: Sequence[Any]) -> tuple[Drift, ...]:
    """What the columns of ``labelled`` say."""
    return tuple(drift for drift, holds in zip(Drift, flags, strict=True) if holds)


def _drifts(moved: ColumnElement[bool], missing: ColumnElement[bool], recaptioned: Collection[str]) -> dict[Drift, ColumnElement[bool]]:
    framing, saved = JOB.c.framing, _FRAMING.c
    cropped = FRAMING_MODE.in_((FramingMode.CENTRE, FramingMode.MANUAL))
    elsewhere = (func.abs(framing[axis].as_float() - column) > _SHARE for axis, column in (("x", saved.x), ("y", saved.y)))
    return {
        Drift.MISSING: _known(missing),
        Drift.SOURCE: _known(and_(JOB.c.source_etag != "", _VIDEO.c.etag != "", JOB.c.source_etag != _VIDEO.c.etag)),
        Drift.RANGE: _known(moved),
        Drift.CROP: _known(and_(cropped, saved.chosen_at > JOB.c.created_at, or_(*elsewhere))),
        Drift.CAPTIONS: _known(JOB.c.id.in_(list(recaptioned))) if recaptioned else false(),
        Drift.RECIPE: _known(JOB.c.recipe < RECIPE_VERSION),
    }


def _known(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """False, not unknown, where what it looks at is not there."""
    return func.coalesce(condition, false())
