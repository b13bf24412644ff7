"""Export jobs for cells of clip × aspect ratio × language: request, cancel, retry.

A request only writes rows; the workers (``clipviewer.jobs``) claim queued rows. A cell is identified by what determines its file, so
requesting it twice, or concurrently, returns the same row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode, parse_mode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.export_identity import RECIPE_VERSION, export_identity
from clipviewer.domain.ids import new_id
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.errors import ClipNotFound, Conflict, Invalid
from clipviewer.services.cells.board import (
    CellView,
    cell,
    cells_by_identity,
    change,
    framing_json,
    framing_of,
    hold_board,
    set_revision,
)
from clipviewer.services.exporting.choices import (
    MAX_CELLS,
    WantedExport,
    check_languages,
    export_status,
    source_etag,
)
from clipviewer.services.library.videos import require_changeable
from clipviewer.services.retrying import FRESH
from clipviewer.services.room.captions import captions_of_cell, find_track


def request_exports(
    db: Session,
    video_id: str,
    clip_ids: Sequence[str],
    choices: ExportChoices,
    *,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> list[CellView]:
    """Queue the missing exports; return the cells of these choices in the order of the clips, new or known.

    A failed or cancelled cell is queued again. Exports delivered by a pipeline have no cell and are left out. In the spoken
    language only clips with captions get some. Raises ``VideoNotFound``, ``ClipNotFound``, ``Conflict`` for a deleted
    video, and ``Invalid`` for a language without captions, nothing chosen, or more than 1,000 cells.
    """
    if not (clip_ids and choices.ratios and choices.languages):
        raise Invalid("Choose at least one clip, one aspect ratio and one language.")
    if len(set(clip_ids)) * len(set(choices.ratios)) * len(set(choices.languages)) > MAX_CELLS:
        raise Invalid(f"This is more than {MAX_CELLS} exports at once. Choose fewer clips.")
    require_changeable(db, video_id)
    check_languages(db, video_id, choices.languages, choices.captions)
    revision = hold_board(db, video_id)
    etag = source_etag(db, video_id)
    there = export_status(db, video_id, clip_ids, choices)
    if {item.cell.identified_clip_id for item in there.wanted} != set(clip_ids):
        raise ClipNotFound("One of these clips no longer exists. Reload the page.")
    now, rows = clock(), {}
    for item in there.wanted:
        if item.identity in rows or not there.is_missing(item):
            continue
        revision += 1
        if (known := there.known.get(item.identity)) is not None:
            _requeue(db, known.id, revision, actor, now)
        else:
            rows[item.identity] = _new_row(video_id, etag, item, revision, actor, now)
    if rows:
        db.execute(insert(ExportJob), list(rows.values()))
    set_revision(db, video_id, revision)
    found = cells_by_identity(db, [item.identity for item in there.wanted])
    return list({item.identity: found[item.identity] for item in there.wanted if item.identity in found}.values())


def cancel(db: Session, job_id: str, *, clock: Callable[[], datetime] = utc_now) -> CellView:
    """Cancel an export; its worker notices within a second. Raises ``JobNotFound``, and ``Conflict`` if it is done."""
    found = _lock_cell(db, job_id)
    if found.state == JobState.DONE:
        raise Conflict("This export is already finished, so it cannot be cancelled.")
    change(
        db, job_id, found.video_id, clock(), col(ExportJob.state).in_(UNFINISHED), state=JobState.CANCELLED, progress=0.0, reason="", log=""
    )
    return cell(db, job_id)


def retry(db: Session, job_id: str, *, actor: str = "", clock: Callable[[], datetime] = utc_now) -> CellView:
    """Queue a failed or cancelled export again, from the video and its captions as they are now; leave one that is under way alone.

    Raises ``JobNotFound``, ``Invalid`` if its captions are gone, and ``Conflict`` if it is done, or another job makes the same file.
    """
    found = _lock_cell(db, job_id)
    if found.state in UNFINISHED:
        return found
    if not found.needs_requeue:
        raise Conflict("This export is already finished.")
    require_changeable(db, found.video_id)
    etag = source_etag(db, found.video_id)
    captions = _captions_now(db, found)
    identity = export_identity(
        found.video_id,
        etag,
        found.start_ms,
        found.end_ms,
        ratio=AspectRatio(found.aspect_ratio),
        language=found.target_language,
        framing=framing_of(found.framing),
        captions=captions,
        recipe=RECIPE_VERSION,
    )
    same = cells_by_identity(db, [identity]).get(identity)
    if same is not None and same.id != job_id:
        raise Conflict("The same export was requested again meanwhile. Follow that one.")
    renewed = {"identity": identity, "source_etag": etag, "captions": captions, "recipe": RECIPE_VERSION}
    db.execute(update(ExportJob).where(col(ExportJob.id) == job_id).values(**renewed))
    revision = hold_board(db, found.video_id) + 1
    _requeue(db, job_id, revision, actor, clock())
    set_revision(db, found.video_id, revision)
    return cell(db, job_id)


def _lock_cell(db: Session, job_id: str) -> CellView:
    """Lock the cell's board and return the cell."""
    hold_board(db, cell(db, job_id).video_id)
    return cell(db, job_id)


def _captions_now(db: Session, found: CellView) -> str:
    mode = parse_mode(found.captions)
    if mode is CaptionMode.OFF:
        return ""
    check_languages(db, found.video_id, [found.target_language], mode)
    whole = find_track(db, found.video_id, found.target_language)
    return captions_of_cell(whole, found.target_language, mode, found.start_ms, found.end_ms)


def _new_row(video_id: str, etag: str, item: WantedExport, revision: int, actor: str, now: datetime) -> dict[str, object]:
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
        "captions": item.captions,
        "recipe": RECIPE_VERSION,
        "state": JobState.QUEUED.value,
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


def _requeue(db: Session, job_id: str, revision: int, actor: str, now: datetime) -> None:
    values = {"state": JobState.QUEUED, "progress": 0.0, "reason": "", "log": "", "exported_clip_id": None, "requested_by": actor}
    again = (
        update(ExportJob)
        .where(col(ExportJob.id) == job_id)
        .values(attempt=col(ExportJob.attempt) + 1, revision=revision, updated_at=now, **values, **FRESH)
    )
    db.execute(again)
