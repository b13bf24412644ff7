"""Findings of inspecting a video's file, stored in its row, and its previews in the bucket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, case, cast, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.adoption_models import PreviewsDue
from clipviewer.db.models import Video
from clipviewer.db.statements import count_changed
from clipviewer.media.source.inspection import Inspection
from clipviewer.services import work
from clipviewer.services.library.opening_media import is_given_up
from clipviewer.services.library.videos import require_changeable, require_video
from clipviewer.services.work import WorkView
from clipviewer.storage.s3 import StoredObject

KIND = "previews"
_NO_KEY_PART = re.compile(r"[^A-Za-z0-9-]")


def previews_root(prefix: str, video_id: str) -> str:
    """Return the folder of all previews of a video; nothing else lies in it."""
    return f"{prefix}previews/{video_id}/"


def previews_folder(prefix: str, video_id: str, etag: str, making: str) -> str:
    """Return the folder for one state of the file, made by one job: a failed one never affects what is shown."""
    return f"{previews_root(prefix, video_id)}{_NO_KEY_PART.sub('', etag)[:12] or 'file'}-{making}/"


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A video's file as it was in the bucket at a time."""

    stored: StoredObject
    at: datetime


def store_findings(db: Session, video_id: str, seen: SeenFile, info: Inspection, previews: Mapping[str, Any], prefix: str) -> bool:
    """Store the findings in the video's row. A chosen poster stays, and so does a newer "missing" mark.

    Returns False if there is no such video with that file.
    """
    media = info.media
    own = col(Video.poster_key).is_(None) | col(Video.poster_key).startswith(previews_root(prefix, video_id), autoescape=True)
    values = {
        "etag": seen.stored.etag,
        "size": seen.stored.size,
        "duration_ms": media.duration_ms,
        "width": media.width,
        "height": media.height,
        "frame_rate": f"{media.frame_rate.numerator}/{media.frame_rate.denominator}" if media.frame_rate else "",
        "poster_key": case((own, previews["posterKey"]), else_=col(Video.poster_key)),
        "media": media_json(info),
        "previews": dict(previews),
        "missing_at": case((col(Video.missing_at) > seen.at, col(Video.missing_at))),
    }
    chosen = update(Video).where(col(Video.id) == video_id, col(Video.s3_key) == seen.stored.key)
    return count_changed(db, chosen.values(**values)) == 1


def media_json(info: Inspection) -> dict[str, Any]:
    """Return what a file holds, as stored; ``moov`` says where an mp4 has its index (``media.mp4_boxes.MoovPlace``)."""
    media = info.media
    return {
        "container": info.container,
        "moov": info.moov.value,
        "slowToStart": info.slow_to_start,
        "bitRate": info.bit_rate,
        "videoCodec": media.video_codec,
        "audioCodec": media.audio_codec or "",
        "audioChannels": info.audio_channels,
        "audioRate": info.audio_rate,
        "rotation": media.rotation,
        "hdr": media.hdr,
        "variableFrameRate": media.variable_frame_rate,
        "colourPrimaries": info.colour_primaries,
        "colourTransfer": info.colour_transfer,
        "keyframeMs": info.keyframe_ms,
        "captions": [{"index": one.index, "language": one.language, "codec": one.codec, "usable": one.usable} for one in info.captions],
    }


def enqueue_missing_previews(db: Session, *, actor: str = "") -> int:
    """Enqueue previews of every video that has none, except those whose file is not opened any more; return their number."""
    columns = (col(Video.id), col(Video.etag), col(Video.media))
    query = select(*columns).where(cast(col(Video.previews), String) == "{}", col(Video.deleted_at).is_(None)).order_by(col(Video.id))
    video_ids = [row.id for row in db.execute(query) if not is_given_up(row.media, row.etag)]
    for video_id in video_ids:
        work.enqueue(db, KIND, video_id, video_id=video_id, actor=actor)
    return len(video_ids)


def is_any_due(db: Session) -> bool:
    """Return whether an imported video waits for its previews."""
    return db.execute(select(col(PreviewsDue.number)).limit(1)).first() is not None


def enqueue_next_due(db: Session) -> bool:
    """Enqueue previews of the next imported video; return False if none is waiting.

    One at a time, when the worker is idle: however many were imported, a person's job waits for one of them at most.
    """
    due = db.execute(select(col(PreviewsDue.number), col(PreviewsDue.video_id)).order_by(col(PreviewsDue.number)).limit(1)).one_or_none()
    if due is None:
        return False
    db.execute(delete(PreviewsDue).where(col(PreviewsDue.number) == due.number))
    work.enqueue(db, KIND, due.video_id, video_id=due.video_id, priority=work.Priority.IDLE)
    return True


def enqueue_if_due(db: Session, video_id: str) -> bool:
    """Enqueue the previews of an imported video early, because somebody looks at it."""
    if not count_changed(db, delete(PreviewsDue).where(col(PreviewsDue.video_id) == video_id)):
        return False
    work.enqueue(db, KIND, video_id, video_id=video_id, priority=work.Priority.SEEN)
    return True


@dataclass(frozen=True, slots=True)
class PreviewsView:
    """What a timeline is drawn from; ``previews`` is empty until they are made.

    ``making`` is the newest job that makes them; ``due`` means that they will be made later.
    """

    duration_ms: int
    frame_rate: str
    previews: Mapping[str, Any]
    making: WorkView | None
    due: bool = False


def previews_of(db: Session, video_id: str) -> PreviewsView:
    """Return the previews of a video; raises ``VideoNotFound``."""
    require_video(db, video_id)
    columns = (col(Video.duration_ms), col(Video.frame_rate), col(Video.previews))
    duration_ms, frame_rate, previews = db.execute(select(*columns).where(col(Video.id) == video_id)).one()
    due = db.execute(select(col(PreviewsDue.number)).where(col(PreviewsDue.video_id) == video_id)).one_or_none() is not None
    return PreviewsView(duration_ms, frame_rate, previews, next(iter(work.latest_work(db, [video_id], KIND)), None), due)


def enqueue_previews(db: Session, video_id: str, *, actor: str = "") -> WorkView:
    """Enqueue previews of the video. Raises ``VideoNotFound``, and ``Conflict`` for a deleted one."""
    require_changeable(db, video_id)
    return work.enqueue(db, KIND, video_id, video_id=video_id, actor=actor)
