"""The provenance sidecar: a small JSON beside each export that says what it was made from, how, for whom and when.

With the sidecars the library can be rebuilt from the bucket alone.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from clipviewer.db.models import IdentifiedClip, User, Video
from clipviewer.domain.export_identity import captions_key
from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.services.exporting.export_runs import Order
from clipviewer.storage.s3 import StoredObject

SCHEMA = "clipviewer.export/1"


def provenance(db: Session, order: Order, stored: StoredObject, now: datetime) -> bytes:
    """Return the sidecar of a finished file, as UTF-8 JSON. Times of footage are decimal seconds in strings; ``now`` is the render time."""
    made = order.cell
    video = db.get_one(Video, made.video_id)
    clip = db.get(IdentifiedClip, made.identified_clip_id) if made.identified_clip_id else None
    person = db.get(User, made.requested_by)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "identity": made.identity,
        "source": {
            "videoId": video.id,
            "title": video.title,
            "s3Key": order.source_key,
            "etag": order.source_etag,
            "size": video.size,
            "duration": ms_to_seconds(video.duration_ms),
            "width": video.width,
            "height": video.height,
            "frameRate": video.frame_rate,
            "posterKey": video.poster_key,
            "sent": video.sent,
        },
        "clip": {
            "id": made.identified_clip_id,
            "reference": clip.reference if clip else "",
            "title": made.title,
            "start": ms_to_seconds(made.start_ms),
            "end": ms_to_seconds(made.end_ms),
            "score": clip.score if clip else None,
            "scoreParts": clip.score_parts if clip else {},
            "sent": clip.sent if clip else None,
        },
        "aspectRatio": made.aspect_ratio,
        "targetLanguage": made.target_language,
        "framing": made.framing,
        "captions": _captions(made.captions, made.target_language, stored.key),
        "recipe": made.recipe,
        "export": {"s3Key": stored.key, "etag": stored.etag, "size": stored.size},
        "requestedBy": {"id": made.requested_by, "name": person.name if person else ""},
        "requestedAt": _moment(made.created_at),
        "renderedAt": _moment(now),
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _captions(identity: str, language: str, key: str) -> dict[str, str] | None:
    """Return mode and ``digest``: the first 16 hex digits of the SHA-256 of the WebVTT at ``s3Key``, whose times start with the clip."""
    if not identity:
        return None
    mode, _, digest = identity.partition(":")
    return {"mode": mode, "language": language, "digest": digest, "s3Key": captions_key(key)}


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
