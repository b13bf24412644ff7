"""What adopting writes. Each function is a small part of a page: whoever else wants to write waits for one of them at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.adoption_models import AdoptedCaptions, PreviewsDue
from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.models import ExportedClip, Video
from clipviewer.db.statements import count_changed, upsert
from clipviewer.domain.bucket_contents import Ignored
from clipviewer.domain.ids import is_id, new_id
from clipviewer.services.adoption.plan import CaptionFile, videos_named
from clipviewer.services.library import quick_start
from clipviewer.services.library.quick_start import QuickCopy
from clipviewer.services.library.registration import title_of
from clipviewer.services.room.captions import UPLOADED, WrittenTrack, attach_written
from clipviewer.storage.s3 import StoredObject

_TICK = timedelta(microseconds=1)


def add_videos(db: Session, objects: Sequence[StoredObject], now: datetime) -> int:
    """Make them videos, in the order of the listing; one that somebody else has registered meanwhile stays theirs. → how many are new."""
    rows = [
        {
            "id": new_id("video"),
            "title": title_of(item.key),
            "s3_key": item.key,
            "etag": item.etag,
            "size": item.size,
            "duration_ms": 0,
            "width": 0,
            "height": 0,
            "frame_rate": "",
            "created_at": now - place * _TICK,
        }
        for place, item in enumerate(objects)
    ]
    db.execute(upsert(db, Video).on_conflict_do_nothing(index_elements=["s3_key"]), rows)
    return have_previewed(db, [str(row["id"]) for row in rows])


def add_copy(db: Session, copy: QuickCopy, now: datetime) -> int:
    """Let a quick copy be what it says, the video of its original being made where nobody has it. → how many videos are new."""
    new = 0
    if not quick_start.videos_of(db, copy):
        if db.execute(select(col(ExportedClip.id)).where(col(ExportedClip.s3_key) == copy.original.key)).first() is not None:
            return add_videos(db, [copy.file], now)
        was = replace(copy.file, key=copy.original.key, etag=copy.original.etag)
        new = add_videos(db, [copy.there or was], now)
    recognise(db, [copy], now)
    return new


def recognise(db: Session, copies: Sequence[QuickCopy], now: datetime) -> None:
    """Let quick copies of known videos be what they say; a video that has another file then is looked into."""
    changed = [video_id for copy in copies if (video_id := quick_start.recognise(db, copy, now)) is not None]
    if changed:
        have_previewed(db, changed)


def have_previewed(db: Session, video_ids: Sequence[str]) -> int:
    """Have those of the videos that are there, and not deleted, looked into, each when the worker has nothing else to do. → how many."""
    kept = select(col(Video.id)).where(col(Video.id).in_(video_ids), col(Video.deleted_at).is_(None))
    there = list(db.execute(kept).scalars())
    if there:
        due = [{"video_id": video_id} for video_id in video_ids if video_id in set(there)]
        db.execute(upsert(db, PreviewsDue).on_conflict_do_nothing(index_elements=["video_id"]), due)
    return len(there)


def bring_up_to_date(db: Session, found: Sequence[tuple[str, StoredObject]], changed: bool, now: datetime) -> None:
    """Rows of videos and exports, by id, whose object is there again, or is another one now."""
    for row_id, item in found:
        table = _table_of(row_id)
        quick_start.take_back(db, item.key, now)
        values = {"missing_at": None, "etag": item.etag, "size": item.size}
        db.execute(update(table).where(col(table.id) == row_id).values(**values))
    if changed:
        have_previewed(db, [row_id for row_id, _ in found if is_id(row_id, "video")])


def mark_missing(db: Session, row_ids: Sequence[str], now: datetime) -> int:
    """Say of videos and exports that their object is gone. → how many that is new of."""
    marked = 0
    for row_id in row_ids:
        table = _table_of(row_id)
        marks = update(table).where(col(table.id) == row_id, col(table.missing_at).is_(None)).values(missing_at=now)
        marked += count_changed(db, marks)
    return marked


def add_captions(db: Session, found: CaptionFile, track: WrittenTrack, now: datetime, actor: str) -> Ignored | None:
    """Attach a caption file to its video, unless somebody has attached another in that language. → why not."""
    video_id = videos_named(db, [found.master]).get(found.master)
    if video_id is None:
        return Ignored.NO_VIDEO
    there = select(col(VideoCaptions.digest)).where(col(VideoCaptions.video_id) == video_id, col(VideoCaptions.language) == found.language)
    if db.execute(there).scalar_one_or_none() not in (None, found.instead_of):
        return Ignored.LANGUAGE
    name = found.file.key
    made = attach_written(db, video_id, found.language, track, name, origin=UPLOADED, actor=actor, clock=lambda: now)
    values = {"etag": found.file.etag, "video_id": video_id, "language": found.language, "digest": made.digest}
    kept = upsert(db, AdoptedCaptions).values(s3_key=name, **values)
    db.execute(kept.on_conflict_do_update(index_elements=["s3_key"], set_=values))
    return None


def _table_of(row_id: str) -> type[Video] | type[ExportedClip]:
    return Video if is_id(row_id, "video") else ExportedClip
