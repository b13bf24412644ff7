"""Exports to be made: cells of clip × aspect ratio × language, asked for, cancelled and tried again.

A request only writes rows; the export workers (``clipviewer.jobs``) look for queued rows and do the work. A cell is known by what decides
its file, so asking twice, or many at once, gives the same row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_identity import export_identity
from clipviewer.domain.framing import Framing
from clipviewer.domain.ids import is_id, new_id
from clipviewer.domain.language import ORIGINAL, language_name
from clipviewer.errors import ClipNotFound, Conflict, Invalid, VideoNotFound
from clipviewer.media.render import RECIPE_VERSION
from clipviewer.services.export_cells import (
    JOB,
    UNFINISHED,
    CellView,
    Changes,
    JobNotFound,
    State,
    cell,
    cells,
    cells_by_identity,
    change,
    changes_since,
    count_cells,
    framing_json,
    framing_of,
    hold_board,
    set_revision,
)

__all__ = [
    "UNFINISHED",
    "Cell",
    "CellView",
    "Changes",
    "ExportPlan",
    "JobNotFound",
    "State",
    "cancel",
    "cell",
    "cells",
    "changes_since",
    "count_cells",
    "plan_exports",
    "request_exports",
    "retry",
    "served_languages",
]  # fmt: skip

MAX_CELLS = 1_000
_VIDEO = Video.metadata.tables["video"].c
_IDENTIFIED = IdentifiedClip.metadata.tables["identified_clip"].c
_EXPORTED = ExportedClip.metadata.tables["exported_clip"].c

Framings = Framing | Mapping[AspectRatio, Framing]


@dataclass(frozen=True, slots=True)
class Cell:
    """One file to be: a candidate in one aspect ratio and one language."""

    identified_clip_id: str
    aspect_ratio: AspectRatio
    target_language: str


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """``missing`` would be rendered; ``present`` are there, or on their way, and would be left alone."""

    missing: Sequence[Cell]
    present: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A cell with the range and title of its clip. ``plain``: in no other framing than the default."""

    cell: Cell
    identity: str
    framing: Framing
    start_ms: int
    end_ms: int
    title: str


def plan_exports(
    db: Session,
    video_id: str,
    clip_ids: Sequence[str],
    ratios: Sequence[AspectRatio],
    languages: Sequence[str],
    *,
    framing: Framings | None = None,
) -> ExportPlan:
    """What ``request_exports`` would do with the same choices, in the order of the clips. Clips that are gone are left out."""
    etag = _source_etag(db, video_id)
    wanted = _wanted(db, video_id, etag, clip_ids, ratios, languages, framing)
    known = cells_by_identity(db, [item.identity for item in wanted])
    delivered = _delivered(db, video_id, [item for item in wanted if item.identity not in known])
    missing = [item.cell for item in wanted if _is_missing(item, known, delivered)]
    return ExportPlan(missing=missing, present=[item.cell for item in wanted if item.cell not in missing])


