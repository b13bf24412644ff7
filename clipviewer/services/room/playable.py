"""What may be signed for a player, each decided by one statement: a requested clip, and the files of an open room."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, and_, bindparam, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import ExportedClip
from clipviewer.domain.ids import is_id
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.permissions import Action, allows
from clipviewer.services.library.videos import is_kept, master_key
from clipviewer.services.people.sessions import SESSION, Sessions

_OF_KEPT_VIDEO = and_(col(ExportedClip.video_id) == bindparam("video_id"), is_kept(bindparam("video_id")))
_SESSION_WITH_CLIP = SESSION.join(ExportedClip, and_(_OF_KEPT_VIDEO, col(ExportedClip.s3_key) == bindparam("s3_key")))
_KEYS_OF_KEPT_VIDEO = select(col(ExportedClip.s3_key)).where(
    _OF_KEPT_VIDEO, col(ExportedClip.s3_key).in_(bindparam("keys", expanding=True))
)


def may_play(db: Connection, sessions: Sessions, cookie_header: str | None, video_id: str, s3_key: str, *, secure: bool = False) -> bool:
    """Return whether that person may play the exported clip of that video whose stored key is exactly ``s3_key``.

    The same rule as ``Sessions.verify`` followed by ``clip_for_key``; a property test compares them. After False, call those two:
    they tell what is wrong, and record the session's last use when that is due.
    Raises ``Unauthorized`` for a cookie that is not ours, and for a session that has ended.
    """
    named = sessions.decode_cookie(cookie_header, secure=secure)
    try:
        check_object_key(s3_key)
    except ValueError:
        return False
    if not is_id(video_id, "video"):
        return False
    asked = {"sid": named.session_id, "video_id": video_id, "s3_key": s3_key}
    row = db.execute(_SESSION_WITH_CLIP, asked).one_or_none()
    if row is None:
        return False
    verified = sessions.validate(named, row)
    return not verified.stale and allows(verified.principal.role, Action.VIEW)


def playable_keys(db: Session, video_id: str, keys: Collection[str]) -> set[str]:
    """Return those of ``keys`` that are the video itself or its exported clips, for somebody who may see it.

    Raises ``VideoNotFound``, also for a deleted video.
    """
    master = master_key(db, video_id)
    found = db.execute(_KEYS_OF_KEPT_VIDEO, {"video_id": video_id, "keys": list(keys)}).scalars()
    return {master, *found} & set(keys)
