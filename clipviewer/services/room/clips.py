"""The clips of a video, ordered by start, then id."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, and_, bindparam, func, inspect, literal, or_, select, true
from sqlalchemy.orm import Session, join
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip
from clipviewer.domain.ids import is_id
from clipviewer.domain.language import language_name
from clipviewer.domain.object_key import check_object_key
from clipviewer.errors import ClipNotFound
from clipviewer.services.cells.drift import FILE_DRIFTS, FILE_STATE, FRAMING_MODE, Drift, files_with_origins, label_columns, reasons
from clipviewer.services.cells.filters import ExportFilters
from clipviewer.services.library.videos import is_kept

_Clip = type[ExportedClip] | type[IdentifiedClip]
_ALL = 2**31 - 1
ANY = ExportFilters()
MAX_NAME_BYTES = 180


@dataclass(frozen=True, slots=True)
class ExportedClipView:
    """An export. Times are ms in the master, ``size`` is bytes.

    ``framing``, ``captions`` (each a mode, "" if unknown) and ``drift`` are read for lists only.
    """

    id: str
    video_id: str
    identified_clip_id: str | None
    title: str
    start_ms: int
    end_ms: int
    s3_key: str
    aspect_ratio: str
    target_language: str
    size: int
    created_at: datetime
    captions_key: str | None = None
    framing: str = ""
    captions: str = ""
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True, slots=True)
class IdentifiedClipView:
    """A candidate. Times are ms in the master; ``score`` is on the pipeline's own scale, ``score_parts`` names its parts.

    ``reference``, ``origin`` and ``reasons`` are described by ``db.models.IdentifiedClip``.
    """

    id: str
    video_id: str
    title: str
    start_ms: int
    end_ms: int
    score: float | None
    score_parts: dict[str, float]
    origin: str = "pipeline"
    reasons: Sequence[str] = ()
    reference: str = ""


def exported_clips(
    db: Session,
    video_id: str,
    *,
    offset: int = 0,
    limit: int | None = None,
    filters: ExportFilters = ANY,
    recaptioned: Collection[str] = (),
) -> list[ExportedClipView]:
    """Return the video's exports from ``offset`` on, all without a ``limit``. Empty for an unknown video.

    ``recaptioned`` are the jobs whose captions have changed, for ``drift``.
    """
    listed = _filtered(filters).listed if filters.narrow else _EXPORTED_LIST
    return [_exported(row) for row in _rows(db, listed, video_id, offset, limit, recaptioned)]


def delivered_clips(db: Session, video_id: str, *, offset: int = 0, limit: int | None = None) -> Sequence[Row[Any]]:
    """Return a window of the video's exported clips as rows of ``DELIVERED``, without how they were made. Empty for an unknown video."""
    rows: Sequence[Row[Any]] = _rows(db, _DELIVERED_LIST, video_id, offset, limit).all() if is_id(video_id, "video") else ()
    return rows


def identified_clips(db: Session, video_id: str, *, offset: int = 0, limit: int | None = None) -> list[IdentifiedClipView]:
    """Return the video's candidates from ``offset`` on, all without a ``limit``. Empty for an unknown video."""
    return [IdentifiedClipView(*row) for row in _rows(db, _IDENTIFIED_LIST, video_id, offset, limit)]


def identified_ranges(db: Session, video_id: str) -> list[tuple[int, int]]:
    """Return the ranges of the video's candidates, in order."""
    query = select(col(IdentifiedClip.start_ms), col(IdentifiedClip.end_ms)).where(col(IdentifiedClip.video_id) == video_id)
    rows = db.execute(query.order_by(col(IdentifiedClip.start_ms), col(IdentifiedClip.id))) if is_id(video_id, "video") else ()
    return [(start, end) for start, end in rows]


def count_exported(db: Session, video_id: str, filters: ExportFilters = ANY, recaptioned: Collection[str] = ()) -> int:
    if not filters.narrow:
        return _count(db, _EXPORTED_COUNT, video_id)
    return _count(db, _filtered(filters).count, video_id, recaptioned)


def count_identified(db: Session, video_id: str) -> int:
    return _count(db, _IDENTIFIED_COUNT, video_id)


def exported_position(db: Session, video_id: str, clip_id: str, filters: ExportFilters = ANY, recaptioned: Collection[str] = ()) -> int:
    """Return the clip's index in ``exported_clips``; raises ``ClipNotFound``, also if ``filters`` exclude it."""
    if not filters.narrow:
        return _position(db, _EXPORTED_POSITION, video_id, clip_id)
    return _position(db, _filtered(filters).position, video_id, clip_id, recaptioned)


