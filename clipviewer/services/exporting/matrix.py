"""The export matrix of a video: for each of its clips, the exports in each aspect ratio and language, and their state.

The candidates come first, in the order of the footage, then the ranges that only exported clips have. The database pages, filters and
counts, so a video may have very many clips.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, false, func, literal, null, select, union, union_all
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.job_state import JobState
from clipviewer.domain.language import ORIGINAL
from clipviewer.services.cells.drift import FILE_STATE, files_with_origins
from clipviewer.services.cells.filters import CellState, ExportFilters
from clipviewer.services.exporting.choices import served_languages
from clipviewer.services.exporting.matrix_entries import (
    MatrixEntry,
    all_entries,
    entries_of_clips,
    entries_of_ranges,
    has_range_of,
)
from clipviewer.services.room.recaptioned import recaptioned_jobs

MAX_ROWS = 60

_CLIP_COLUMNS = (col(IdentifiedClip.id), col(IdentifiedClip.title), col(IdentifiedClip.start_ms), col(IdentifiedClip.end_ms))


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """A candidate, or with ``clip_id`` "" a range (ms) that only exported clips have, of which nothing can be exported."""

    clip_id: str
    title: str
    start_ms: int
    end_ms: int
    entries: Sequence[MatrixEntry]


@dataclass(frozen=True, slots=True)
class MatrixPage:
    """``rows`` from ``offset`` on, of ``total``; ``languages`` are the columns, beside all the aspect ratios.

    Only in the ``served`` languages can a cell be missing: in others nothing can be exported before they have captions.
    """

    rows: Sequence[MatrixRow]
    offset: int
    total: int
    languages: Sequence[str]
    served: Sequence[str]


def matrix(db: Session, video_id: str, *, offset: int = 0, limit: int = MAX_ROWS, filters: ExportFilters | None = None) -> MatrixPage:
    """Return a page of at most ``MAX_ROWS`` rows. Raises ``VideoNotFound``.

    With a state in ``filters`` it has only rows with such a cell among the shown ratios and languages, ``missing`` included.
    """
    filters = filters or ExportFilters()
    served = served_languages(db, video_id)
    languages = matrix_languages(db, video_id)
    recaptioned = recaptioned_jobs(db, video_id)
    wanted = _wanted_clips(video_id, filters, served)
    ranges = _ranges(video_id, filters)
    candidates = _count(db, wanted, recaptioned)
    total = candidates + _count(db, ranges, recaptioned)
    offset, limit = min(max(offset, 0), total), min(max(limit, 0), MAX_ROWS)
    rows = _clips(db, wanted, offset, limit, recaptioned)
    if (rest := limit - len(rows)) and total > candidates:
        in_order = ranges.order_by(col(ExportedClip.start_ms), col(ExportedClip.end_ms))
        found = db.execute(in_order.offset(max(0, offset - candidates)).limit(rest), {"recaptioned": recaptioned})
        rows += [MatrixRow("", row.title, row.start_ms, row.end_ms, ()) for row in found]
    return MatrixPage(_fill_rows(db, video_id, rows, languages, recaptioned), offset, total, languages, served)


def matrix_languages(db: Session, video_id: str) -> list[str]:
    """Return the original, then every language in which something was or can be exported, by tag."""
    there = union(
        select(col(ExportedClip.target_language)).where(col(ExportedClip.video_id) == video_id),
        select(col(ExportJob.target_language)).where(col(ExportJob.video_id) == video_id, col(ExportJob.state) != JobState.CANCELLED),
        select(col(VideoCaptions.language)).where(col(VideoCaptions.video_id) == video_id),
    )
    return [ORIGINAL, *sorted({*db.execute(there).scalars()} - {ORIGINAL})]


def _wanted_clips(video_id: str, filters: ExportFilters, served: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Return the query for the candidates that ``filters`` let through.

    Candidates and filtered exports are stacked and grouped by candidate. That takes one sort or hash whatever the database expects of
    the tables; a semi-join can become a nested loop over all exports where most other videos have only a few.
    """
    clips = select(*_CLIP_COLUMNS).where(col(IdentifiedClip.video_id) == video_id)
    if not filters.state:
        return clips
    entries = all_entries(video_id).c
    ratios = [filters.ratio] if filters.ratio else list(AspectRatio)
    among = select(entries.clip.label("id"), null().label("title"), null().label("start_ms"), null().label("end_ms"))
    among = among.where(entries.ratio.in_(ratios))
    if filters.state != CellState.MISSING:
        spoken = among.where(entries.language == filters.language) if filters.language else among
        return _grouped(clips, spoken.where(entries.state == filters.state), met=True)
    languages = [language for language in served if filters.language in ("", language)]
    cells = func.count((entries.ratio + " " + entries.language).distinct())
    whole = among.where(entries.language.in_(languages)).group_by(entries.clip).having(cells >= len(ratios) * len(languages))
    return _grouped(clips, whole, met=False) if languages else clips.where(false())