def request_exports(
    db: Session,
    video_id: str,
    clip_ids: Sequence[str],
    ratios: Sequence[AspectRatio],
    languages: Sequence[str],
    *,
    framing: Framings | None = None,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> list[CellView]:
    """Queue what is missing. → the cells of these choices in the order of the clips, new or known.

    A cell that failed or was cancelled is tried again. What a pipeline has delivered already has no cell and is left out. ``framing``
    is for all ratios or by ratio; centre when left out. Raises ``VideoNotFound``, ``ClipNotFound``, and ``Invalid`` for a language that
    cannot be served, nothing chosen, or more than 1,000 cells.
    """
    _check_choices(db, video_id, clip_ids, ratios, languages)
    revision = hold_board(db, video_id)
    etag = _source_etag(db, video_id)
    wanted = _wanted(db, video_id, etag, clip_ids, ratios, languages, framing)
    if {item.cell.identified_clip_id for item in wanted} != set(clip_ids):
        raise ClipNotFound("One of these clips is no longer there. Load the page again.")
    known = cells_by_identity(db, [item.identity for item in wanted])
    delivered = _delivered(db, video_id, [item for item in wanted if item.identity not in known])
    now, rows = clock(), {}
    for item in wanted:
        if item.identity in rows or not _is_missing(item, known, delivered):
            continue
        revision += 1
        if (there := known.get(item.identity)) is not None:
            _queue_again(db, there.id, revision, actor, now)
        else:
            rows[item.identity] = _new_row(video_id, etag, item, revision, actor, now)
    if rows:
        db.connection().execute(insert(JOB), list(rows.values()))
    set_revision(db, video_id, revision)
    known = cells_by_identity(db, [item.identity for item in wanted])
    return list({item.identity: known[item.identity] for item in wanted if item.identity in known}.values())


def cancel(db: Session, job_id: str, *, clock: Callable[[], datetime] = utc_now) -> CellView:
    """Call it off; the worker notices within a second. Raises ``JobNotFound``, and ``Conflict`` when it is done already."""
    found = _held(db, job_id)
    if found.state == State.DONE:
        raise Conflict("This export is finished, so it cannot be cancelled.")
    change(db, job_id, found.video_id, clock(), JOB.c.state.in_(UNFINISHED), state=State.CANCELLED, progress=0.0, reason="", log="")
    return cell(db, job_id)


def retry(db: Session, job_id: str, *, actor: str = "", clock: Callable[[], datetime] = utc_now) -> CellView:
    """Queue a failed or cancelled export again, from the video as it is now; one that is under way stays as it is.

    Raises ``JobNotFound``, and ``Conflict`` when it is done, or the same is being made by another job.
    """
    found = _held(db, job_id)
    if found.state in UNFINISHED:
        return found
    if not found.wants_another_go:
        raise Conflict("This export is finished already.")
    etag = _source_etag(db, found.video_id)
    identity = export_identity(
        found.video_id,
        etag,
        found.start_ms,
        found.end_ms,
        ratio=AspectRatio(found.aspect_ratio),
        language=found.target_language,
        framing=framing_of(found.framing),
        captions=found.captions,
        recipe=RECIPE_VERSION,
    )
    same = cells_by_identity(db, [identity]).get(identity)
    if same is not None and same.id != job_id:
        raise Conflict("The same export was asked for again in the meantime. Follow that one.")
    db.connection().execute(update(JOB).where(JOB.c.id == job_id).values(identity=identity, source_etag=etag, recipe=RECIPE_VERSION))
    revision = hold_board(db, found.video_id) + 1
    _queue_again(db, job_id, revision, actor, clock())
    set_revision(db, found.video_id, revision)
    return cell(db, job_id)


def served_languages(db: Session, video_id: str) -> list[str]:
    """The languages in which the video's clips can be exported now. Raises ``VideoNotFound``."""
    _source_etag(db, video_id)
    return [ORIGINAL]


def _check_choices(db: Session, video_id: str, clip_ids: Sequence[str], ratios: Sequence[AspectRatio], languages: Sequence[str]) -> None:
    served = served_languages(db, video_id)
    if not (clip_ids and ratios and languages):
        raise Invalid("Choose at least one clip, one aspect ratio and one language.")
    if len(set(clip_ids)) * len(set(ratios)) * len(set(languages)) > MAX_CELLS:
        raise Invalid(f"These are more than {MAX_CELLS} exports at once. Choose fewer clips.")
    for language in languages:
        if language not in served:
            raise Invalid(f"This video has no caption track in {language_name(language)}, so it cannot be exported in it.")


def _held(db: Session, job_id: str) -> CellView:
    """The cell as it stands once nobody else can change it."""
    hold_board(db, cell(db, job_id).video_id)
    return cell(db, job_id)


def _source_etag(db: Session, video_id: str) -> str:
    query = select(_VIDEO.etag).where(_VIDEO.id == video_id)
    etag = db.connection().execute(query).scalar_one_or_none() if is_id(video_id, "video") else None
    if etag is None:
        raise VideoNotFound
    return str(etag)


def _wanted(
    db: Session,
    video_id: str,
    etag: str,
    clip_ids: Sequence[str],
    ratios: Sequence[AspectRatio],
    languages: Sequence[str],
    framing: Framings | None,
) -> list[_Wanted]:
    """Every cell of the choices whose clip exists, in the order of ``clip_ids``."""
    columns = (_IDENTIFIED.id, _IDENTIFIED.start_ms, _IDENTIFIED.end_ms, _IDENTIFIED.title)
    query = select(*columns).where(_IDENTIFIED.video_id == video_id, _IDENTIFIED.id.in_(list(clip_ids)))
    clips = {row.id: row for row in db.connection().execute(query)}
    wanted = []
    for clip in (clips[clip_id] for clip_id in dict.fromkeys(clip_ids) if clip_id in clips):
        for ratio in dict.fromkeys(ratios):
            chosen = framing.get(ratio, Framing()) if isinstance(framing, Mapping) else framing or Framing()
            for language in dict.fromkeys(languages):
                identity = export_identity(
                    video_id,
                    etag,
                    clip.start_ms,
                    clip.end_ms,
                    ratio=ratio,
                    language=language,
                    framing=chosen,
                    captions="",
                    recipe=RECIPE_VERSION,
                )
                wanted.append(_Wanted(Cell(clip.id, ratio, language), identity, chosen, clip.start_ms, clip.end_ms, clip.title))
    return wanted


def _is_missing(item: _Wanted, known: Mapping[str, CellView], delivered: set[Cell]) -> bool:
    there = known.get(item.identity)
    return item.cell not in delivered if there is None else there.wants_another_go


def _delivered(db: Session, video_id: str, wanted: Iterable[_Wanted]) -> set[Cell]:
    """Those that a pipeline has registered, by clip or by range; its framing is unknown, so it stands for the default one."""
    plain = [item for item in wanted if item.framing == Framing()]
    if not plain:
        return set()
    made_here = select(JOB.c.exported_clip_id).where(JOB.c.video_id == video_id, JOB.c.exported_clip_id.is_not(None))
    columns = (_EXPORTED.identified_clip_id, _EXPORTED.start_ms, _EXPORTED.end_ms, _EXPORTED.aspect_ratio, _EXPORTED.target_language)
    rows = db.connection().execute(select(*columns).where(_EXPORTED.video_id == video_id, _EXPORTED.id.not_in(made_here))).all()
    there = {(start, end, ratio, language) for _, start, end, ratio, language in rows}
    there_by_clip = {(clip, ratio, language) for clip, _, _, ratio, language in rows}
    return {
        item.cell
        for item in plain
        if (item.start_ms, item.end_ms, item.cell.aspect_ratio, item.cell.target_language) in there
        or (item.cell.identified_clip_id, item.cell.aspect_ratio, item.cell.target_language) in there_by_clip
    }


def _new_row(video_id: str, etag: str, item: _Wanted, revision: int, actor: str, now: datetime) -> dict[str, object]:
    return {
        "id": new_id("job"),
        "identity": item.identity,
        "video_id": video_id,
        "identified_clip_id": item.cell.identified_clip_id,
        "start_ms": item.start_ms,
        "end_ms": item.end_ms,
        "title": item.title,
        "source_etag": etag,
        "aspect_ratio": item.cell.aspect_ratio.value,
        "target_language": item.cell.target_language,
        "framing": framing_json(item.framing),
        "captions": "",
        "recipe": RECIPE_VERSION,
        "state": State.QUEUED.value,
        "progress": 0.0,
        "reason": "",
        "log": "",
        "attempt": 1,
        "number": revision,
        "revision": revision,
        "requested_by": actor,
        "created_at": now,
        "updated_at": now,
    }


def _queue_again(db: Session, job_id: str, revision: int, actor: str, now: datetime) -> None:
    values = {"state": State.QUEUED, "progress": 0.0, "reason": "", "log": "", "exported_clip_id": None, "requested_by": actor}
    again = update(JOB).where(JOB.c.id == job_id).values(attempt=JOB.c.attempt + 1, revision=revision, updated_at=now, **values)
    db.connection().execute(again)
