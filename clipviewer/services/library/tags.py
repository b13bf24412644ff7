"""Tags of videos: read, write and index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.library_models import SearchEntry, VideoTag
from clipviewer.db.models import Video


def tags_by_video(db: Session, video_ids: Collection[str]) -> dict[str, list[str]]:
    """Return sorted tags by video; videos without tags are left out."""
    found: dict[str, list[str]] = {}
    if video_ids:
        for video_id, tag in db.execute(_TAGS, {"video_ids": list(video_ids)}):
            found.setdefault(video_id, []).append(tag)
    return found


_OF_VIDEOS = col(VideoTag.video_id).in_(bindparam("video_ids", expanding=True))
_TAGS = select(col(VideoTag.video_id), col(VideoTag.tag)).where(_OF_VIDEOS).order_by(col(VideoTag.tag))


def known_tags(db: Session, *, limit: int = 200) -> list[str]:
    """Return every tag of a listed or archived video, sorted."""
    every = select(col(VideoTag.tag)).distinct().subquery()
    kept = (
        select(col(Video.id))
        .join(VideoTag, col(VideoTag.video_id) == col(Video.id))
        .where(col(VideoTag.tag) == every.c.tag, col(Video.deleted_at).is_(None))
    )
    return list(db.execute(select(every.c.tag).where(kept.exists()).order_by(every.c.tag).limit(limit)).scalars())


def has_tag(tag: str) -> ColumnElement[bool]:
    """Return a condition that a video has the tag."""
    return col(Video.id).in_(select(col(VideoTag.video_id)).where(col(VideoTag.tag) == tag))


def write_tags(db: Session, tags: Mapping[str, Sequence[str]]) -> None:
    """Set the tags of each video, by id, and index them. Tags must be normalized (``domain.tag``)."""
    owners = {video_id: f"tags:{video_id}" for video_id in tags}
    db.execute(delete(VideoTag).where(col(VideoTag.video_id).in_(list(tags))))
    db.execute(delete(SearchEntry).where(col(SearchEntry.owner).in_(list(owners.values()))))
    kept = {video_id: given for video_id, given in tags.items() if given}
    if kept:
        db.execute(insert(VideoTag), [{"video_id": video_id, "tag": tag} for video_id, given in kept.items() for tag in given])
        entries = [{"owner": owners[video_id], "video_id": video_id, "body": " ".join(given)} for video_id, given in kept.items()]
        db.execute(insert(SearchEntry), entries)
