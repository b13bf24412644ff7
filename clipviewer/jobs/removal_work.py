"""The job ``remove``: remove a deleted video for good, its objects first and its rows after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clipviewer.db.models import utc_now
from clipviewer.domain.removal import RemovalScope
from clipviewer.errors import VideoNotFound
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.services import work
from clipviewer.services.library import removal
from clipviewer.services.library.quick_start import former_keys
from clipviewer.services.library.removal import PendingRemoval
from clipviewer.services.library.video_previews import previews_root
from clipviewer.services.room.clips import count_exported

_EXPORTS = 0.9
"""The exports' share of the progress."""


def remove_video(run: LibraryAttempt) -> Mapping[str, Any]:
    """Remove the video; after an interruption, continue with what is left."""
    with run.services.database.read() as db:
        try:
            gone = removal.pending_removal(db, run.item.subject)
        except VideoNotFound:
            return {"objects": 0}
    if gone is None:
        return {"objects": 0}
    count = 0
    if gone.objects is not RemovalScope.KEEP:
        count += _remove_exports(run, gone)
    if gone.objects is RemovalScope.ALL:
        count += _remove_master(run, gone)
    with run.services.database.write() as db:
        if not work.is_owned(db, run.item):
            raise MediaCancelled
        removal.delete_video(db, gone, actor=run.item.requested_by)
    return {"objects": count}


def _remove_exports(run: LibraryAttempt, gone: PendingRemoval) -> int:
    """Remove exports, a hundred at a time: the objects, then the rows."""
    database, ours, count, done = run.services.database, f"{run.services.settings.s3_prefix}exports/", 0, 0
    with database.read() as db:
        total = max(count_exported(db, gone.id), 1)
    while True:
        run.check()
        with database.write() as db:
            clips = removal.next_exports(db, gone.id, ours)
            keys = removal.unshared_keys(db, gone.id, [key for keys in clips.values() for key in keys])
            removal.mark_exports_removed(db, list(clips), utc_now())
        if not clips:
            return count
        count += _remove(run, keys, _EXPORTS * done / total, _EXPORTS * (done + len(clips)) / total)
        done += len(clips)
        with database.write() as db:
            removal.delete_exports(db, list(clips))


def _remove_master(run: LibraryAttempt, gone: PendingRemoval) -> int:
    """Remove previews and poster, then the video itself, former masters included."""
    services = run.services
    root = previews_root(services.settings.s3_prefix, gone.id)
    count = _remove(run, [found.key for found in services.store.list(root)], _EXPORTS, 1.0)
    with services.database.write() as db:
        chosen = gone.poster_key if gone.poster_key and not gone.poster_key.startswith(root) else None
        keys = removal.unshared_keys(db, gone.id, [key for key in (chosen, *former_keys(db, gone.id), gone.s3_key) if key])
        removal.mark_master_removed(db, gone.id, utc_now())
    return count + _remove(run, keys, 1.0, 1.0)


def _remove(run: LibraryAttempt, keys: Sequence[str], begin: float, end: float) -> int:
    """Remove objects, while the progress goes from ``begin`` to ``end`` (0 to 1)."""
    for place, key in enumerate(keys):
        run.check()
        run.services.store.delete(key)
        run.report(begin + (end - begin) * (place + 1) / len(keys))
    return len(keys)
