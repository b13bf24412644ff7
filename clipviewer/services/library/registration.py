"""Register what a pipeline has made: videos, candidates and exports whose objects are already in the bucket.

Every call may be repeated: videos and exports are identified by their key, candidates by their reference. What is left out stays as it is,
what a person changed stays (``domain.sent_values``), and what a person removed stays removed. The bucket is asked first, by
``find_objects``, and the database written afterwards, so that no transaction waits for the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video, utc_now
from clipviewer.domain.ids import is_id
from clipviewer.domain.timecode import format_clock, ms_to_seconds
from clipviewer.errors import Conflict, ObjectMissing, VideoDeleted
from clipviewer.media.captions.reading import MAX_BYTES
from clipviewer.services import work
from clipviewer.services.library import quick_start, video_previews
from clipviewer.services.library.removed_items import removed_candidates
from clipviewer.services.library.row_writer import Result, RowWriter, Status, rows_by_value
from clipviewer.services.library.videos import require_changeable
from clipviewer.storage.s3 import StoredObject

_WITHOUT_CANDIDATE = "A person has removed its identified clip, so it is registered without one."
_MEASURED = ("duration_ms", "width", "height", "frame_rate")
MAX_ITEMS = 10_000
_DELETED = "This video was deleted. Restore it under Recently deleted in the library, or delete it there for good and register it again."
_END_TOLERANCE_MS = 100
"""How much longer than its picture a file may seem to a pipeline, by its sound or by rounding."""


@dataclass(frozen=True, slots=True)
class NewVideo:
    """A master. None keeps the current value, or the default: the title is then made from the key."""

    s3_key: str
    title: str | None = None
    poster_key: str | None = None
    duration_ms: int | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: str | None = None


@dataclass(frozen=True, slots=True)
class NewIdentifiedClip:
    """A candidate; ``reference`` is the pipeline's name for it, made from the times if empty.

    An empty title, and None, keep the current value; the title of a new one is then made from the times.
    """

    start_ms: int
    end_ms: int
    title: str = ""
    reference: str = ""
    score: float | None = None
    score_parts: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class NewExportedClip:
    """An export of one range, shape and language; ``identified_clip_id`` is its candidate.

    ``captions_key`` is its WebVTT or SubRip file. An empty title, and None, keep the current value; the title of a new one is then that of
    its candidate, or made from the times.
    """

    s3_key: str
    start_ms: int
    end_ms: int
    aspect_ratio: str
    target_language: str
    title: str = ""
    identified_clip_id: str | None = None
    captions_key: str | None = None

    @property
    def keys(self) -> list[str]:
        """Return every object key that the item names."""
        return [key for key in (self.s3_key, self.captions_key) if key is not None]


def register_video(db: Session, new: NewVideo, objects: Mapping[str, StoredObject]) -> Result:
    """Register or update the video at that key. A new file is inspected later, and those findings are kept.

    ``objects`` is the result of ``find_objects``. Raises ``ObjectMissing`` if the video or its poster is not among them, ``Conflict`` if
    the key belongs to a clip, and ``VideoDeleted``. The key of a former master still means its video.
    """
    stored = objects.get(new.s3_key)
    if stored is None:
        raise ObjectMissing(f"The bucket has no file {new.s3_key!r}. Upload it, then register it.")
    if new.poster_key is not None and new.poster_key not in objects:
        raise ObjectMissing(f"The bucket has no file {new.poster_key!r}. Upload the poster, then register the video.")
    if rows_by_value(db, ExportedClip, "s3_key", [new.s3_key]):
        raise Conflict("This key belongs to an exported clip.")
    given = {
        "title": new.title or None,
        "poster_key": new.poster_key,
        "duration_ms": new.duration_ms,
        "width": new.width,
        "height": new.height,
        "frame_rate": new.frame_rate,
        "etag": stored.etag,
        "size": stored.size,
    }
    defaults = {"title": title_from_key(new.s3_key), "duration_ms": 0, "width": 0, "height": 0, "frame_rate": ""}
    former = quick_start.former_master(db, new.s3_key)
    if former is not None:
        if _is_deleted(db, str(former["video_id"])):
            raise VideoDeleted(_DELETED)
        if former["etag"] == stored.etag:
            return _register_former(db, new, str(former["video_id"]), given)
    quick_start.restore_former_master(db, new.s3_key, utc_now())
    writer = RowWriter(db, Video, rows_by_value(db, Video, "s3_key", [new.s3_key], lock=True))
    known = writer.known.get(new.s3_key)
    if known is not None and known["deleted_at"] is not None:
        raise VideoDeleted(_DELETED)
    measured = _MEASURED if known is not None and known["previews"].get("etag") == stored.etag else ()
    values = {name: value for name, value in given.items() if name not in measured}
    result = writer.put(new.s3_key, "video", {"s3_key": new.s3_key}, values, defaults)
    writer.flush()
    if known is None or known["etag"] != stored.etag:
        work.enqueue(db, video_previews.KIND, result.id, video_id=result.id)
    return result


def _register_former(db: Session, new: NewVideo, video_id: str, given: Mapping[str, Any]) -> Result:
    """Handle a key whose file was replaced by a quick-start copy: the copy stays the master, with what was measured."""
    writer = RowWriter(db, Video, {new.s3_key: rows_by_value(db, Video, "id", [video_id])[video_id]})
    measured = ("etag", "size", *_MEASURED)
    result = writer.put(new.s3_key, "video", {}, {name: given[name] for name in given if name not in measured})
    writer.flush()
    return result


def register_identified(db: Session, video_id: str, items: Sequence[NewIdentifiedClip]) -> list[Result]:
    """Register or update candidates by reference; one result per item. Raises ``VideoNotFound``, ``VideoDeleted``, ``Conflict``."""
    duration_ms = _lock_video(db, video_id)
    references = [item.reference or f"{item.start_ms}-{item.end_ms}" for item in items]
    writer = RowWriter(db, IdentifiedClip, rows_by_value(db, IdentifiedClip, "reference", references, video_id, lock=True))
    removed = removed_candidates(db, video_id)  # after the rows: one that is being removed is in either
    results = []
    for reference, item in zip(references, items, strict=True):
        known = writer.known.get(reference)
        if known is None and reference in removed:
            results.append(Result(reference, removed[reference], Status.REMOVED, "A person has removed this clip: it stays removed."))
        elif duration_ms and item.end_ms > duration_ms + _END_TOLERANCE_MS:
            end = f"The clip ends after the video does, at {ms_to_seconds(duration_ms)} seconds."
            results.append(Result(reference, "", Status.INVALID, end))
        else:
            values = {
                "start_ms": item.start_ms,
                "end_ms": item.end_ms,
                "title": item.title or _title_of_times(item, known),
                "score": item.score,
                "score_parts": None if item.score_parts is None else dict(item.score_parts),
            }
            identity = {"video_id": video_id, "reference": reference}
            results.append(writer.put(reference, "clip", identity, values, {"score_parts": {}}))
    writer.flush()
    return results


def register_exported(db: Session, video_id: str, items: Sequence[NewExportedClip], objects: Mapping[str, StoredObject]) -> list[Result]:
    """Register the exports whose objects exist, by key; one result per item.

    ``objects`` is the result of ``find_objects``. A key of another video, or of a master, is a conflict. An export of a candidate that a
    person removed has none. Raises ``VideoNotFound``, ``VideoDeleted``, ``Conflict``.
    """
    _lock_video(db, video_id)
    keys = [item.s3_key for item in items]
    writer = RowWriter(db, ExportedClip, rows_by_value(db, ExportedClip, "s3_key", keys))
    masters = rows_by_value(db, Video, "s3_key", keys).keys() | rows_by_value(db, FormerMaster, "s3_key", keys).keys()
    captions_keys = [item.captions_key for item in items if item.captions_key]
    films = (
        rows_by_value(db, Video, "s3_key", captions_keys).keys()
        | rows_by_value(db, ExportedClip, "s3_key", captions_keys).keys()
        | set(keys)
    )
    candidates = rows_by_value(db, IdentifiedClip, "id", {item.identified_clip_id for item in items if item.identified_clip_id}, video_id)
    named = candidates.keys() | removed_candidates(db, video_id).values()
    results = []
    for item in items:
        stored, known = objects.get(item.s3_key), writer.known.get(item.s3_key)
        captions = objects.get(item.captions_key) if item.captions_key else None
        if item.s3_key in masters or (known and known["video_id"] != video_id):
            results.append(Result(item.s3_key, "", Status.CONFLICT, "This key belongs to another video."))
        elif item.identified_clip_id and item.identified_clip_id not in named:
            results.append(Result(item.s3_key, "", Status.INVALID, "This video has no identified clip with that identifiedClipId."))
        elif stored is None:
            results.append(Result(item.s3_key, "", Status.MISSING, "The bucket has no such file. Upload it, then register it."))
        elif item.captions_key and captions is None:
            results.append(Result(item.s3_key, "", Status.MISSING, "The bucket has no file with that captionsKey. Upload it first."))
        elif captions and (captions.key in films or not 0 < captions.size <= MAX_BYTES):
            results.append(
                Result(item.s3_key, "", Status.INVALID, "captionsKey is not a caption file: it is a video or a clip, empty or too large.")
            )
        else:
            origin = candidates.get(item.identified_clip_id or "")
            values = {
                "identified_clip_id": origin and origin["id"],
                "start_ms": item.start_ms,
                "end_ms": item.end_ms,
                "title": item.title or (origin["title"] if origin and not known else _title_of_times(item, known)),
                "etag": stored.etag,
                "size": stored.size,
                "aspect_ratio": item.aspect_ratio,
                "target_language": item.target_language,
                "captions_key": item.captions_key,
            }
            result = writer.put(item.s3_key, "clip", {"video_id": video_id, "s3_key": item.s3_key}, values)
            results.append(replace(result, detail=_WITHOUT_CANDIDATE) if item.identified_clip_id and not origin and result.id else result)
    writer.flush()
    return results


def _lock_video(db: Session, video_id: str) -> int:
    """Serialize registrations of one video; SQLite's writers are serialized anyway. Return its length in ms, 0 if unknown."""
    query = select(col(Video.duration_ms)).where(col(Video.id) == video_id).with_for_update()
    duration_ms = db.execute(query).scalar_one_or_none() if is_id(video_id, "video") else None
    require_changeable(db, video_id)
    return duration_ms or 0


def _is_deleted(db: Session, video_id: str) -> bool:
    """Return whether the video is deleted; its row is locked until the transaction ends."""
    return db.execute(select(col(Video.deleted_at)).where(col(Video.id) == video_id).with_for_update()).scalar_one() is not None


def _title_of_times(item: NewIdentifiedClip | NewExportedClip, known: Mapping[str, Any] | None) -> str | None:
    """Return the title of a clip that was sent without one: made from its times, or None to keep a title that was given to it."""
    if known is None:
        return _times(item.start_ms, item.end_ms)
    start_ms, end_ms = known["start_ms"], known["end_ms"]
    moved = (start_ms, end_ms) != (item.start_ms, item.end_ms)
    follows = moved and known.get("sent") is None and known["title"] == _times(start_ms, end_ms)
    return _times(item.start_ms, item.end_ms) if follows else None


def _times(start_ms: int, end_ms: int) -> str:
    return f"Clip {format_clock(start_ms)}–{format_clock(end_ms)}"


def title_from_key(key: str) -> str:
    """Make a title from a key or file name."""
    return PurePosixPath(key).stem.replace("_", " ").strip()[:300] or key[:300]
