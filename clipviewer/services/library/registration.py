"""Register what a pipeline has made: videos, candidates and exports whose objects are already in the bucket.

Every call may be repeated: videos and exports are identified by their key, candidates by their reference. The bucket is asked first, by
``find_objects``, and the database written afterwards, so that no transaction waits for the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import bindparam, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video, utc_now
from clipviewer.db.statements import refresh_statistics
from clipviewer.domain.ids import new_id
from clipviewer.domain.timecode import format_clock
from clipviewer.errors import Conflict, ObjectMissing
from clipviewer.media.captions.reading import MAX_BYTES
from clipviewer.services import work
from clipviewer.services.library import quick_start, video_previews
from clipviewer.services.library.videos import require_video
from clipviewer.storage.s3 import StoredObject

_MEASURED = ("duration_ms", "width", "height", "frame_rate")
MAX_ITEMS = 10_000
_CHUNK = 500
_MANY = 1_000  # inserted rows after which the planner's statistics are measured anew
_Model = type[Video] | type[IdentifiedClip] | type[ExportedClip] | type[FormerMaster]


class Status(StrEnum):
    """The outcome for one item."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MISSING = "missing"
    CONFLICT = "conflict"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one item. ``name`` is its key or reference; without ``id`` nothing was kept and ``detail`` says why."""

    name: str
    id: str
    status: Status
    detail: str = ""


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
    """A candidate; ``reference`` is the pipeline's name for it, made from the times if empty."""

    start_ms: int
    end_ms: int
    title: str = ""
    reference: str = ""
    score: float | None = None
    score_parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewExportedClip:
    """An export of one range, shape and language; ``identified_clip_id`` is its candidate.

    ``captions_key``: its WebVTT or SubRip file; None keeps the current one.
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
    the key belongs to a clip. The key of a former master still means its video.
    """
    stored = objects.get(new.s3_key)
    if stored is None:
        raise ObjectMissing(f"The bucket has no file {new.s3_key!r}. Upload it, then register it.")
    if new.poster_key is not None and new.poster_key not in objects:
        raise ObjectMissing(f"The bucket has no file {new.poster_key!r}. Upload the poster, then register the video.")
    if _rows_by_value(db, ExportedClip, "s3_key", [new.s3_key]):
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
    if former is not None and former["etag"] == stored.etag:
        return _register_former(db, new, str(former["video_id"]), given)
    quick_start.restore_former_master(db, new.s3_key, utc_now())
    writer = _Writer(db, Video, _rows_by_value(db, Video, "s3_key", [new.s3_key]))
    known = writer.known.get(new.s3_key)
    measured = _MEASURED if known is not None and known["previews"].get("etag") == stored.etag else ()
    values = {name: value for name, value in given.items() if value is not None and name not in measured}
    result = writer.put(new.s3_key, "video", {"s3_key": new.s3_key}, values, defaults)
    writer.flush()
    if known is None or known["etag"] != stored.etag:
        work.enqueue(db, video_previews.KIND, result.id, video_id=result.id)
    return result


def _register_former(db: Session, new: NewVideo, video_id: str, given: Mapping[str, Any]) -> Result:
    """Handle a key whose file was replaced by a quick-start copy: the copy stays the master, with what was measured."""
    writer = _Writer(db, Video, {new.s3_key: _rows_by_value(db, Video, "id", [video_id])[video_id]})
    measured = ("etag", "size", *_MEASURED)
    result = writer.put(new.s3_key, "video", {}, {name: given[name] for name in given if name not in measured and given[name] is not None})
    writer.flush()
    return result


def register_identified(db: Session, video_id: str, items: Sequence[NewIdentifiedClip]) -> list[Result]:
    """Register or update candidates by reference; one result per item. Raises ``VideoNotFound``, ``Conflict``."""
    _lock_video(db, video_id)
    references = [item.reference or f"{item.start_ms}-{item.end_ms}" for item in items]
    writer = _Writer(db, IdentifiedClip, _rows_by_value(db, IdentifiedClip, "reference", references, video_id))
    results = []
    for reference, item in zip(references, items, strict=True):
        values = {
            "start_ms": item.start_ms,
            "end_ms": item.end_ms,
            "title": item.title or f"Clip {format_clock(item.start_ms)}–{format_clock(item.end_ms)}",
            "score": item.score,
            "score_parts": dict(item.score_parts),
        }
        results.append(writer.put(reference, "clip", {"video_id": video_id, "reference": reference}, values))
    writer.flush()
    return results


