"""Crops chosen by hand: one per candidate and aspect ratio."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import IdentifiedClip, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.ids import is_id
from clipviewer.errors import ClipNotFound, Invalid

_CHUNK = 500
_DECIMALS = 4


def saved_framings(db: Session, clip_ids: Collection[str]) -> dict[tuple[str, AspectRatio], Framing]:
    """Return the chosen crops of these candidates, by candidate and ratio."""
    found: dict[tuple[str, AspectRatio], Framing] = {}
    wanted = list(clip_ids)
    for start in range(0, len(wanted), _CHUNK):
        columns = (col(ClipFraming.identified_clip_id), col(ClipFraming.aspect_ratio), col(ClipFraming.x), col(ClipFraming.y))
        query = select(*columns).where(col(ClipFraming.identified_clip_id).in_(wanted[start : start + _CHUNK]))
        for clip_id, ratio, x, y in db.execute(query):
            found[clip_id, AspectRatio(ratio)] = Framing(FramingMode.MANUAL, x, y)
    return found


def save_framing(
    db: Session,
    video_id: str,
    clip_id: str,
    ratio: AspectRatio,
    x: float,
    y: float,
    *,
    actor: str = "",
    clock: Callable[[], datetime] = utc_now,
) -> Framing:
    """Save the crop of a candidate in ``ratio``, rounded to four decimals; the last one wins.

    Raises ``ClipNotFound``, and ``Invalid`` for a centre outside the picture.
    """
    _require_clip(db, video_id, clip_id)
    try:
        framing = Framing(FramingMode.MANUAL, round(x, _DECIMALS), round(y, _DECIMALS))
    except ValueError as error:
        raise Invalid("The crop is outside the picture. Drag it back inside.") from error
    reset_framing(db, video_id, clip_id, ratio)
    chosen = {"x": framing.x, "y": framing.y, "chosen_by": actor, "chosen_at": clock()}
    db.execute(insert(ClipFraming).values(identified_clip_id=clip_id, aspect_ratio=ratio.value, **chosen))
    return framing


def reset_framing(db: Session, video_id: str, clip_id: str, ratio: AspectRatio) -> None:
    """Reset the crop to the centre. Raises ``ClipNotFound``."""
    _require_clip(db, video_id, clip_id)
    db.execute(delete(ClipFraming).where(col(ClipFraming.identified_clip_id) == clip_id, col(ClipFraming.aspect_ratio) == ratio.value))


def _require_clip(db: Session, video_id: str, clip_id: str) -> None:
    """Raise unless the candidate exists; locks it, so that concurrent changes follow each other."""
    query = (
        select(col(IdentifiedClip.id)).where(col(IdentifiedClip.id) == clip_id, col(IdentifiedClip.video_id) == video_id).with_for_update()
    )
    if not is_id(clip_id, "clip") or db.execute(query).one_or_none() is None:
        raise ClipNotFound
