"""Exports taken back from their provenance sidecars: video, candidate, rendered clip, and the cell that is done.

A sidecar is a file that anybody who writes to the bucket can make: everything in it is checked, it only ever adds rows, and the file that
it speaks of is the one beside it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_identity import export_identity
from clipviewer.domain.ids import is_id
from clipviewer.domain.job_state import JobState
from clipviewer.domain.language import parse_language
from clipviewer.domain.master_file import content_type
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.quick_copy import is_quick_key
from clipviewer.domain.timecode import seconds_to_ms
from clipviewer.services.cells.board import cells_by_identity, change, framing_json, framing_of, hold_board, set_revision
from clipviewer.services.exporting.provenance import SCHEMA
from clipviewer.services.library import quick_start
from clipviewer.storage.s3 import StoredObject

UNUSABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, DataError, IntegrityError)
"""What ``restore`` raises for a sidecar that cannot be used; roll back to where it began."""
_MOST = 2**31 - 1
_MOST_BYTES = 2**63 - 1
_MOST_PARTS = 50
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar's JSON, and the file that it stands beside. ``captions_key``: the captions of that file, if they are there."""

    document: Mapping[str, Any]
    file: StoredObject
    captions_key: str | None = None

    @property
    def source_key(self) -> str:
        """The key of the video that the export was made from."""
        return str(self.document["source"]["s3Key"])


@dataclass(frozen=True, slots=True)
class Restored:
    """``video_id`` is the export's; which of the others are new."""

    video_id: str
    new_video: bool
    new_clip: bool


def read_sidecar(data: bytes) -> Mapping[str, Any] | None:
    """The JSON of a sidecar of ours; None for somebody else's file."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == SCHEMA else None


def belongs_to(document: Mapping[str, Any], key: str) -> bool:
    """Whether the sidecar names the file at ``key``, and a video by a key."""
    export, source = document.get("export"), document.get("source")
    return isinstance(export, dict) and export.get("s3Key") == key and isinstance(source, dict) and isinstance(source.get("s3Key"), str)


def restore(
    db: Session, sidecar: Sidecar, now: datetime, *, prefix: str = "", masters: Mapping[str, StoredObject] | None = None
) -> Restored:
    """Add what a sidecar tells; rows that are there stay as they are. Raises one of ``UNUSABLE``.

    ``masters`` are the videos' objects that the bucket has, by key; without it a new video is taken to be as the sidecar says.
    """
    document = sidecar.document
    source, clip = document["source"], document["clip"]
    start_ms, end_ms = seconds_to_ms(clip["start"]), seconds_to_ms(clip["end"])
    if not 0 <= start_ms < end_ms:
        raise ValueError("the range is empty")
    rendered_at = _moment(document["renderedAt"], now)
    _check_identity(document, start_ms, end_ms)
    video, new_video = _video(db, source, prefix, masters, now)
    candidate, new_clip = _candidate(db, video.id, clip, start_ms, end_ms)
    exported = ExportedClip(
        video_id=video.id,
        identified_clip_id=candidate,
        start_ms=start_ms,
        end_ms=end_ms,
        title=_text(clip["title"], 300),
        s3_key=sidecar.file.key,
        etag=sidecar.file.etag,
        size=sidecar.file.size,
        aspect_ratio=AspectRatio(document["aspectRatio"]).value,
        target_language=parse_language(document["targetLanguage"]),
        captions_key=sidecar.captions_key,
        created_at=rendered_at,
    )
    db.add(exported)
    db.flush()
    _finish_cell(db, document, exported, _present_etag(db, video, source), rendered_at, now)
    return Restored(video.id, new_video, new_clip)


def _check_identity(document: Mapping[str, Any], start_ms: int, end_ms: int) -> None:
    """A cell's identity cannot be claimed for another file: it is what follows from the rest."""
    source = document["source"]
    if document["identity"] != _identity(document, str(source["videoId"]), _text(source["etag"], 100), start_ms, end_ms):
        raise ValueError("the identity is that of another export")


def _present_etag(db: Session, video: Video, source: Mapping[str, Any]) -> str:
    """The state of the file that it was made from; where that lies in the bucket as another object now, the state of that one."""
    key, etag = str(source["s3Key"]), _text(source["etag"], 100)
    former = quick_start.former_master(db, key)
    same = former is not None and former["video_id"] == video.id and former["etag"] == etag and not is_quick_key(key)
    return video.etag if same else etag


def _identity(document: Mapping[str, Any], video_id: str, etag: str, start_ms: int, end_ms: int) -> str:
    return export_identity(
        video_id,
        etag,
        start_ms,
        end_ms,
        ratio=AspectRatio(document["aspectRatio"]),
        language=parse_language(document["targetLanguage"]),
        framing=framing_of(document["framing"]),
        captions=_captions(document["captions"]),
        recipe=_whole(document["recipe"]),
    )