def register_exported(db: Session, video_id: str, items: Sequence[NewExportedClip], objects: Mapping[str, StoredObject]) -> list[Result]:
    """Register the exports whose objects exist, by key; one result per item.

    ``objects`` is the result of ``find_objects``. A key of another video, or of a master, is a conflict. Raises ``VideoNotFound``,
    ``Conflict``.
    """
    _lock_video(db, video_id)
    keys = [item.s3_key for item in items]
    writer = _Writer(db, ExportedClip, _rows_by_value(db, ExportedClip, "s3_key", keys))
    masters = _rows_by_value(db, Video, "s3_key", keys).keys() | _rows_by_value(db, FormerMaster, "s3_key", keys).keys()
    captions_keys = [item.captions_key for item in items if item.captions_key]
    films = (
        _rows_by_value(db, Video, "s3_key", captions_keys).keys()
        | _rows_by_value(db, ExportedClip, "s3_key", captions_keys).keys()
        | set(keys)
    )
    candidates = _rows_by_value(db, IdentifiedClip, "id", {item.identified_clip_id for item in items if item.identified_clip_id}, video_id)
    results = []
    for item in items:
        stored, known = objects.get(item.s3_key), writer.known.get(item.s3_key)
        captions = objects.get(item.captions_key) if item.captions_key else None
        if item.s3_key in masters or (known and known["video_id"] != video_id):
            results.append(Result(item.s3_key, "", Status.CONFLICT, "This key belongs to another video."))
        elif item.identified_clip_id and item.identified_clip_id not in candidates:
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
            origin = candidates[item.identified_clip_id] if item.identified_clip_id else None
            values = {
                "identified_clip_id": item.identified_clip_id,
                "start_ms": item.start_ms,
                "end_ms": item.end_ms,
                "title": item.title or (origin["title"] if origin else f"Clip {format_clock(item.start_ms)}–{format_clock(item.end_ms)}"),
                "etag": stored.etag,
                "size": stored.size,
                "aspect_ratio": item.aspect_ratio,
                "target_language": item.target_language,
                "captions_key": item.captions_key or (known and known["captions_key"]),
            }
            results.append(writer.put(item.s3_key, "clip", {"video_id": video_id, "s3_key": item.s3_key}, values))
    writer.flush()
    return results


class _Writer:
    """Sorts items into rows to insert, to update and to keep, and writes each group in one statement."""

    def __init__(self, db: Session, model: _Model, known: dict[str, Mapping[str, Any]]) -> None:
        self.known = known
        self._db, self._model = db, model
        self._seen: set[str] = set()
        self._inserts: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []

    def put(
        self, name: str, kind: str, identity: Mapping[str, Any], values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
    ) -> Result:
        if name in self._seen:
            return Result(name, "", Status.INVALID, "This item occurs twice in the request.")
        self._seen.add(name)
        row = self.known.get(name)
        if row is None:
            new = new_id(kind)
            self._inserts.append({"id": new, "created_at": utc_now(), **(defaults or {}), **identity, **values})
            return Result(name, new, Status.CREATED)
        if all(row[column] == value for column, value in values.items()):
            return Result(name, row["id"], Status.UNCHANGED)
        self._updates.append({"id": row["id"], **values})
        return Result(name, row["id"], Status.UPDATED)

    def flush(self) -> None:
        try:
            if self._inserts:
                self._db.execute(insert(self._model), self._inserts)
                if len(self._inserts) >= _MANY:
                    refresh_statistics(self._db, self._model)
            if self._updates:
                self._db.execute(update(self._model), self._updates)
        except IntegrityError as error:
            raise Conflict("Another request was registering the same item. Send this one again.") from error


def _rows_by_value(
    db: Session, model: _Model, column: str, values: Iterable[str], video_id: str | None = None
) -> dict[str, Mapping[str, Any]]:
    """Return the rows that have one of ``values`` in ``column``, by that value."""
    rows: dict[str, Mapping[str, Any]] = {}
    columns = inspect(model).columns
    query = select(*columns).where(columns[column].in_(bindparam("wanted", expanding=True)))
    if video_id is not None:
        query = query.where(columns["video_id"] == video_id)
    for chunk in _chunks(values):
        rows |= {row[column]: row for row in db.execute(query, {"wanted": chunk}).mappings()}
    return rows


def _lock_video(db: Session, video_id: str) -> None:
    """Serialize registrations of one video; SQLite's writers are serialized anyway."""
    require_video(db, video_id)
    db.execute(select(col(Video.id)).where(col(Video.id) == video_id).with_for_update())


def title_from_key(key: str) -> str:
    """Make a title from a key or file name."""
    return PurePosixPath(key).stem.replace("_", " ").strip()[:300] or key[:300]


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    left = iter(dict.fromkeys(values))
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