def _grouped(clips: Select[*tuple[Any, ...]], others: Select[Any], *, met: bool) -> Select[Any]:
    """Return the candidates that ``others`` names too, or those that it does not."""
    both = union_all(clips, others).subquery("both").c
    edges = (func.max(both.title).label("title"), func.max(both.start_ms).label("start_ms"), func.max(both.end_ms).label("end_ms"))
    once = func.count() == 1
    return select(both.id, *edges).group_by(both.id).having(func.count(both.start_ms) == 1, ~once if met else once)


def _ranges(video_id: str, filters: ExportFilters) -> Any:
    """Return the query for ranges that no candidate has; ``filters`` apply to their exports."""
    same = aliased(IdentifiedClip, name="same")
    query = (
        select(col(ExportedClip.start_ms), col(ExportedClip.end_ms), func.max(col(ExportedClip.title)).label("title"))
        .select_from(files_with_origins())
        .where(col(ExportedClip.video_id) == video_id, col(ExportedClip.identified_clip_id).is_(None))
        .where(~select(col(same.id)).where(has_range_of(same)).exists())
        .group_by(col(ExportedClip.start_ms), col(ExportedClip.end_ms))
    )
    if filters.ratio:
        query = query.where(col(ExportedClip.aspect_ratio) == filters.ratio)
    if filters.language:
        query = query.where(col(ExportedClip.target_language) == filters.language)
    if filters.state:
        query = query.where(literal(filters.state) == FILE_STATE)
    return query


def _clips(db: Session, wanted: Select[*tuple[Any, ...]], offset: int, limit: int, recaptioned: Sequence[str]) -> list[MatrixRow]:
    query = wanted.order_by("start_ms", "id").offset(offset).limit(limit)
    return [MatrixRow(row.id, row.title, row.start_ms, row.end_ms, ()) for row in db.execute(query, {"recaptioned": recaptioned})]


def _fill_rows(
    db: Session, video_id: str, rows: Sequence[MatrixRow], languages: Sequence[str], recaptioned: Collection[str]
) -> list[MatrixRow]:
    """Return the rows with their exports, by ratio and language."""
    of_clips: dict[str, list[MatrixEntry]] = {}
    of_ranges: dict[tuple[int, int], list[MatrixEntry]] = {}
    if clip_ids := [row.clip_id for row in rows if row.clip_id]:
        for clip_id, entry in entries_of_clips(db, clip_ids, recaptioned):
            of_clips.setdefault(clip_id, []).append(entry)
    if rows:
        for edges, entry in entries_of_ranges(db, video_id, {row.start_ms for row in rows}, recaptioned):
            of_ranges.setdefault(edges, []).append(entry)
    order = {name: place for place, name in enumerate((*AspectRatio, *languages))}
    filled = []
    for row in rows:
        found = [*of_clips.get(row.clip_id, ()), *of_ranges.get((row.start_ms, row.end_ms), ())]
        found.sort(key=lambda entry: (order.get(entry.language, 0), order.get(entry.ratio, 0)))
        filled.append(MatrixRow(row.clip_id, row.title, row.start_ms, row.end_ms, tuple(found)))
    return filled


def _count(db: Session, query: Any, recaptioned: Sequence[str]) -> int:
    return int(db.execute(select(func.count()).select_from(query.subquery()), {"recaptioned": recaptioned}).scalar_one())