def identified_position(db: Session, video_id: str, clip_id: str) -> int:
    """Return the clip's index in ``identified_clips``; raises ``ClipNotFound``."""
    return _position(db, _IDENTIFIED_POSITION, video_id, clip_id)


def exported_clip(db: Session, video_id: str, clip_id: str) -> ExportedClipView:
    """Return one export of that video; raises ``ClipNotFound``, also if the video is deleted."""
    if not is_id(video_id, "video") or not is_id(clip_id, "clip"):
        raise ClipNotFound
    return _one_exported(db, _BY_ID, {"video_id": video_id, "clip_id": clip_id})


def identified_clip(db: Session, video_id: str, clip_id: str) -> IdentifiedClipView:
    """Return one candidate of that video; raises ``ClipNotFound``, also if the video is deleted."""
    known = is_id(video_id, "video") and is_id(clip_id, "clip")
    row = db.execute(_IDENTIFIED_ONE, {"video_id": video_id, "clip_id": clip_id}).one_or_none() if known else None
    if row is None:
        raise ClipNotFound
    return IdentifiedClipView(*row)


def clip_for_key(db: Session, video_id: str, s3_key: str) -> ExportedClipView:
    """Return the video's export whose stored key equals ``s3_key``; raises ``ClipNotFound``, also if the video is deleted.

    This decides what may be signed, so it compares exactly and never normalizes.
    """
    try:
        check_object_key(s3_key)
    except ValueError:
        raise ClipNotFound from None
    if not is_id(video_id, "video"):
        raise ClipNotFound
    return _one_exported(db, _BY_KEY, {"video_id": video_id, "s3_key": s3_key})


def download_name(clip: ExportedClipView, video_title: str) -> str:
    """Return a readable file name of at most 180 bytes: ``Title – 02.05–03.41 – 9x16 – English.mp4``."""
    suffix = re.search(r"\.[A-Za-z0-9]{1,5}$", clip.s3_key)
    ratio, language = clip.aspect_ratio.replace(":", "x"), language_name(clip.target_language)
    tail = f"{_stamp(clip.start_ms)}–{_stamp(clip.end_ms)} – {ratio} – {language}{suffix.group() if suffix else '.mp4'}"
    head = _plain(clip.title) or _plain(video_title) or "Clip"
    room = MAX_NAME_BYTES - len(f" – {tail}".encode())
    return f"{head.encode()[:room].decode(errors='ignore').rstrip(' .')} – {tail}"


def _plain(text: str) -> str:
    """Return ``text`` without what a file name cannot contain on any system, or what could disguise it."""
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" or char in '/\\:*?"<>|' else char for char in text)
    return " ".join(kept.split()).strip(". ")


