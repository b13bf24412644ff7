"""Restore exports from their provenance sidecars: video, candidate, export, and the finished cell.

Anybody who can write to the bucket can make a sidecar: everything in it is validated, it only ever adds rows, and it can only describe
the file beside it.
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
from clipviewer.domain.sent_values import ALL_BY_PERSON, CANDIDATE_PARTS, VIDEO_PARTS, Part
from clipviewer.domain.timecode import seconds_to_ms
from clipviewer.services.cells.board import cells_by_identity, change, framing_json, framing_of, hold_board, set_revision
from clipviewer.services.exporting.provenance import SCHEMA
from clipviewer.services.library import quick_start
from clipviewer.services.library.removed_items import CANDIDATE, is_removed
from clipviewer.storage.s3 import StoredObject

UNUSABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, DataError, IntegrityError)
"""What ``restore`` raises for an unusable sidecar; roll back to where it began."""
_MOST = 2**31 - 1
_MOST_BYTES = 2**63 - 1
_MOST_PARTS = 50
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar's JSON and the file beside it. ``captions_key`` is the file's captions, if they exist."""

    document: Mapping[str, Any]
    file: StoredObject
    captions_key: str | None = None

    @property
    def source_key(self) -> str:
        """The key of the video that the export was made from."""
        return str(self.document["source"]["s3Key"])


@dataclass(frozen=True, slots=True)
class Restored:
    """``video_id`` is the export's; the other fields say which rows are new."""

    video_id: str
    new_video: bool
    new_clip: bool


def read_sidecar(data: bytes) -> Mapping[str, Any] | None:
    """Return the JSON of one of our sidecars; None for any other file."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == SCHEMA else None


def describes_file(document: Mapping[str, Any], key: str) -> bool:
    """Return whether the sidecar names the file at ``key``, and a video by a key."""
    export, source = document.get("export"), document.get("source")
    return isinstance(export, dict) and export.get("s3Key") == key and isinstance(source, dict) and isinstance(source.get("s3Key"), str)


def restore(
    db: Session, sidecar: Sidecar, now: datetime, *, prefix: str = "", masters: Mapping[str, StoredObject] | None = None
) -> Restored:
    """Add what a sidecar describes; existing rows are unchanged. Raises one of ``UNUSABLE``.

    ``masters`` are the videos' objects in the bucket, by key; without it a new video is taken to be as the sidecar says.
    """
    document = sidecar.document
    source, clip = document["source"], document["clip"]
    start_ms, end_ms = seconds_to_ms(clip["start"]), seconds_to_ms(clip["end"])
    if not 0 <= start_ms < end_ms:
        raise ValueError("the range is empty")
    rendered_at = parse_moment(document["renderedAt"], now)
    _check_identity(document, start_ms, end_ms)
    video, new_video = _video(db, source, prefix, masters, now)
    candidate, new_clip = _candidate(db, video.id, clip, start_ms, end_ms)
    exported = ExportedClip(
        video_id=video.id,
        identified_clip_id=candidate,
        start_ms=start_ms,
        end_ms=end_ms,
        title=parse_text(clip["title"], 300),
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
    """Raise unless the cell's identity follows from the other fields: it cannot be claimed for another file."""
    source = document["source"]
    if document["identity"] != _identity(document, str(source["videoId"]), parse_text(source["etag"], 100), start_ms, end_ms):
        raise ValueError("the identity belongs to another export")


def _present_etag(db: Session, video: Video, source: Mapping[str, Any]) -> str:
    """Return the source's state, or that of the object that replaced it in the bucket."""
    key, etag = str(source["s3Key"]), parse_text(source["etag"], 100)
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
        recipe=parse_int(document["recipe"]),
    )


def _finish_cell(db: Session, document: Mapping[str, Any], exported: ExportedClip, etag: str, rendered_at: datetime, now: datetime) -> None:
    """Mark the cell as done, so that the file is not rendered again; a cell done by another file keeps that one."""
    identity = _identity(document, exported.video_id, etag, exported.start_ms, exported.end_ms)
    known = cells_by_identity(db, [identity]).get(identity)
    if known is not None:
        if known.needs_requeue:
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
        recipe=parse_int(document["recipe"]),
        state=JobState.DONE,
        progress=1.0,
        number=revision,
        revision=revision,
        requested_by=parse_text(asked_by, 64),
        created_at=parse_moment(document["requestedAt"], now),
        updated_at=rendered_at,
    )
    db.add(job)
    db.flush()
    set_revision(db, exported.video_id, revision)


