"""The captions of a video: one track per language, stored as normalized WebVTT."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.models import ExportedClip, Video, utc_now
from clipviewer.domain.caption_mode import CaptionMode, captions_identity, parse_mode
from clipviewer.domain.ids import is_id
from clipviewer.domain.language import ORIGINAL, language_name, parse_language
from clipviewer.errors import Conflict, Invalid, NotFound, RemovedByPerson
from clipviewer.media.captions.reading import Cue
from clipviewer.media.captions.tracks import CaptionTrack, parse_captions, slice_track, to_webvtt
from clipviewer.services.cells.board import CellView
from clipviewer.services.library import removed_items
from clipviewer.services.library.row_writer import Status
from clipviewer.services.library.search_words import index_captions
from clipviewer.services.library.videos import require_changeable, require_video
from clipviewer.services.room.clips import exported_clip

UPLOADED, EMBEDDED, TRANSLATED = "uploaded", "embedded", "translated"
_NAME_LENGTH = 200
_KEPT_READ = 4


class CaptionsNotFound(NotFound):
    code, title = "captions_not_found", "Captions not found in this language"


@dataclass(frozen=True, slots=True)
class CaptionsView:
    """One track. ``origin`` and ``by_person`` are described by ``VideoCaptions``; ``cues`` is the number of captions.

    ``digest`` is SHA-256 in hex.
    """

    id: str
    language: str
    name: str
    origin: str
    cues: int
    digest: str
    created_at: datetime
    by_person: bool = False


_COLUMNS = [col(getattr(VideoCaptions, field.name)) for field in fields(CaptionsView)]


def attach(
    db: Session,
    video_id: str,
    language: str,
    data: bytes,
    name: str,
    *,
    origin: str = UPLOADED,
    by_person: bool = False,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> CaptionsView:
    """Store a ``.vtt`` or ``.srt`` file as the captions in ``language``; ``original`` is the spoken language.

    Replaces those of the same language; the same captions again change nothing. Raises ``VideoNotFound``, ``VideoDeleted``, ``Invalid`` for
    an invalid language, and ``CaptionsUnreadable``.
    """
    return attach_track(
        db, video_id, language, parse_captions(data, name), name, origin=origin, by_person=by_person, actor=actor, clock=clock
    )


def attach_track(
    db: Session,
    video_id: str,
    language: str,
    find_track: CaptionTrack,
    name: str,
    *,
    origin: str,
    by_person: bool = False,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> CaptionsView:
    """Run ``attach`` for parsed captions."""
    return attach_written(
        db, video_id, language, write_track(find_track, name), name, origin=origin, by_person=by_person, actor=actor, clock=clock
    )


@dataclass(frozen=True, slots=True)
class WrittenTrack:
    """Captions as stored: ``text`` is WebVTT, ``cues`` its parsed form, ``digest`` its SHA-256 in hex."""

    text: str
    cues: Sequence[Cue]
    digest: str


def write_track(find_track: CaptionTrack, name: str) -> WrittenTrack:
    """Return the stored form of a track. Slow for large files: call it outside a transaction. Raises ``CaptionsUnreadable``."""
    # The stored form must be readable again, so the limits of a file hold for it, too.
    text = to_webvtt(find_track)
    return WrittenTrack(text, parse_captions(text.encode(), name).cues, hashlib.sha256(text.encode()).hexdigest())


def attach_written(
    db: Session,
    video_id: str,
    language: str,
    find_track: WrittenTrack,
    name: str,
    *,
    origin: str,
    by_person: bool = False,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> CaptionsView:
    """Run ``attach`` for captions in their stored form."""
    validate_language(language)
    require_changeable(db, video_id)
    present = _lock_track(db, video_id, language)
    if present is not None and present.digest == find_track.digest:
        if by_person and not present.by_person:
            db.execute(update(VideoCaptions).where(*_of(video_id, language)).values(by_person=True))
            return replace(present, by_person=True)
        return present
    removed_items.forget_removal(db, video_id, removed_items.CAPTIONS, language)
    db.execute(delete(VideoCaptions).where(*_of(video_id, language)))
    row = VideoCaptions(
        video_id=video_id,
        language=language,
        name=_plain(name) or language_name(language),
        origin=origin,
        webvtt=find_track.text,
        digest=find_track.digest,
        cues=len(find_track.cues),
        added_by=actor,
        by_person=by_person,
        created_at=clock(),
    )
    db.add(row)
    db.flush()
    index_captions(db, row.id, video_id, find_track.cues)
    return CaptionsView(**{field.name: getattr(row, field.name) for field in fields(CaptionsView)})


def attach_chosen(db: Session, video_id: str, language: str, track: WrittenTrack, name: str, *, actor: str) -> tuple[CaptionsView, Status]:
    """Run ``attach`` for captions that a person chose: no program replaces them. Return the present track, and what was done."""
    require_changeable(db, video_id)
    present = _lock_track(db, video_id, language)
    made = attach_written(db, video_id, language, track, name, origin=UPLOADED, by_person=True, actor=actor)
    return made, _status(present, made)


def attach_sent(
    db: Session,
    video_id: str,
    language: str,
    track: WrittenTrack,
    name: str,
    *,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> tuple[CaptionsView, Status]:
    """Run ``attach`` for captions that a program sends: those that a person chose stay. Return the present track, and what was done.

    Raises ``RemovedByPerson`` if a person removed the captions in that language.
    """
    require_changeable(db, video_id)
    present = _lock_track(db, video_id, language)
    if present is None and removed_items.is_removed(db, video_id, removed_items.CAPTIONS, language):
        raise RemovedByPerson("A person has removed the captions in this language: they stay removed. Attach others in the clip room.")
    if present is not None and present.by_person and present.digest != track.digest:
        return present, Status.KEPT
    made = attach_written(db, video_id, language, track, name, origin=UPLOADED, actor=actor, clock=clock)
    return made, _status(present, made)


def _status(before: CaptionsView | None, after: CaptionsView) -> Status:
    if before is None:
        return Status.CREATED
    return Status.UNCHANGED if before.id == after.id else Status.UPDATED


def captions_of(db: Session, video_id: str) -> list[CaptionsView]:
    """Return the tracks of a video, the spoken language first, then by name. Raises ``VideoNotFound``."""
    require_video(db, video_id)
    rows = db.execute(select(*_COLUMNS).where(col(VideoCaptions.video_id) == video_id))
    found = [CaptionsView(**row._mapping) for row in rows]
    return sorted(found, key=lambda captions: (captions.language != ORIGINAL, language_name(captions.language), captions.language))


def webvtt(db: Session, video_id: str, language: str) -> str:
    """Return the whole track as a WebVTT file. Raises ``VideoNotFound``, ``CaptionsNotFound``."""
    require_video(db, video_id)
    text = _text(db, video_id, language)
    if text is None:
        raise CaptionsNotFound
    return text


def find_track(db: Session, video_id: str, language: str) -> CaptionTrack | None:
    """Return the captions in a language, or None."""
    text = _text(db, video_id, language)
    return None if text is None else _read(text)


def remove(db: Session, video_id: str, language: str, *, clock: Callable[[], datetime] = utc_now) -> None:
    """Remove the captions in a language, for a person; exports keep theirs, and no program attaches others.

    Raises ``VideoNotFound``, ``CaptionsNotFound``.
    """
    require_video(db, video_id)
    present = _lock_track(db, video_id, language) if _is_language(language) else None
    if present is None:
        raise CaptionsNotFound
    db.execute(delete(VideoCaptions).where(*_of(video_id, language)))
    removed_items.record_removal(db, video_id, removed_items.CAPTIONS, language, present.id, clock())


def captions_for(db: Session, job: CellView) -> CaptionTrack | None:
    """Return the captions of an export's file, with times from the clip's start; None without captions.

    Raises ``Conflict`` if the track has changed since the export was requested.
    """
    if not job.captions:
        return None
    whole = find_track(db, job.video_id, job.target_language)
    part = None if whole is None else slice_track(whole, job.start_ms, job.end_ms)
    if part is None or captions_identity(parse_mode(job.captions), to_webvtt(part)) != job.captions:
        raise Conflict("The captions have changed since this export was requested. Press Retry to export with the current ones.")
    return part


def captions_of_cell(whole: CaptionTrack | None, language: str, captions: CaptionMode, start_ms: int, end_ms: int) -> str:
    """Return the captions part of a cell's identity from the whole track; "" in the spoken language if none would show."""
    if whole is None or captions is CaptionMode.OFF:
        return ""
    part = slice_track(whole, start_ms, end_ms)
    return captions_identity(captions, to_webvtt(part)) if part.cues or language != ORIGINAL else ""


