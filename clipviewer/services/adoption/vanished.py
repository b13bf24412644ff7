"""Find objects of the library that are gone from the bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlmodel import col

from clipviewer.db.models import ExportedClip, Video
from clipviewer.db.session import Database
from clipviewer.services.bucket.lookup import find_objects
from clipviewer.storage.s3 import ObjectStore

_PAGE = 1_000
_ASKED_AT_ONCE = 50


def list_known_objects(database: Database, prefix: str) -> Iterator[list[tuple[str, str]]]:
    """Yield ids and keys of all videos and exports under ``prefix``, a page at a time, except those of deleted videos."""
    tables: tuple[type[Video] | type[ExportedClip], ...] = (Video, ExportedClip)
    for table in tables:
        after = ""
        while True:
            query = select(col(table.id), col(table.s3_key)).where(
                col(table.id) > after, col(table.s3_key).startswith(prefix, autoescape=True)
            )
            if table is Video:
                query = query.where(col(Video.deleted_at).is_(None))
            with database.read() as db:
                rows = db.execute(query.order_by(col(table.id)).limit(_PAGE)).all()
            if not rows:
                break
            after = rows[-1].id
            # LIKE ignores case on SQLite.
            yield [(row.id, row.s3_key) for row in rows if row.s3_key.startswith(prefix)]


def find_missing(store: ObjectStore, known: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the ids and keys whose object does not exist. Needs no open transaction; raises ``StorageError``."""
    gone: list[tuple[str, str]] = []
    for start in range(0, len(known), _ASKED_AT_ONCE):
        part = known[start : start + _ASKED_AT_ONCE]
        there = find_objects(store, [key for _, key in part])
        gone += [one for one in part if one[1] not in there]
    return gone
