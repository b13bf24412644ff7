"""Resolve choices in the export dialog: which cells they mean, which of them exist, and how long the others take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.export_identity import RECIPE_VERSION, export_identity
from clipviewer.domain.framing import Framing
from clipviewer.domain.ids import is_id
from clipviewer.domain.language import ORIGINAL, language_name
from clipviewer.errors import Invalid, VideoNotFound
from clipviewer.services.cells.board import CellView, cells_by_identity
from clipviewer.services.cells.drift import is_cut_at
from clipviewer.services.exporting.estimate import estimated_seconds
from clipviewer.services.room.captions import captions_of, captions_of_cell, find_track
from clipviewer.services.room.framings import saved_framings

MAX_CELLS = 1_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One file to make: a candidate in one aspect ratio and one language."""

    identified_clip_id: str
    aspect_ratio: AspectRatio
    target_language: str


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """``missing`` would be rendered, in about ``seconds`` of wall time; ``present`` exist or are being made, and would be left alone."""

    missing: Sequence[Cell]
    present: Sequence[Cell]
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class WantedExport:
    """A cell with the range (ms) and title of its clip, and what else determines its file; ``captions`` as in its identity."""

    cell: Cell
    identity: str
    framing: Framing
    captions: str
    start_ms: int
    end_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """The chosen cells in the order of the clips. ``known`` are the jobs among them, by identity; ``delivered`` came from a pipeline."""

    wanted: Sequence[WantedExport]
    known: Mapping[str, CellView]
    delivered: frozenset[Cell]

    def is_missing(self, item: WantedExport) -> bool:
        there = self.known.get(item.identity)
        return item.cell not in self.delivered if there is None else there.needs_requeue


def plan_exports(
    db: Session,
    video_id: str,
    clip_ids: Sequence[str],
    choices: ExportChoices,
) -> ExportPlan:
    """Return what ``request_exports`` would do with the same choices, in the order of the clips. Unknown clips are left out.

    Raises ``VideoNotFound``, and ``Invalid`` for a language without captions.
    """
    check_languages(db, video_id, choices.languages, choices.captions)
    there = export_status(db, video_id, clip_ids, choices)
    missing = {item.identity: item for item in there.wanted if there.is_missing(item)}
    cells = {item.cell for item in missing.values()}
    seconds = estimated_seconds(db, [item.end_ms - item.start_ms for item in missing.values()])
    return ExportPlan([item.cell for item in missing.values()], [item.cell for item in there.wanted if item.cell not in cells], seconds)


def export_status(
    db: Session,
    video_id: str,
    clip_ids: Sequence[str],
    choices: ExportChoices,
) -> ExportStatus:
    """Return every cell of the choices whose clip exists, and which of them have a file or a job. Raises ``VideoNotFound``."""
    wanted = _wanted_exports(db, video_id, clip_ids, choices)
    known = cells_by_identity(db, [item.identity for item in wanted])
    return ExportStatus(wanted, known, _find_delivered(db, video_id, [item for item in wanted if item.identity not in known]))


def served_languages(db: Session, video_id: str) -> list[str]:
    """Return the languages in which clips can be exported now: the spoken one, and those of the captions. Raises ``VideoNotFound``."""
    return [ORIGINAL, *(captions.language for captions in captions_of(db, video_id) if captions.language != ORIGINAL)]


def check_languages(db: Session, video_id: str, languages: Sequence[str], captions: CaptionMode) -> None:
    """Raise ``VideoNotFound``, or ``Invalid`` for a language without captions: a file in it would equal the original."""
    served = served_languages(db, video_id)
    for language in languages:
        if language not in served:
            raise Invalid(f"This video has no captions in {language_name(language)}, so it cannot be exported in it. Attach some first.")
        if language != ORIGINAL and captions is CaptionMode.OFF:
            name = language_name(language)
            raise Invalid(f"Without captions, an export in {name} would equal the original. Choose soft or burned-in captions.")


