"""Masters that start slowly: the same footage as another object, with the index first, in the place of the one that was.

The object that was stays in the bucket, and whoever names it still means the video. What was made from it stays what it is: the pictures
are the same, so exports, previews and what was seen in the picture are carried over to the new object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session

from clipviewer.db.clip_models import ClipLook
from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_identity import export_identity
from clipviewer.domain.object_key import MAX_KEY_BYTES
from clipviewer.errors import Conflict
from clipviewer.media.source.inspection import Inspection
from clipviewer.services import audit, work
from clipviewer.services.exporting.cells import JOB, UNFINISHED, framing_of, hold_board
from clipviewer.services.library import video_previews
from clipviewer.services.library.videos import require_video
from clipviewer.services.work import WorkView
from clipviewer.storage.s3 import StoredObject

KIND = "remux"
_VIDEO = Video.metadata.tables["video"]
_FORMER = FormerMaster.metadata.tables["former_master"]
_LOOK = ClipLook.metadata.tables["clip_look"]
_CLIP = IdentifiedClip.metadata.tables["identified_clip"]
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class QuickStart:
    """``slow``: the master's index lies at its end; ``size`` is its bytes. ``making`` is the newest work on a quick one."""

    slow: bool
    size: int
    making: WorkView | None


def quick_start_of(db: Session, video_id: str) -> QuickStart:
    """How the video starts. Raises ``VideoNotFound``."""
    require_video(db, video_id)
    row = db.connection().execute(select(_VIDEO.c.media, _VIDEO.c.size).where(_VIDEO.c.id == video_id)).one()
    making = next(iter(work.latest_work(db, [video_id], KIND)), None)
    return QuickStart(bool(row.media.get("slowToStart")), row.size, making)


def ask(db: Session, video_id: str, *, actor: str = "") -> WorkView:
    """Have the video start quickly; the work that is under way, if there is some. Raises ``VideoNotFound`` and ``Conflict``."""
    if not quick_start_of(db, video_id).slow:
        raise Conflict("This video starts quickly already.")
    return work.ask(db, KIND, video_id, video_id=video_id, actor=actor)


def call_off(db: Session, video_id: str) -> bool:
    """Call that work off; False when there is none under way. Raises ``VideoNotFound``."""
    making = quick_start_of(db, video_id).making
    if making is None or making.state not in UNFINISHED:
        return False
    work.cancel(db, making.id)
    return True


def quick_key(key: str, item: WorkView, attempt: int | None = None) -> str:
    """Where an attempt of that work puts the quick master: beside ``key``, under a name that nothing else has."""
    tail = f".quick-{item.id[-8:]}-{item.attempt if attempt is None else attempt}.mp4"
    stem = key.removesuffix(PurePosixPath(key).suffix).encode()[: MAX_KEY_BYTES - len(tail)]
    return stem.decode(errors="ignore") + tail


def left_behind(db: Session, item: WorkView, key: str) -> list[str]:
    """What attempts that did not come to their end may have put beside ``key``, when their process was killed."""
    unfinished = [other for other in work.latest_work(db, [item.subject], KIND) if other.id != item.id and other.state != "done"]
    earlier = [quick_key(key, item, attempt) for attempt in range(1, item.attempt)]
    return earlier + [quick_key(key, other, attempt) for other in unfinished for attempt in range(1, other.attempt + 1)]


def change_over(db: Session, item: WorkView, old: StoredObject, new: StoredObject, info: Inspection, now: datetime) -> None:
    """Make ``new`` the master in the place of ``old``, with all that was made from it.

    Raises ``Conflict`` if ``old`` is not the master any more.
    """
    video_id = item.subject
    hold_board(db, video_id)
    mine = (_VIDEO.c.id == video_id) & (_VIDEO.c.s3_key == old.key)
    previews = db.connection().execute(select(_VIDEO.c.previews).where(mine).with_for_update()).scalar_one_or_none()
    if previews is None:
        raise Conflict("Another file took the place of this one meanwhile. Load the page again.")
    same = previews.get("etag") == old.etag
    values = {
        "s3_key": new.key,
        "etag": new.etag,
        "size": new.size,
        "media": video_previews.media_json(info),
        "previews": {**previews, "etag": new.etag} if same else previews,
        "missing_at": None,
    }
    db.connection().execute(update(_VIDEO).where(mine).values(**values))
    if not same:
        video_previews.ask(db, video_id, actor=item.requested_by)
    _carry_exports(db, video_id, old.etag, new.etag)
    of_video = _LOOK.c.identified_clip_id.in_(select(_CLIP.c.id).where(_CLIP.c.video_id == video_id))
    db.connection().execute(update(_LOOK).where(of_video, _LOOK.c.source_etag == old.etag).values(source_etag=new.etag))
    db.connection().execute(delete(_FORMER).where(_FORMER.c.s3_key.in_((old.key, new.key))))
    db.connection().execute(insert(_FORMER).values(s3_key=old.key, video_id=video_id, etag=old.etag, replaced_at=now))
    audit.record(db, "master_repacked", actor=item.requested_by, subject=new.key, at=now, video=video_id, before=old.key)


def former_master(db: Session, key: str) -> Mapping[str, Any] | None:
    """The video (``video_id``) whose master that object was, and its state then (``etag``)."""
    row = db.connection().execute(select(_FORMER).where(_FORMER.c.s3_key == key)).mappings().one_or_none()
    return None if row is None else dict(row)


def former_keys(db: Session, video_id: str) -> list[str]:
    """The objects that were its master and still lie in the bucket."""
    return list(db.connection().execute(select(_FORMER.c.s3_key).where(_FORMER.c.video_id == video_id)).scalars())


def take_back(db: Session, key: str, now: datetime) -> None:
    """Make the object a master again, if it was one: what lies there now is not what was copied."""
    former = former_master(db, key)
    if former is None:
        return
    of_video = _VIDEO.c.id == former["video_id"]
    present = db.connection().execute(select(_VIDEO.c.s3_key, _VIDEO.c.etag).where(of_video)).one()
    db.connection().execute(update(_VIDEO).where(of_video).values(s3_key=key))
    db.connection().execute(delete(_FORMER).where(_FORMER.c.s3_key == key))
    replaced = {"s3_key": present.s3_key, "video_id": former["video_id"], "etag": present.etag, "replaced_at": now}
    db.connection().execute(insert(_FORMER).values(replaced))


def _carry_exports(db: Session, video_id: str, old_etag: str, new_etag: str) -> None:
    """Let every cell made from the old object, or to be made from it, be one of the new object, unless there is such a one."""
    rows = db.connection().execute(select(JOB).where(JOB.c.video_id == video_id, JOB.c.source_etag == old_etag)).all()
    renewed = {
        row.id: export_identity(
            video_id,
            new_etag,
            row.start_ms,
            row.end_ms,
            ratio=AspectRatio(row.aspect_ratio),
            language=row.target_language,
            framing=framing_of(row.framing),
            captions=row.captions,
            recipe=row.recipe,
        )
        for row in rows
    }
    known = list(renewed.items())
    for start in range(0, len(known), _CHUNK):
        chunk = known[start : start + _CHUNK]
        there = set(db.connection().execute(select(JOB.c.identity).where(JOB.c.identity.in_([one for _, one in chunk]))).scalars())
        changes = [{"row_id": job_id, "new_identity": identity} for job_id, identity in chunk if identity not in there]
        if changes:
            values = {"identity": bindparam("new_identity"), "source_etag": new_etag}
            db.connection().execute(update(JOB).where(JOB.c.id == bindparam("row_id")).values(values), changes)
