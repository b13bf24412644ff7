"""Store found clips beside existing ones, so that what people decided always stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, utc_now
from clipviewer.domain.highlight import Candidate, FindOptions
from clipviewer.domain.ids import is_id, new_id
from clipviewer.domain.job_state import UNFINISHED
from clipviewer.services import work
from clipviewer.services.library.removed_items import removed_spans
from clipviewer.services.library.uploads import FIND_CLIPS
from clipviewer.services.library.videos import require_changeable, require_video
from clipviewer.services.prefs import load_preferences
from clipviewer.services.work import WorkView

KIND, ORIGIN = FIND_CLIPS, "found"
_SAME = 0.5


@dataclass(frozen=True, slots=True)
class FoundClips:
    """How many candidates a search added, changed and removed.

    ``there`` were already clips of people or pipelines; ``left_out`` were found earlier and removed by a person.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    there: int = 0
    left_out: int = 0


def enqueue_search(db: Session, video_id: str, *, actor: str = "") -> WorkView:
    """Enqueue a search for clips, or return the unfinished one. Raises ``VideoNotFound``, ``Conflict``."""
    require_changeable(db, video_id)
    return work.enqueue(db, KIND, video_id, video_id=video_id, actor=actor)


def find_options(db: Session) -> FindOptions:
    """Return the search options from the team's preferences."""
    wanted = load_preferences(db)
    return FindOptions(shortest_ms=wanted.shortest_s * 1_000, longest_ms=wanted.longest_s * 1_000)


def cancel_search(db: Session, video_id: str) -> bool:
    """Cancel the search in that video; return False if there is none. Raises ``VideoNotFound``."""
    require_video(db, video_id)
    found = latest_search(db, video_id)
    if found is None or found.state not in UNFINISHED:
        return False
    work.cancel(db, found.id)
    return True


def latest_search(db: Session, video_id: str) -> WorkView | None:
    """Return the newest search in that video."""
    return next(iter(work.latest_work(db, [video_id], KIND)), None) if is_id(video_id, "video") else None


def store_found_clips(db: Session, video_id: str, candidates: Sequence[Candidate], clock: Callable[[], datetime] = utc_now) -> FoundClips:
    """Store ``candidates`` as the found clips of the video.

    Candidates of an earlier search that nobody has changed, exported or framed are updated if they overlap mostly, else removed. Everything
    else stays, nothing is added twice beside it, and what a person removed is not found again. Raises ``VideoNotFound``.
    """
    require_video(db, video_id)
    rows = db.execute(
        select(col(IdentifiedClip.id), col(IdentifiedClip.start_ms), col(IdentifiedClip.end_ms), _is_undecided())
        .where(col(IdentifiedClip.video_id) == video_id)
        .with_for_update(of=IdentifiedClip)
    ).all()
    removed = removed_spans(db, video_id, ORIGIN)
    free = {row.id: row for row in rows if row.free}
    decided = [row for row in rows if not row.free]
    added, changed, there, left_out = [], 0, 0, 0
    for candidate in candidates:
        if any(_overlap(candidate, row) >= _SAME for row in removed):
            left_out += 1
            continue
        if any(_overlap(candidate, row) >= _SAME for row in decided):
            there += 1
            continue
        earlier = max(free.values(), key=lambda row: _overlap(candidate, row), default=None)
        if earlier is not None and _overlap(candidate, earlier) >= _SAME:
            del free[earlier.id]
            changed += 1
            db.execute(update(IdentifiedClip).where(col(IdentifiedClip.id) == earlier.id).values(**_values(candidate)))
        else:
            clip_id = new_id("clip")
            own = {"id": clip_id, "video_id": video_id, "reference": f"{ORIGIN}:{clip_id}", "origin": ORIGIN, "created_at": clock()}
            added.append(own | _values(candidate))
    if free:
        db.execute(delete(IdentifiedClip).where(col(IdentifiedClip.id).in_(list(free))))
    if added:
        db.execute(insert(IdentifiedClip), added)
    return FoundClips(len(added), changed, len(free), there, left_out)


def candidates_version(db: Session, video_id: str) -> str:
    """Return a change token of the video's candidates, by which an open room notices changes."""
    count, made, touched = db.execute(
        select(func.count(), func.max(col(IdentifiedClip.created_at)), func.max(col(IdentifiedClip.touched_at))).where(
            col(IdentifiedClip.video_id) == video_id
        )
    ).one()
    search = latest_search(db, video_id)
    return f"{count} {made} {touched} {search.id if search and search.state == 'done' else ''}"


def _is_undecided() -> Any:
    """Return whether a candidate was found here and nobody has decided on it."""
    exported = exists().where(col(ExportedClip.identified_clip_id) == col(IdentifiedClip.id))
    asked = exists().where(col(ExportJob.identified_clip_id) == col(IdentifiedClip.id))
    framed = exists().where(col(ClipFraming.identified_clip_id) == col(IdentifiedClip.id))
    return ((col(IdentifiedClip.origin) == ORIGIN) & col(IdentifiedClip.touched_at).is_(None) & ~exported & ~asked & ~framed).label("free")


def _overlap(candidate: Candidate, row: Any) -> float:
    """Return intersection over union of two ranges."""
    common = min(candidate.end_ms, row.end_ms) - max(candidate.start_ms, row.start_ms)
    return float(max(0, common) / (max(candidate.end_ms, row.end_ms) - min(candidate.start_ms, row.start_ms)))


def _values(candidate: Candidate) -> dict[str, Any]:
    return {
        "start_ms": candidate.start_ms,
        "end_ms": candidate.end_ms,
        "title": candidate.title[:300],
        "score": candidate.score,
        "score_parts": dict(candidate.parts),
        "reasons": list(candidate.reasons),
    }
