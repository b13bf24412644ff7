"""The tags of videos: read, written, and known to the search."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, bindparam, delete, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.library_models import SearchEntry, VideoTag
from clipviewer.db.models import Video


def tags_by_video(db: Session, video_ids: Collection[str]) -> dict[str, list[str]]:
    """In the order of letters; a video without any is left out."""
    found: dict[str, list[str]] = {}
    if video_ids:
        for video_id, tag in db.execute(_TAGS, {"video_ids": list(video_ids)}):
            found.setdefault(video_id, []).append(tag)
    return found


_OF_VIDEOS = col(VideoTag.video_id).in_(bindparam("video_ids", expanding=True))
_TAGS = select(col(VideoTag.video_id), col(VideoTag.tag)).where(_OF_VIDEOS).order_by(col(VideoTag.tag))


def known_tags(db: Session, *, limit: int = 200) -> list[str]:
    """Every tag that a listed or archived video has, in the order of letters."""
    every = select(col(VideoTag.tag)).distinct().subquery()
    kept = (
        select(col(Video.id))
        .join(VideoTag, col(VideoTag.video_id) == col(Video.id))
        .where(col(VideoTag.tag) == every.c.tag, col(Video.deleted_at).is_(None))
    )
    return list(db.execute(select(every.c.tag).where(kept.exists()).order_by(every.c.tag).limit(limit)).scalars())


def tagged(tag: str) -> ColumnElement[bool]:
    """Whether a video has that tag."""
    return col(Video.id).in_(select(col(VideoTag.video_id)).where(col(VideoTag.tag) == tag))


def write_tags(db: Session, tags: Mapping[str, Sequence[str]]) -> None:
    """Let each video, by id, have exactly these tags, which are as ``domain.tag`` keeps them, and be found by them."""
    owners = {video_id: f"tags:{video_id}" for video_id in tags}
    db.execute(delete(VideoTag).where(col(VideoTag.video_id).in_(list(tags))))
    db.execute(delete(SearchEntry).where(col(SearchEntry.owner).in_(list(owners.values()))))
    kept = {video_id: given for video_id, given in tags.items() if given}
    if kept:
        db.execute(insert(VideoTag), [{"video_id": video_id, "tag": tag} for video_id, given in kept.items() for tag in given])
        entries = [{"owner": owners[video_id], "video_id": video_id, "body": " ".join(given)} for video_id, given in kept.items()]
        db.execute(insert(SearchEntry), entries)
