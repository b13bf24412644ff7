"""The work ``remove``: a deleted video goes for good, its objects first and its rows after them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clipviewer.db.models import utc_now
from clipviewer.domain.removal import Objects
from clipviewer.errors import VideoNotFound
from clipviewer.jobs.work_desk import WorkRun
from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.services import library_removal as removal
from clipviewer.services import work
from clipviewer.services.library_removal import Doomed
from clipviewer.services.quick_start import former_keys
from clipviewer.services.video_previews import previews_root


def remove_video(run: WorkRun) -> Mapping[str, Any]:
    """Done again after an interruption, it goes on with what is left."""
    with run.services.database.read() as db:
        try:
            gone = removal.doomed(db, run.item.subject)
        except VideoNotFound:
            return {"objects": 0}
    if gone is None:
        return {"objects": 0}
    count = 0
    if gone.objects is not Objects.KEEP:
        count += _remove_exports(run, gone)
    if gone.objects is Objects.ALL:
        count += _remove_master(run, gone)
    with run.services.database.write() as db:
        if not work.is_owned(db, run.item):
            raise MediaCancelled
        removal.drop_video(db, gone, actor=run.item.requested_by)
    return {"objects": count}


def _remove_exports(run: WorkRun, gone: Doomed) -> int:
    """A hundred at a time: the objects, then the rows."""
    database, ours, count = run.services.database, f"{run.services.settings.s3_prefix}exports/", 0
    while True:
        run.check()
        with database.write() as db:
            clips = removal.next_exports(db, gone.id, ours)
            keys = removal.free(db, gone.id, [key for keys in clips.values() for key in keys])
            removal.exports_go(db, list(clips), utc_now())
        if not clips:
            return count
        count += _remove(run, keys)
        with database.write() as db:
            removal.drop_exports(db, list(clips))


def _remove_master(run: WorkRun, gone: Doomed) -> int:
    """Previews and poster, then the video itself, what it was before included."""
    services = run.services
    root = previews_root(services.settings.s3_prefix, gone.id)
    count = _remove(run, [found.key for found in services.store.list(root)])
    with services.database.write() as db:
        chosen = gone.poster_key if gone.poster_key and not gone.poster_key.startswith(root) else None
        keys = removal.free(db, gone.id, [key for key in (chosen, *former_keys(db, gone.id), gone.s3_key) if key])
        removal.master_goes(db, gone.id, utc_now())
    return count + _remove(run, keys)


def _remove(run: WorkRun, keys: Iterable[str]) -> int:
    count = 0
    for key in keys:
        run.check()
        run.services.store.delete(key)
        count += 1
        run.report(0.0, f"Removing {key.rpartition('/')[2]}")
    return count
