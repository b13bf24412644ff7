"""Files that ended the process that opened them. After the second time, a file is not opened again by itself, after a restart neither.

They are remembered in the video's row, with the ETag: another file in its place is opened as usual.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import Video
from clipviewer.db.session import Database
from clipviewer.media.ffmpeg import MediaStopped

MOST_STOPS = 2
_KEY = "stopped"


@contextmanager
def opening_media(database: Database, video_id: str, etag: str | None = None, *, by_person: bool = False) -> Iterator[None]:
    """Open the video's file within this context: a file that ends the process is counted, and one that did so twice is refused.

    ``etag`` is the file's, by default as its row has it. ``by_person``: somebody asked for this very attempt, so that it is made
    in any case. Raises ``MediaStopped``.
    """
    with database.read() as db:
        row = db.execute(select(col(Video.etag), col(Video.media)).where(col(Video.id) == video_id)).one_or_none()
    file = etag if etag is not None else row.etag if row is not None else ""
    if row is not None and not by_person and is_given_up(row.media, file):
        raise MediaStopped(f"{row.media[_KEY]['reason']} It happened {MOST_STOPS} times, so the file is not opened again by itself.")
    try:
        yield
    except MediaStopped as stopped:
        with database.write() as db:
            _count(db, video_id, file, stopped.detail)
        raise


def is_given_up(media: Mapping[str, Any], etag: str) -> bool:
    """Return whether a video's file, by ``Video.media`` and ``Video.etag``, is not opened again by itself."""
    return _stops(media, etag) >= MOST_STOPS


def _stops(media: Mapping[str, Any], etag: str) -> int:
    known = media.get(_KEY)
    return known["times"] if known is not None and known["etag"] == etag else 0


def _count(db: Session, video_id: str, etag: str, reason: str) -> None:
    own = col(Video.id) == video_id
    media = db.execute(select(col(Video.media)).where(own).with_for_update()).scalar_one_or_none()
    if media is not None:
        stopped = {"etag": etag, "times": _stops(media, etag) + 1, "reason": reason}
        db.execute(update(Video).where(own).values(media={**media, _KEY: stopped}))