def source_etag(db: Session, video_id: str) -> str:
    """Return the ETag of the video's object. Raises ``VideoNotFound``."""
    query = select(col(Video.etag)).where(col(Video.id) == video_id)
    etag = db.execute(query).scalar_one_or_none() if is_id(video_id, "video") else None
    if etag is None:
        raise VideoNotFound
    return str(etag)


def _wanted_exports(
    db: Session,
    video_id: str,
    clip_ids: Sequence[str],
    choices: ExportChoices,
) -> list[WantedExport]:
    etag = source_etag(db, video_id)
    columns = (col(IdentifiedClip.id), col(IdentifiedClip.start_ms), col(IdentifiedClip.end_ms), col(IdentifiedClip.title))
    query = select(*columns).where(col(IdentifiedClip.video_id) == video_id, col(IdentifiedClip.id).in_(list(clip_ids)))
    clips = {row.id: row for row in db.execute(query)}
    saved = saved_framings(db, clips)
    languages, captions = choices.languages, choices.captions
    tracks = {language: find_track(db, video_id, language) for language in languages} if captions is not CaptionMode.OFF else {}
    wanted = []
    for clip in (clips[clip_id] for clip_id in dict.fromkeys(clip_ids) if clip_id in clips):
        shown = {language: captions_of_cell(tracks.get(language), language, captions, clip.start_ms, clip.end_ms) for language in languages}
        for ratio in dict.fromkeys(choices.ratios):
            chosen = choices.framings.get(ratio) or saved.get((clip.id, ratio), Framing())
            for language, part in shown.items():
                identity = export_identity(
                    video_id,
                    etag,
                    clip.start_ms,
                    clip.end_ms,
                    ratio=ratio,
                    language=language,
                    framing=chosen,
                    captions=part,
                    recipe=RECIPE_VERSION,
                )
                wanted.append(WantedExport(Cell(clip.id, ratio, language), identity, chosen, part, clip.start_ms, clip.end_ms, clip.title))
    return wanted


def _find_delivered(db: Session, video_id: str, wanted: Iterable[WantedExport]) -> frozenset[Cell]:
    """Return the cells that a pipeline has registered, by range, or by clip while the file is cut where the clip is.

    The framing of such a file is unknown, so it counts as the default one. In another language than the spoken one it counts as having any
    captions; in the spoken one only if it came with some.
    """
    plain = [item for item in wanted if item.framing == Framing()]
    if not plain:
        return frozenset()
    made_here = select(col(ExportJob.exported_clip_id)).where(
        col(ExportJob.video_id) == video_id, col(ExportJob.exported_clip_id).is_not(None)
    )
    columns = (
        col(ExportedClip.identified_clip_id),
        col(ExportedClip.start_ms),
        col(ExportedClip.end_ms),
        col(ExportedClip.aspect_ratio),
        col(ExportedClip.target_language),
    )
    query = select(*columns, col(ExportedClip.captions_key).is_not(None)).where(
        col(ExportedClip.video_id) == video_id, col(ExportedClip.missing_at).is_(None), col(ExportedClip.id).not_in(made_here)
    )
    ranges = {item.cell.identified_clip_id: (item.start_ms, item.end_ms) for item in plain}
    there: set[tuple[object, ...]] = set()
    for clip_id, start_ms, end_ms, ratio, language, captioned in db.execute(query):
        for told in (False, True) if captioned or language != ORIGINAL else (False,):
            there.add((start_ms, end_ms, ratio, language, told))
            if clip_id in ranges and is_cut_at((start_ms, end_ms), ranges[clip_id]):
                there.add((clip_id, ratio, language, told))
    return frozenset(
        item.cell
        for item in plain
        if (item.start_ms, item.end_ms, item.cell.aspect_ratio, item.cell.target_language, bool(item.captions)) in there
        or (item.cell.identified_clip_id, item.cell.aspect_ratio, item.cell.target_language, bool(item.captions)) in there
    )
