"""What a player asks for most often, found by one statement: the key of a clip, for a person whose session holds."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam

from clipviewer.db.models import ExportedClip
from clipviewer.domain.ids import is_id
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.permissions import Action, allows
from clipviewer.services.library.videos import is_kept
from clipviewer.services.people.sessions import SESSION, Sessions

_CLIP = ExportedClip.metadata.tables["exported_clip"].c
_OF_KEPT_VIDEO = and_(_CLIP.video_id == bindparam("video_id"), is_kept(bindparam("video_id")))
_SESSION_WITH_CLIP = SESSION.join(ExportedClip, and_(_OF_KEPT_VIDEO, _CLIP.s3_key == bindparam("s3_key")))


def may_play(db: Connection, sessions: Sessions, cookie_header: str | None, video_id: str, s3_key: str, *, secure: bool = False) -> bool:
    """Whether that person may play the exported clip of that video whose stored key is exactly ``s3_key``.

    No says only that it takes a closer look, by ``Sessions.verify`` and ``clip_for_key``: they tell what is wrong, and a session whose
    last use has to be written down goes that way as well. Raises ``Unauthorized`` for a cookie that we did not make, and for a session
    that has ended.
    """
    named = sessions.named(cookie_header, secure=secure)
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
    verified = sessions.judged(named, row)
    return not verified.stale and allows(verified.principal.role, Action.VIEW)
