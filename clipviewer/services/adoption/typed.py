"""Restore what people typed from the videos' own sidecars.

Anybody who can write to the bucket can make a sidecar, so everything in it is validated, as in ``sidecars``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.ids import is_id
from clipviewer.domain.language import parse_language
from clipviewer.domain.master_file import content_type
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.removal import RemovalScope
from clipviewer.domain.sent_values import CANDIDATE_PARTS, VIDEO_PARTS
from clipviewer.domain.tag import normalize_tags
from clipviewer.domain.timecode import seconds_to_ms
from clipviewer.media.captions.tracks import parse_captions
from clipviewer.services.adoption.sidecars import parse_float, parse_int, parse_moment, parse_sent, parse_text
from clipviewer.services.adoption.video_sidecars import VideoSidecar
from clipviewer.services.library.removed_items import CANDIDATE, CAPTIONS, record_removal
from clipviewer.services.library.tags import write_tags
from clipviewer.services.room.captions import EMBEDDED, TRANSLATED, UPLOADED, attach_track

_MOST_BYTES = 2**63 - 1
_MOST_CLIPS = 20_000
_ORIGINS = ("pipeline", "found", "marked")


def restore_typed(db: Session, sidecar: VideoSidecar, now: datetime, *, prefix: str) -> bool:
    """Restore one video's title, tags, captions, candidates, crops and removals; return whether the video is new. Raises ``UNUSABLE``.

    What earlier sidecars do not tell of a value or of uploaded captions counts as decided by a person.
    """
    told = sidecar.document
    video, new = _video(db, told, now, prefix)
    video.title, video.sent = parse_text(told["title"], 300), parse_sent(told, VIDEO_PARTS)
    video.created_at = parse_moment(told["createdAt"], now)
    video.archived_at = parse_moment(told["archivedAt"], now) if told["archivedAt"] else None
    db.flush()
    write_tags(db, {video.id: normalize_tags([parse_text(tag, 40) for tag in told["tags"]])})
    for item in _listed(told.get("removed", [])):
        _removal(db, video.id, item, now)
    for track in told["captions"]:
        language = str(track["language"])
        if language in sidecar.captions and track["origin"] in (UPLOADED, EMBEDDED, TRANSLATED):
            read = parse_captions(sidecar.captions[language].encode(), "captions.vtt")
            name, by_person = parse_text(track["name"], 200), bool(track.get("byPerson", track["origin"] == UPLOADED))
            attach_track(db, video.id, language, read, name, origin=track["origin"], by_person=by_person)
    for clip in _listed(told["candidates"]):
        _candidate(db, video.id, clip, now)
    db.flush()
    for framing in _listed(told["framings"]):
        _framing(db, video.id, framing, now)
    if told["deletedAt"]:  # last: a deleted video accepts no changes
        video.deleted_at, video.removal = parse_moment(told["deletedAt"], now), RemovalScope(told["removal"]).value
    db.flush()
    return new


def _video(db: Session, told: Mapping[str, Any], now: datetime, prefix: str) -> tuple[Video, bool]:
    video_id, key = str(told["videoId"]), check_object_key(str(told["s3Key"]), prefix)
    if not is_id(video_id, "video"):
        raise ValueError("not a video's id")
    known = db.get(Video, video_id)
    if known is not None:
        return known, False
    content_type(key)
    if key.startswith((f"{prefix}exports/", f"{prefix}previews/")):
        raise ValueError("not a key for a video")
    video = Video(
        id=video_id,
        title="",
        s3_key=key,
        etag=parse_text(told["etag"], 100),
        size=parse_int(told["size"], _MOST_BYTES),
        duration_ms=seconds_to_ms(told["duration"]),
        width=parse_int(told["width"]),
        height=parse_int(told["height"]),
        frame_rate=parse_text(told["frameRate"], 20),
    )
    db.add(video)
    db.flush()
    return video, True


def _candidate(db: Session, video_id: str, told: Mapping[str, Any], now: datetime) -> None:
    clip_id = str(told["id"])
    start, end = seconds_to_ms(told["start"]), seconds_to_ms(told["end"])
    if not is_id(clip_id, "clip") or told["origin"] not in _ORIGINS or not 0 <= start < end:
        raise ValueError("not a candidate")
    clip = db.get(IdentifiedClip, clip_id) or IdentifiedClip(id=clip_id, video_id=video_id, reference="", start_ms=0, end_ms=1, title="")
    if clip.video_id != video_id:
        raise ValueError("the clip belongs to another video")
    clip.reference, clip.title = parse_text(told["reference"], 200), parse_text(told["title"], 300)
    clip.start_ms, clip.end_ms, clip.origin = start, end, told["origin"]
    clip.score = None if told["score"] is None else parse_float(told["score"])
    clip.score_parts = {parse_text(name, 100): parse_float(value) for name, value in dict(told["scoreParts"]).items()}
    clip.reasons = [parse_text(reason, 300) for reason in told["reasons"]]
    clip.sent = parse_sent(told, CANDIDATE_PARTS)
    clip.created_at = parse_moment(told["createdAt"], now)
    clip.touched_at = parse_moment(told["touchedAt"], now) if told["touchedAt"] else None
    db.add(clip)


def _removal(db: Session, video_id: str, told: Mapping[str, Any], now: datetime) -> None:
    """Restore one removal. The sidecars of exports may have brought its candidate back."""
    kind, item_id, removed_at = told["kind"], str(told["id"]), parse_moment(told["at"], now)
    if kind not in (CANDIDATE, CAPTIONS) or not is_id(item_id, "clip" if kind == CANDIDATE else "captions"):
        raise ValueError("not a removal")
    if kind == CAPTIONS:
        record_removal(db, video_id, kind, parse_language(told["name"]), item_id, removed_at)
        return
    name, span = parse_text(told["name"], 200), (seconds_to_ms(told["start"]), seconds_to_ms(told["end"]))
    if not 0 <= span[0] < span[1]:
        raise ValueError("not a range")
    db.execute(delete(IdentifiedClip).where(col(IdentifiedClip.video_id) == video_id, col(IdentifiedClip.reference) == name))
    record_removal(db, video_id, kind, name, item_id, removed_at, span)


def _framing(db: Session, video_id: str, told: Mapping[str, Any], now: datetime) -> None:
    clip = db.get(IdentifiedClip, str(told["clip"]))
    if clip is None or clip.video_id != video_id:
        raise ValueError("a crop of another video's clip")
    x, y = parse_float(told["x"]), parse_float(told["y"])
    ratio = AspectRatio(told["aspectRatio"]).value
    db.add(ClipFraming(identified_clip_id=clip.id, aspect_ratio=ratio, x=x, y=y, chosen_at=parse_moment(told["at"], now)))


def _listed(value: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or len(value) > _MOST_CLIPS:
        raise ValueError("not a list of reasonable length")
    return value
