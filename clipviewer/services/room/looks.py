"""Picture analyses of candidates, valid while the picture is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import ClipLook
from clipviewer.db.models import IdentifiedClip, Video, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Rect, Shot
from clipviewer.domain.ids import is_id
from clipviewer.errors import ClipNotFound
from clipviewer.media.framing.reframe import LOOK_VERSION, PictureAnalysis

_SAME_PICTURE = and_(
    col(ClipLook.identified_clip_id) == col(IdentifiedClip.id),
    col(ClipLook.source_etag) == col(Video.etag),
    col(ClipLook.start_ms) == col(IdentifiedClip.start_ms),
    col(ClipLook.end_ms) == col(IdentifiedClip.end_ms),
    col(ClipLook.version) == LOOK_VERSION,
)


@dataclass(frozen=True, slots=True)
class AnalysisTarget:
    """What to analyse: a range (ms) of the object ``source_key`` in the version ``source_etag``."""

    clip_id: str
    source_key: str
    source_etag: str
    start_ms: int
    end_ms: int


def analysis_target(db: Session, video_id: str, clip_id: str) -> AnalysisTarget:
    """Return where a candidate's picture lies. Raises ``ClipNotFound``, also if the video is deleted."""
    columns = (col(IdentifiedClip.id), col(Video.s3_key), col(Video.etag), col(IdentifiedClip.start_ms), col(IdentifiedClip.end_ms))
    there = (col(IdentifiedClip.id) == clip_id, col(IdentifiedClip.video_id) == video_id, col(Video.deleted_at).is_(None))
    query = select(*columns).join(Video, col(Video.id) == col(IdentifiedClip.video_id)).where(*there)
    row = db.execute(query).one_or_none() if is_id(clip_id, "clip") and is_id(video_id, "video") else None
    if row is None:
        raise ClipNotFound
    return AnalysisTarget(*row)


def find_analysis(db: Session, video_id: str, clip_id: str) -> PictureAnalysis | None:
    """Return the analysis of a candidate; None if its range, its video or the method has changed since."""
    query = (
        select(col(ClipLook.found))
        .join(IdentifiedClip, col(IdentifiedClip.id) == col(ClipLook.identified_clip_id))
        .join(Video, col(Video.id) == col(IdentifiedClip.video_id))
        .where(col(IdentifiedClip.id) == clip_id, col(IdentifiedClip.video_id) == video_id, _SAME_PICTURE)
    )
    known = is_id(clip_id, "clip") and is_id(video_id, "video")
    found = db.execute(query).scalar_one_or_none() if known else None
    return None if found is None else _from_json(found)


def store_analysis(db: Session, sight: AnalysisTarget, look: PictureAnalysis, *, clock: Callable[[], datetime] = utc_now) -> None:
    """Store the analysis of ``sight``, replacing an earlier one; does nothing if the candidate is gone."""
    if db.execute(select(col(IdentifiedClip.id)).where(col(IdentifiedClip.id) == sight.clip_id).with_for_update()).one_or_none() is None:
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
    db.execute(delete(ClipLook).where(col(ClipLook.identified_clip_id) == sight.clip_id))
    db.execute(insert(ClipLook).values(row))


def _json(look: PictureAnalysis) -> dict[str, Any]:
    shots = {ratio.value: [astuple(shot) for shot in found] for ratio, found in look.shots.items()}
    return {"width": look.width, "height": look.height, "content": astuple(look.content), "shots": shots}


def _from_json(found: dict[str, Any]) -> PictureAnalysis:
    """Restore what ``_json`` returned."""
    shots = {AspectRatio(ratio): tuple(Shot(*shot) for shot in each) for ratio, each in found["shots"].items()}
    return PictureAnalysis(found["width"], found["height"], Rect(*found["content"]), shots)