def _stamp(ms: int) -> str:
    minutes, second = divmod(ms // 1000, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}.{minute:02d}.{second:02d}" if hours else f"{minute:02d}.{second:02d}"


def _window(query: Select[Any], clip: _Clip) -> Select[Any]:
    """Limit ``query`` to a part of one video's list."""
    in_order = query.where(col(clip.video_id) == bindparam("video_id")).order_by(col(clip.start_ms), col(clip.id))
    return in_order.offset(bindparam("offset")).limit(bindparam("limit"))


def _add_details(window: Select[Any]) -> Select[Any]:
    """Return the exports of ``window`` with details of their making, read for these alone."""
    listed = window.subquery("listed")
    making = (FRAMING_MODE, col(ExportJob.captions), *label_columns(FILE_DRIFTS))
    origins = join(files_with_origins(), listed, listed.c.id == col(ExportedClip.id))
    return select(*_COLUMNS, *making).select_from(origins).order_by(col(ExportedClip.start_ms), col(ExportedClip.id))


def _exported(row: Row[Any]) -> ExportedClipView:
    plain = dict(zip(_PLAIN, row, strict=False))
    framing, captions, *flags = row[len(_PLAIN) :]
    return ExportedClipView(**plain, framing=framing or "", captions=(captions or "").partition(":")[0], drift=reasons(flags))


def _wanted(filters: ExportFilters) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if filters.ratio:
        conditions.append(col(ExportedClip.aspect_ratio) == filters.ratio)
    if filters.language:
        conditions.append(col(ExportedClip.target_language) == filters.language)
    if filters.state:
        conditions.append(literal(filters.state) == FILE_STATE)
    return and_(*conditions)


def _counting(clip: _Clip) -> Select[Any]:
    return select(func.count()).select_from(clip).where(col(clip.video_id) == bindparam("video_id"))


def _position_query(table: FromClause) -> Select[Any]:
    """Count the clips of the video before the given one; no row if the video does not have it."""
    other = table.alias("earlier")
    before = or_(other.c.start_ms < table.c.start_ms, and_(other.c.start_ms == table.c.start_ms, other.c.id < table.c.id))
    count = select(func.count()).select_from(other).where(other.c.video_id == table.c.video_id, before).correlate(table)
    return select(count.scalar_subquery()).where(table.c.id == bindparam("clip_id"), table.c.video_id == bindparam("video_id"))


@dataclass(frozen=True, slots=True)
class _Filtered:
    """The statements over the exported clips that filters leave."""

    listed: Select[Any]
    count: Select[Any]
    position: Select[Any]


@lru_cache(256)
def _filtered(filters: ExportFilters) -> _Filtered:
    """Building a statement takes as long as running it."""
    wanted = select(col(ExportedClip.id)).select_from(files_with_origins()).where(_wanted(filters))
    left = wanted.where(_OF_VIDEO)
    edges = left.with_only_columns(col(ExportedClip.id), col(ExportedClip.start_ms), col(ExportedClip.video_id)).cte("listed")
    return _Filtered(_add_details(_window(wanted, ExportedClip)), left.with_only_columns(func.count()), _position_query(edges))


_PLAIN = [field.name for field in fields(ExportedClipView) if field.name in ExportedClip.model_fields]
_COLUMNS = [col(getattr(ExportedClip, name)) for name in _PLAIN]
_OF_VIDEO = col(ExportedClip.video_id) == bindparam("video_id")
_EXPORTED_LIST = _add_details(_window(select(col(ExportedClip.id)), ExportedClip))
_CANDIDATES = select(*(col(getattr(IdentifiedClip, field.name)) for field in fields(IdentifiedClipView)))
_IDENTIFIED_LIST = _window(_CANDIDATES, IdentifiedClip)
DELIVERED: tuple[Any, ...] = (
    col(ExportedClip.id),
    col(ExportedClip.video_id),
    col(ExportedClip.identified_clip_id),
    col(ExportedClip.title),
    col(ExportedClip.start_ms),
    col(ExportedClip.end_ms),
    col(ExportedClip.s3_key),
    col(ExportedClip.aspect_ratio),
    col(ExportedClip.target_language),
    col(ExportedClip.size),
    col(ExportedClip.created_at),
)
_DELIVERED_LIST = _window(select(*DELIVERED), ExportedClip)
_IDENTIFIED_ONE = _CANDIDATES.where(
    col(IdentifiedClip.id) == bindparam("clip_id"),
    col(IdentifiedClip.video_id) == bindparam("video_id"),
    is_kept(col(IdentifiedClip.video_id)),
)
_EXPORTED_COUNT, _IDENTIFIED_COUNT = _counting(ExportedClip), _counting(IdentifiedClip)
_EXPORTED_POSITION, _IDENTIFIED_POSITION = (_position_query(inspect(clip).local_table) for clip in (ExportedClip, IdentifiedClip))
_ONE = select(*_COLUMNS).where(_OF_VIDEO, is_kept(col(ExportedClip.video_id)))
_BY_ID = _ONE.where(col(ExportedClip.id) == bindparam("clip_id"))
_BY_KEY = _ONE.where(col(ExportedClip.s3_key) == bindparam("s3_key"))


def _rows(db: Session, statement: Any, video_id: str, offset: int, limit: int | None, recaptioned: Collection[str] = ()) -> Any:
    if not is_id(video_id, "video"):
        return ()
    window = {"offset": min(max(offset, 0), _ALL), "limit": _ALL if limit is None else min(max(limit, 0), _ALL)}
    return db.execute(statement, {"video_id": video_id, "recaptioned": list(recaptioned), **window})


def _count(db: Session, statement: Any, video_id: str, recaptioned: Collection[str] = ()) -> int:
    given = {"video_id": video_id, "recaptioned": list(recaptioned)}
    return int(db.execute(statement, given).scalar_one()) if is_id(video_id, "video") else 0


def _position(db: Session, statement: Any, video_id: str, clip_id: str, recaptioned: Collection[str] = ()) -> int:
    known = is_id(video_id, "video") and is_id(clip_id, "clip")
    given = {"video_id": video_id, "clip_id": clip_id, "recaptioned": list(recaptioned)}
    position = db.execute(statement, given).scalar_one_or_none() if known else None
    if position is None:
        raise ClipNotFound
    return int(position)


def _one_exported(db: Session, statement: Any, parameters: dict[str, str]) -> ExportedClipView:
    row = db.execute(statement, parameters).one_or_none()
    if row is None:
        raise ClipNotFound
    return ExportedClipView(*row)