def sidecar_of(db: Session, video_id: str, clip_id: str) -> str:
    """Return the object key of an export's captions. Raises ``ClipNotFound``, ``CaptionsNotFound``."""
    clip = exported_clip(db, video_id, clip_id)
    key = db.execute(select(col(ExportedClip.captions_key)).where(col(ExportedClip.id) == clip.id)).scalar_one()
    if key is None:
        raise CaptionsNotFound("This export has no captions.")
    return str(key)


def validate_language(language: str) -> str:
    """Return a valid language tag; raises ``Invalid`` otherwise."""
    if not _is_language(language):
        raise Invalid("This is not a valid language tag. Use one such as en, pt-BR or zh-Hant, or original for the spoken language.")
    return language


def _is_language(language: str) -> bool:
    try:
        parse_language(language)
    except ValueError:
        return False
    return True


def _lock_track(db: Session, video_id: str, language: str) -> CaptionsView | None:
    """Return the captions in a language. No others of the video change until the transaction ends."""
    db.execute(select(col(Video.id)).where(col(Video.id) == video_id).with_for_update())
    row = db.execute(select(*_COLUMNS).where(*_of(video_id, language))).one_or_none()
    return None if row is None else CaptionsView(**row._mapping)


def _of(video_id: str, language: str) -> tuple[Any, Any]:
    return col(VideoCaptions.video_id) == video_id, col(VideoCaptions.language) == language


def _text(db: Session, video_id: str, language: str) -> str | None:
    if not (is_id(video_id, "video") and _is_language(language)):
        return None
    return db.execute(select(col(VideoCaptions.webvtt)).where(*_of(video_id, language))).scalar_one_or_none()


@lru_cache(maxsize=_KEPT_READ)
def _read(text: str) -> CaptionTrack:
    """Parse a stored track. Cached for the dialog, which asks again with every choice."""
    return parse_captions(text.encode(), "The captions")


def _plain(name: str) -> str:
    """Shorten a file name for a list: its last part, on one line."""
    last = "".join(char for char in re.split(r"[/\\]", name)[-1] if char.isprintable())
    return last.strip()[:_NAME_LENGTH]
