"""A video's own sidecar: a small JSON in the bucket with what people typed, so that a lost database does not lose it.

It has title, tags, captions, the candidates that a person made or changed, chosen crops, and what people removed. It is written behind:
triggers mark the video when something changes, and a worker writes the sidecar within seconds. The texts of captions lie beside it, once
each.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.adoption_models import SidecarDue
from clipviewer.db.clip_models import ClipFraming, RemovedItem, VideoCaptions
from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.domain.bucket_contents import notes_folder
from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.services.container import Services
from clipviewer.services.library.removed_items import removed_items_of
from clipviewer.services.library.tags import tags_by_video
from clipviewer.storage.s3 import ObjectStore

SCHEMA = "clipviewer.video/1"
_AT_ONCE = 50
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VideoSidecar:
    """A sidecar's JSON, and the texts of its captions by language."""

    document: Mapping[str, Any]
    captions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Due:
    video_id: str
    changes: int


def write_due(services: Services) -> int:
    """Write the sidecars that are out of date, some at a time; return their number. Raises ``StorageError``."""
    with services.database.read() as db:
        query = select(col(SidecarDue.video_id), col(SidecarDue.changes)).order_by(col(SidecarDue.video_id)).limit(_AT_ONCE)
        due = [_Due(*row) for row in db.execute(query)]
    for one in due:
        _write(services, one)
    return len(due)


def read_video_sidecars(store: ObjectStore, prefix: str) -> Iterator[VideoSidecar]:
    """Yield every readable sidecar of a video. Needs no open transaction; raises ``StorageError``."""
    keys = {found.key for found in store.list(notes_folder(prefix))}
    for key in sorted(key for key in keys if key.endswith(".json")):
        try:
            document = json.loads(store.get(key))
            if document["schema"] != SCHEMA or _key(prefix, str(document["videoId"])) != key:
                continue
            video_id = str(document["videoId"])
            texts = {told["language"]: _captions_key(prefix, video_id, told["language"], told["digest"]) for told in document["captions"]}
            yield VideoSidecar(document, {language: store.get(text).decode() for language, text in texts.items() if text in keys})
        except (ValueError, KeyError, TypeError, RecursionError):
            _LOG.warning("a video's sidecar is damaged and was left out")


def _write(services: Services, due: _Due) -> None:
    """Write one sidecar, or remove that of a video that is gone. What changes meanwhile is written again."""
    store, prefix = services.store, services.settings.s3_prefix
    with services.database.read() as db:
        described = _describe(db, due.video_id)
    start = _key(prefix, due.video_id).removesuffix("json")
    there = {found.key for found in store.list(start)}
    kept = set()
    if described is not None:
        for language, text in described.captions.items():
            digest = next(told["digest"] for told in described.document["captions"] if told["language"] == language)
            key = _captions_key(prefix, due.video_id, language, digest)
            if key not in there:
                store.put(key, text.encode(), "text/vtt; charset=utf-8")
            kept.add(key)
        kept.add(_key(prefix, due.video_id))
        document = json.dumps(described.document, ensure_ascii=False, separators=(",", ":")).encode()
        store.put(_key(prefix, due.video_id), document, "application/json")
    for key in there - kept:
        store.delete(key)
    with services.database.write() as db:
        db.execute(delete(SidecarDue).where(col(SidecarDue.video_id) == due.video_id, col(SidecarDue.changes) == due.changes))


def _describe(db: Session, video_id: str) -> VideoSidecar | None:
    video = db.get(Video, video_id)
    if video is None:
        return None
    captions = db.scalars(select(VideoCaptions).where(col(VideoCaptions.video_id) == video_id).order_by(col(VideoCaptions.language))).all()
    of_video = col(IdentifiedClip.video_id) == video_id
    framings = db.scalars(select(ClipFraming).join(IdentifiedClip).where(of_video).order_by(col(ClipFraming.chosen_at))).all()
    framed = {framing.identified_clip_id for framing in framings}
    typed = of_video & (col(IdentifiedClip.touched_at).is_not(None) | col(IdentifiedClip.id).in_(framed))
    clips = db.scalars(select(IdentifiedClip).where(typed).order_by(col(IdentifiedClip.start_ms), col(IdentifiedClip.id))).all()
    document = {
        "schema": SCHEMA,
        "videoId": video.id,
        "s3Key": video.s3_key,
        "etag": video.etag,
        "size": video.size,
        "duration": ms_to_seconds(video.duration_ms),
        "width": video.width,
        "height": video.height,
        "frameRate": video.frame_rate,
        "title": video.title,
        "sent": video.sent,
        "tags": tags_by_video(db, [video_id]).get(video_id, []),
        "createdAt": _moment(video.created_at),
        "archivedAt": _moment(video.archived_at),
        "deletedAt": _moment(video.deleted_at),
        "removal": video.removal,
        "captions": [
            {"language": one.language, "name": one.name, "origin": one.origin, "digest": one.digest, "byPerson": one.by_person}
            for one in captions
        ],
        "candidates": [_clip(clip) for clip in clips],
        "framings": [
            {"clip": one.identified_clip_id, "aspectRatio": one.aspect_ratio, "x": one.x, "y": one.y, "at": _moment(one.chosen_at)}
            for one in framings
        ],
        "removed": [_removed(item) for item in removed_items_of(db, video_id)],
    }  # fmt: skip
    return VideoSidecar(document, {one.language: one.webvtt for one in captions})


def _clip(clip: IdentifiedClip) -> dict[str, Any]:
    return {
        "id": clip.id,
        "reference": clip.reference,
        "start": ms_to_seconds(clip.start_ms),
        "end": ms_to_seconds(clip.end_ms),
        "title": clip.title,
        "score": clip.score,
        "scoreParts": clip.score_parts,
        "origin": clip.origin,
        "sent": clip.sent,
        "reasons": clip.reasons,
        "createdAt": _moment(clip.created_at),
        "touchedAt": _moment(clip.touched_at),
    }


def _removed(item: RemovedItem) -> dict[str, Any]:
    told = {"kind": item.kind, "name": item.name, "id": item.item_id, "at": _moment(item.removed_at)}
    if item.start_ms is None or item.end_ms is None:
        return told
    return {**told, "start": ms_to_seconds(item.start_ms), "end": ms_to_seconds(item.end_ms)}


def _key(prefix: str, video_id: str) -> str:
    return f"{notes_folder(prefix)}{video_id}.json"


def _captions_key(prefix: str, video_id: str, language: str, digest: str) -> str:
    return f"{notes_folder(prefix)}{video_id}.{language}.{digest[:16]}.vtt"


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
