"""Exports to be made: which cells of clip × aspect ratio × language are new, and which are in the bucket already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session

from clipviewer.db.models import ExportedClip
from clipviewer.domain.aspect_ratio import AspectRatio

_EXPORTED = ExportedClip.metadata.tables["exported_clip"].c


@dataclass(frozen=True, slots=True)
class Cell:
    """One file to be: a candidate in one aspect ratio and one language."""

    identified_clip_id: str
    aspect_ratio: AspectRatio
    target_language: str


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """``missing`` would be rendered; ``present`` are there and would be left alone."""

    missing: Sequence[Cell]
    present: Sequence[Cell]


def plan_exports(
    db: Session, video_id: str, clip_ids: Sequence[str], ratios: Sequence[AspectRatio], languages: Sequence[str]
) -> ExportPlan:
    """The cells that those choices ask for, in the order of the clips."""
    rows = db.connection().execute(
        select(_EXPORTED.identified_clip_id, _EXPORTED.aspect_ratio, _EXPORTED.target_language).where(
            _EXPORTED.video_id == video_id, _EXPORTED.identified_clip_id.in_(list(clip_ids))
        )
    )
    there = {tuple(row) for row in rows}
    cells = [Cell(clip_id, ratio, language) for clip_id in clip_ids for ratio in ratios for language in languages]
    present = [cell for cell in cells if (cell.identified_clip_id, cell.aspect_ratio.value, cell.target_language) in there]
    return ExportPlan(missing=[cell for cell in cells if cell not in present], present=present)
