"""Check now whether the file of a video or an export is in the bucket, and record the answer."""

from __future__ import annotations

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import is_id
from clipviewer.errors import ObjectMissing
from clipviewer.services.adoption.rows import mark_missing, update_objects
from clipviewer.services.container import Services
from clipviewer.services.library.videos import master_key
from clipviewer.services.room.clips import exported_clip


def check_file(services: Services, video_id: str, clip_id: str = "") -> bool:
    """Return whether the file of an export, or of the video itself, exists. Calls the store: use it without an open transaction.

    Raises ``VideoNotFound``, ``ClipNotFound`` and ``StorageError``.
    """
    of_clip = is_id(clip_id, "clip")
    with services.database.read() as db:
        key = exported_clip(db, video_id, clip_id).s3_key if of_clip else master_key(db, video_id)
    row_id = clip_id if of_clip else video_id
    try:
        stored = services.store.head(key)
    except ObjectMissing:
        with services.database.write() as db:
            mark_missing(db, [row_id], utc_now())
        return False
    with services.database.write() as db:
        update_objects(db, [(row_id, stored)], False, utc_now())
    return True
