"""The job ``remux``: copy a master whose index lies at its end, with the index first."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clipviewer.db.models import utc_now
from clipviewer.domain.quick_copy import Original, copy_metadata
from clipviewer.errors import Conflict, PreconditionFailed, StorageError, TooLittleSpace
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.media.render.remux import remux
from clipviewer.media.source.stored_source import StoredSource
from clipviewer.services import work
from clipviewer.services.bucket.signing import internal_signer
from clipviewer.services.library import quick_start
from clipviewer.services.library.opening_media import opening_media
from clipviewer.services.library.videos import master_key
from clipviewer.storage.s3 import StoredObject

_LOG = logging.getLogger(__name__)
_COPIED = 0.7
_ROOM = 256 * 1024**2
_MB = 1024**2
_CHANGED = "The file was replaced while it was being copied, so the copy was discarded. Try again."


def make_quick_start(run: LibraryAttempt) -> Mapping[str, Any]:
    """Copy, publish beside the original, promote. If the job does not finish, the bucket and the rows are as before."""
    services, video_id = run.services, run.item.subject
    with services.database.read() as db:
        key = master_key(db, video_id)
        left = quick_start.leftover_keys(db, run.item, key)
    _remove(run, left)
    old = services.store.head(key)
    _check_free_space(run.folder, old.size)
    signer = internal_signer(services.settings, services.store)
    source = StoredSource(lambda: signer.sign(key).url, old.etag)
    out = run.folder / "master.mp4"
    try:
        with opening_media(services.database, video_id, old.etag, by_person=run.is_asked_for):
            info = remux(run.ffmpeg, source, out, on_progress=lambda share: run.report(share * _COPIED), cancelled=run.cancelled)
    except PreconditionFailed as error:
        raise Conflict(_CHANGED) from error
    with _publish(run, out, quick_start.quick_key(key, run.item), copy_metadata(Original(key, old.etag))) as new:
        if services.store.head(key).etag != old.etag:
            raise Conflict(_CHANGED)
        result = {"s3Key": new.key}
        with services.database.write() as db:
            if not work.finish(db, run.item, utc_now(), result):
                raise MediaCancelled
            quick_start.promote_copy(db, run.item, old, new, info, utc_now())
    return result


def _check_free_space(folder: Path, size: int) -> None:
    """Raise ``TooLittleSpace`` unless the disk has space for both the file that is read and the one that is written."""
    free, needed = shutil.disk_usage(folder).free, 2 * size + _ROOM
    if free < needed:
        raise TooLittleSpace(f"The server's disk has {free // _MB:,} MB left, and this needs about {needed // _MB:,} MB")


@contextmanager
def _publish(run: LibraryAttempt, path: Path, key: str, metadata: Mapping[str, str]) -> Iterator[StoredObject]:
    """Put the file into the bucket; it is removed again if what follows fails."""
    size = path.stat().st_size

    def on_sent(sent: int) -> None:
        run.check()
        run.report(_COPIED + (1 - _COPIED) * sent / max(size, 1), "Uploading to the bucket")

    try:
        run.services.store.send_file(key, path, "video/mp4", on_sent, metadata)
        yield run.services.store.head(key)
    except BaseException:
        _remove(run, [key])
        raise


def _remove(run: LibraryAttempt, keys: Sequence[str]) -> None:
    for key in keys:
        try:
            run.services.store.delete(key)
        except StorageError:
            _LOG.warning("the store did not answer; a leftover copy is removed with the next try")