def _video(
    db: Session, source: Mapping[str, Any], prefix: str, masters: Mapping[str, StoredObject] | None, now: datetime
) -> tuple[Video, bool]:
    """Return the video that has or had that key, or has that id, else a new one. Raises ``ValueError`` if two match or the key is bad."""
    key, video_id = check_object_key(parse_text(source["s3Key"], 1024), prefix), str(source["videoId"])
    if not is_id(video_id, "video"):
        raise ValueError("not a video id")
    of_key, of_id = db.scalars(select(Video).where(col(Video.s3_key) == key)).first(), db.get(Video, video_id)
    if of_key is None and (former := quick_start.former_master(db, key)) is not None:
        of_key = db.get_one(Video, former["video_id"])
    if of_key is not None and of_id is not None and of_key.id != of_id.id:
        raise ValueError("the key and the id belong to different videos")
    if (known := of_key or of_id) is not None:
        return known, False
    content_type(key)
    if key.startswith((f"{prefix}exports/", f"{prefix}previews/")):
        raise ValueError("not a key for a video")
    if db.scalars(select(col(ExportedClip.id)).where(col(ExportedClip.s3_key) == key)).first() is not None:
        raise ValueError("this is a clip, not a video")
    stored = masters.get(key) if masters is not None else None
    poster = source["posterKey"]
    is_picture = isinstance(poster, str) and poster.lower().endswith(_PICTURES)
    video = Video(
        id=video_id,
        title=parse_text(source["title"], 300),
        s3_key=key,
        etag=stored.etag if stored else parse_text(source["etag"], 100),
        size=stored.size if stored else parse_int(source["size"], _MOST_BYTES),
        duration_ms=seconds_to_ms(source["duration"]),
        width=parse_int(source["width"]),
        height=parse_int(source["height"]),
        frame_rate=parse_text(source["frameRate"], 20),
        poster_key=check_object_key(parse_text(poster, 1024), prefix) if is_picture else None,
        missing_at=now if masters is not None and stored is None else None,
        sent=parse_sent(source, VIDEO_PARTS),
    )
    db.add(video)
    db.flush()
    return video, True


def _candidate(db: Session, video_id: str, clip: Mapping[str, Any], start_ms: int, end_ms: int) -> tuple[str | None, bool]:
    """Return the candidate that the export came from; None if it was deleted before the export, or removed by a person since."""
    clip_id = clip["id"]
    if clip_id is None or not is_id(str(clip_id), "clip"):
        return None, False
    reference = parse_text(clip["reference"], 200) or str(clip_id)
    known = db.get(IdentifiedClip, clip_id)
    if known is None:
        same = select(IdentifiedClip).where(col(IdentifiedClip.video_id) == video_id, col(IdentifiedClip.reference) == reference)
        known = db.scalars(same).first()
    if known is not None:
        if known.video_id != video_id:
            raise ValueError("the clip belongs to another video")
        return known.id, False
    if is_removed(db, video_id, CANDIDATE, reference):
        return None, False
    parts = dict(clip["scoreParts"])
    if len(parts) > _MOST_PARTS:
        raise ValueError("the score has too many parts")
    row = IdentifiedClip(
        id=str(clip_id),
        video_id=video_id,
        reference=reference,
        start_ms=start_ms,
        end_ms=end_ms,
        title=parse_text(clip["title"], 300),
        score=None if clip["score"] is None else parse_float(clip["score"]),
        score_parts={parse_text(name, 100): parse_float(value) for name, value in parts.items()},
        sent=parse_sent(clip, CANDIDATE_PARTS),
    )
    db.add(row)
    db.flush()
    return row.id, True


def _captions(told: Mapping[str, Any] | None) -> str:
    return f"{CaptionMode(told['mode'])}:{told['digest']}"[:100] if told else ""


def parse_text(value: Any, length: int) -> str:
    """Return a text without characters that the database or a page cannot hold; raises ``ValueError`` otherwise."""
    if not isinstance(value, str):
        raise TypeError("not a string")
    value.encode()
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("control characters")
    return value[:length]


def parse_sent(told: Mapping[str, Any], parts: Mapping[str, Part]) -> dict[str, Any] | None:
    """Return what machines had written; earlier sidecars do not say."""
    sent = told.get("sent", ALL_BY_PERSON)
    if sent is None:
        return None
    known = {column: sent[column] for part in parts.values() for column in part if column in dict(sent)}
    return {column: parse_int(value) if column.endswith("_ms") else parse_text(value, 300) for column, value in known.items()}


def parse_int(value: Any, most: int = _MOST) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError("not a number in range")
    return value


def parse_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a number in range")
    return float(value)


def parse_moment(value: Any, now: datetime) -> datetime:
    """Return an aware datetime that is not in the future; raises ``ValueError`` otherwise."""
    moment = datetime.fromisoformat(parse_text(value, 40))
    return min(moment.astimezone(UTC), now) if moment.tzinfo else moment.replace(tzinfo=UTC)
