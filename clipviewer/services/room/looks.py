"""What was seen in a candidate's picture, kept for as long as it is the same picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, select
from sqlmodel import Session

from clipviewer.db.clip_models import ClipLook
from clipviewer.db.models import IdentifiedClip, Video, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Rect, Shot
from clipviewer.domain.ids import is_id
from clipviewer.errors import ClipNotFound
from clipviewer.media.framing.reframe import LOOK_VERSION, Look

_LOOK = ClipLook.metadata.tables["clip_look"]
_CLIP = IdentifiedClip.metadata.tables["identified_clip"]
_VIDEO = Video.metadata.tables["video"]
_SAME_PICTURE = and_(
    _LOOK.c.identified_clip_id == _CLIP.c.id,
    _LOOK.c.source_etag == _VIDEO.c.etag,
    _LOOK.c.start_ms == _CLIP.c.start_ms,
    _LOOK.c.end_ms == _CLIP.c.end_ms,
    _LOOK.c.version == LOOK_VERSION,
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to look at: a range (ms) of the object ``source_key`` in the version ``source_etag``."""

    clip_id: str
    source_key: str
    source_etag: str
    start_ms: int
    end_ms: int


def sight_of(db: Session, video_id: str, clip_id: str) -> Sight:
    """Where a candidate's picture lies. Raises ``ClipNotFound``, also where the video is deleted."""
    columns = (_CLIP.c.id, _VIDEO.c.s3_key, _VIDEO.c.etag, _CLIP.c.start_ms, _CLIP.c.end_ms)
    there = (_CLIP.c.id == clip_id, _CLIP.c.video_id == video_id, _VIDEO.c.deleted_at.is_(None))
    query = select(*columns).join(_VIDEO, _VIDEO.c.id == _CLIP.c.video_id).where(*there)
    row = db.connection().execute(query).one_or_none() if is_id(clip_id, "clip") and is_id(video_id, "video") else None
    if row is None:
        raise ClipNotFound
    return Sight(*row)


def look_of(db: Session, video_id: str, clip_id: str) -> Look | None:
    """What was seen in a candidate's picture; None where nobody looked since its range, its video or the method changed."""
    query = (
        select(_LOOK.c.found)
        .join(_CLIP, _CLIP.c.id == _LOOK.c.identified_clip_id)
        .join(_VIDEO, _VIDEO.c.id == _CLIP.c.video_id)
        .where(_CLIP.c.id == clip_id, _CLIP.c.video_id == video_id, _SAME_PICTURE)
    )
    known = is_id(clip_id, "clip") and is_id(video_id, "video")
    found = db.connection().execute(query).scalar_one_or_none() if known else None
    return None if found is None else _look(found)


def store_look(db: Session, sight: Sight, look: Look, *, clock: Callable[[], datetime] = utc_now) -> None:
    """Keep what was seen at ``sight``, in place of what was seen before; nothing where the candidate is gone meanwhile."""
    if db.connection().execute(select(_CLIP.c.id).where(_CLIP.c.id == sight.clip_id).with_for_update()).one_or_none() is None:
        return
    row = {
        "identified_clip_id": sight.clip_id,
        "source_etag": sight.source_etag,
        "start_ms": sight.start_ms,
        "end_ms": sight.end_ms,
        "version": LOOK_VERSION,
        "found": _json(look),
        "looked_at": clock(),
    }
    db.connection().execute(delete(_LOOK).where(_LOOK.c.identified_clip_id == sight.clip_id))
    db.connection().execute(insert(_LOOK).values(row))


def _json(look: Look) -> dict[str, Any]:
    shots = {ratio.value: [astuple(shot) for shot in found] for ratio, found in look.shots.items()}
    return {"width": look.width, "height": look.height, "content": astuple(look.content), "shots": shots}


def _look(found: dict[str, Any]) -> Look:
    """The opposite of ``_json``."""
    shots = {AspectRatio(ratio): tuple(Shot(*shot) for shot in each) for ratio, each in found["shots"].items()}
    return Look(found["width"], found["height"], Rect(*found["content"]), shots)