def _finish_cell(db: Session, document: Mapping[str, Any], exported: ExportedClip, etag: str, rendered_at: datetime, now: datetime) -> None:
    """The cell is done, so that the same file is not made again; one that another file has done already stays that one's."""
    identity = _identity(document, exported.video_id, etag, exported.start_ms, exported.end_ms)
    known = cells_by_identity(db, [identity]).get(identity)
    if known is not None:
        if known.wants_another_go:
            done = {"state": JobState.DONE, "progress": 1.0, "reason": "", "log": "", "exported_clip_id": exported.id}
            change(db, known.id, known.video_id, now, **done)
        return
    revision = hold_board(db, exported.video_id) + 1
    asked_by = document["requestedBy"]["id"]
    job = ExportJob(
        identity=identity,
        video_id=exported.video_id,
        identified_clip_id=exported.identified_clip_id,
        exported_clip_id=exported.id,
        start_ms=exported.start_ms,
        end_ms=exported.end_ms,
        title=exported.title,
        source_etag=etag,
        aspect_ratio=exported.aspect_ratio,
        target_language=exported.target_language,
        framing=framing_json(framing_of(document["framing"])),
        captions=_captions(document["captions"]),
        recipe=_whole(document["recipe"]),
        state=JobState.DONE,
        progress=1.0,
        number=revision,
        revision=revision,
        requested_by=_text(asked_by, 64),
        created_at=_moment(document["requestedAt"], now),
        updated_at=rendered_at,
    )
    db.add(job)
    db.flush()
    set_revision(db, exported.video_id, revision)


def _video(
    db: Session, source: Mapping[str, Any], prefix: str, masters: Mapping[str, StoredObject] | None, now: datetime
) -> tuple[Video, bool]:
    """The video that has or had that key, or has that id, else a new one. ``ValueError`` for two of them, or a key that could be none's."""
    key, video_id = check_object_key(_text(source["s3Key"], 1024), prefix), str(source["videoId"])
    if not is_id(video_id, "video"):
        raise ValueError("not the id of a video")
    of_key, of_id = db.scalars(select(Video).where(col(Video.s3_key) == key)).first(), db.get(Video, video_id)
    if of_key is None and (former := quick_start.former_master(db, key)) is not None:
        of_key = db.get_one(Video, former["video_id"])
    if of_key is not None and of_id is not None and of_key.id != of_id.id:
        raise ValueError("the key and the id are those of two videos")
    if (known := of_key or of_id) is not None:
        return known, False
    content_type(key)
    if key.startswith((f"{prefix}exports/", f"{prefix}previews/")):
        raise ValueError("a video does not lie there")
    if db.scalars(select(col(ExportedClip.id)).where(col(ExportedClip.s3_key) == key)).first() is not None:
        raise ValueError("this is a clip, no video")
    stored = masters.get(key) if masters is not None else None
    poster = source["posterKey"]
    is_picture = isinstance(poster, str) and poster.lower().endswith(_PICTURES)
    video = Video(
        id=video_id,
        title=_text(source["title"], 300),
        s3_key=key,
        etag=stored.etag if stored else _text(source["etag"], 100),
        size=stored.size if stored else _whole(source["size"], _MOST_BYTES),
        duration_ms=seconds_to_ms(source["duration"]),
        width=_whole(source["width"]),
        height=_whole(source["height"]),
        frame_rate=_text(source["frameRate"], 20),
        poster_key=check_object_key(_text(poster, 1024), prefix) if is_picture else None,
        missing_at=now if masters is not None and stored is None else None,
    )
    db.add(video)
    db.flush()
    return video, True


def _candidate(db: Session, video_id: str, clip: Mapping[str, Any], start_ms: int, end_ms: int) -> tuple[str | None, bool]:
    """The identified clip that the export came from; None when it was deleted before the export was made."""
    clip_id = clip["id"]
    if clip_id is None or not is_id(str(clip_id), "clip"):
        return None, False
    reference = _text(clip["reference"], 200) or str(clip_id)
    known = db.get(IdentifiedClip, clip_id)
    if known is None:
        same = select(IdentifiedClip).where(col(IdentifiedClip.video_id) == video_id, col(IdentifiedClip.reference) == reference)
        known = db.scalars(same).first()
    if known is not None:
        if known.video_id != video_id:
            raise ValueError("the clip is one of another video")
        return known.id, False
    parts = dict(clip["scoreParts"])
    if len(parts) > _MOST_PARTS:
        raise ValueError("too many parts of the score")
    row = IdentifiedClip(
        id=str(clip_id),
        video_id=video_id,
        reference=reference,
        start_ms=start_ms,
        end_ms=end_ms,
        title=_text(clip["title"], 300),
        score=None if clip["score"] is None else _number(clip["score"]),
        score_parts={_text(name, 100): _number(value) for name, value in parts.items()},
    )
    db.add(row)
    db.flush()
    return row.id, True


def _captions(told: Mapping[str, Any] | None) -> str:
    return f"{CaptionMode(told['mode'])}:{told['digest']}"[:100] if told else ""


def _text(value: Any, length: int) -> str:
    """A text without what no database and no page can hold; ``ValueError`` otherwise."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("control characters")
    return value[:length]


def _whole(value: Any, most: int = _MOST) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError("not a number that can be")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number that can be")
    return float(value)


def _moment(value: Any, now: datetime) -> datetime:
    """A moment with its zone, not later than now; ``ValueError`` otherwise."""
    moment = datetime.fromisoformat(_text(value, 40))
    return min(moment.astimezone(UTC), now) if moment.tzinfo else moment.replace(tzinfo=UTC)
