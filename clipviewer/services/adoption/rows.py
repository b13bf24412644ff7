"""What adopting writes. Each function is a small part of a page: whoever else wants to write waits for one of them at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from clipviewer.db.adoption_models import AdoptedCaptions, PreviewsDue
from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.models import ExportedClip, Video
from clipviewer.domain.bucket_contents import Ignored
from clipviewer.domain.ids import is_id, new_id
from clipviewer.services.adoption.plan import CaptionFile, videos_named
from clipviewer.services.library import quick_start
from clipviewer.services.library.quick_start import QuickCopy
from clipviewer.services.library.registration import title_of
from clipviewer.services.room.captions import UPLOADED, WrittenTrack, attach_written
from clipviewer.storage.s3 import StoredObject

_VIDEO = Video.metadata.tables["video"]
_EXPORTED = ExportedClip.metadata.tables["exported_clip"]
_DUE = PreviewsDue.metadata.tables["previews_due"]
_TRACKS = VideoCaptions.metadata.tables["video_captions"]
_ADOPTED = AdoptedCaptions.metadata.tables["adopted_captions"]
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
    db.connection().execute(_insert(db, _VIDEO).on_conflict_do_nothing(index_elements=["s3_key"]), rows)
    return have_previewed(db, [str(row["id"]) for row in rows])


def add_copy(db: Session, copy: QuickCopy, now: datetime) -> int:
    """Let a quick copy be what it says, the video of its original being made where nobody has it. → how many videos are new."""
    new = 0
    if not quick_start.videos_of(db, copy):
        if db.connection().execute(select(_EXPORTED.c.id).where(_EXPORTED.c.s3_key == copy.original.key)).first() is not None:
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
    kept = select(_VIDEO.c.id).where(_VIDEO.c.id.in_(video_ids), _VIDEO.c.deleted_at.is_(None))
    there = list(db.connection().execute(kept).scalars())
    if there:
        due = [{"video_id": video_id} for video_id in video_ids if video_id in set(there)]
        db.connection().execute(_insert(db, _DUE).on_conflict_do_nothing(index_elements=["video_id"]), due)
    return len(there)


def bring_up_to_date(db: Session, found: Sequence[tuple[str, StoredObject]], changed: bool, now: datetime) -> None:
    """Rows of videos and exports, by id, whose object is there again, or is another one now."""
    for row_id, item in found:
        table = _table_of(row_id)
        quick_start.take_back(db, item.key, now)
        values = {"missing_at": None, "etag": item.etag, "size": item.size}
        db.connection().execute(update(table).where(table.c.id == row_id).values(**values))
    if changed:
        have_previewed(db, [row_id for row_id, _ in found if is_id(row_id, "video")])


def mark_missing(db: Session, row_ids: Sequence[str], now: datetime) -> int:
    """Say of videos and exports that their object is gone. → how many that is new of."""
    marked = 0
    for row_id in row_ids:
        table = _table_of(row_id)
        marks = update(table).where(table.c.id == row_id, table.c.missing_at.is_(None)).values(missing_at=now)
        marked += db.connection().execute(marks).rowcount
    return marked


def add_captions(db: Session, found: CaptionFile, track: WrittenTrack, now: datetime, actor: str) -> Ignored | None:
    """Attach a caption file to its video, unless somebody has attached another in that language. → why not."""
    video_id = videos_named(db, [found.master]).get(found.master)
    if video_id is None:
        return Ignored.NO_VIDEO
    there = select(_TRACKS.c.digest).where(_TRACKS.c.video_id == video_id, _TRACKS.c.language == found.language)
    if db.connection().execute(there).scalar_one_or_none() not in (None, found.instead_of):
        return Ignored.LANGUAGE
    name = found.file.key
    made = attach_written(db, video_id, found.language, track, name, origin=UPLOADED, actor=actor, clock=lambda: now)
    values = {"etag": found.file.etag, "video_id": video_id, "language": found.language, "digest": made.digest}
    kept = _insert(db, _ADOPTED).values(s3_key=name, **values)
    db.connection().execute(kept.on_conflict_do_update(index_elements=["s3_key"], set_=values))
    return None


def _table_of(row_id: str) -> Table:
    return _VIDEO if is_id(row_id, "video") else _EXPORTED


def _insert(db: Session, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if db.connection().dialect.name == "postgresql" else sqlite.insert(table)
