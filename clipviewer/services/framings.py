"""The crops that people chose by hand: one per candidate and aspect ratio."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import IdentifiedClip, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.ids import is_id
from clipviewer.errors import ClipNotFound, Invalid

_FRAMING = ClipFraming.metadata.tables["clip_framing"]
_IDENTIFIED = IdentifiedClip.metadata.tables["identified_clip"]
_CHUNK = 500


def saved_framings(db: Session, clip_ids: Collection[str]) -> dict[tuple[str, AspectRatio], Framing]:
    """The chosen crops of those candidates, by candidate and ratio."""
    found: dict[tuple[str, AspectRatio], Framing] = {}
    wanted = list(clip_ids)
    for start in range(0, len(wanted), _CHUNK):
        columns = (_FRAMING.c.identified_clip_id, _FRAMING.c.aspect_ratio, _FRAMING.c.x, _FRAMING.c.y)
        query = select(*columns).where(_FRAMING.c.identified_clip_id.in_(wanted[start : start + _CHUNK]))
        for clip_id, ratio, x, y in db.connection().execute(query):
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
    """Keep the crop of a candidate in ``ratio``. Raises ``ClipNotFound``, and ``Invalid`` for a centre outside the picture."""
    _require_clip(db, video_id, clip_id)
    try:
        framing = Framing(FramingMode.MANUAL, x, y)
    except ValueError as error:
        raise Invalid("The crop lies outside the picture. Drag it back into it.") from error
    row = db.get(ClipFraming, (clip_id, ratio.value)) or ClipFraming(identified_clip_id=clip_id, aspect_ratio=ratio.value, x=x, y=y)
    row.x, row.y, row.chosen_by, row.chosen_at = x, y, actor, clock()
    db.add(row)
    db.flush()
    return framing


def forget_framing(db: Session, video_id: str, clip_id: str, ratio: AspectRatio) -> None:
    """Go back to the centre. Raises ``ClipNotFound``."""
    _require_clip(db, video_id, clip_id)
    db.connection().execute(delete(_FRAMING).where(_FRAMING.c.identified_clip_id == clip_id, _FRAMING.c.aspect_ratio == ratio.value))


def _require_clip(db: Session, video_id: str, clip_id: str) -> None:
    query = select(_IDENTIFIED.c.id).where(_IDENTIFIED.c.id == clip_id, _IDENTIFIED.c.video_id == video_id)
    if not is_id(clip_id, "clip") or db.connection().execute(query).one_or_none() is None:
        raise ClipNotFound
