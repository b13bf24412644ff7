"""Whether the file of a video or of an exported clip is in the bucket, asked now and written down."""

from __future__ import annotations

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import is_id
from clipviewer.errors import ObjectMissing
from clipviewer.services.adoption.rows import bring_up_to_date, mark_missing
from clipviewer.services.container import Services
from clipviewer.services.library.videos import master_key
from clipviewer.services.room.clips import exported_clip


def look_for(services: Services, video_id: str, clip_id: str = "") -> bool:
    """Whether the file is there: that of an exported clip, or of the video itself. Asks the bucket: call it with no transaction open.

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
        bring_up_to_date(db, [(row_id, stored)], False, utc_now())
    return True
