"""The tags of videos: read, written, and known to the search."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, insert, select
from sqlmodel import Session

from clipviewer.db.library_models import SearchEntry, VideoTag
from clipviewer.db.models import Video

_TAG = VideoTag.metadata.tables["video_tag"]
_ENTRY = SearchEntry.metadata.tables["search_entry"]
_VIDEO = Video.metadata.tables["video"]


def tags_by_video(db: Session, video_ids: Collection[str]) -> dict[str, list[str]]:
    """In the order of letters; a video without any is left out."""
    found: dict[str, list[str]] = {}
    if video_ids:
        query = select(_TAG.c.video_id, _TAG.c.tag).where(_TAG.c.video_id.in_(list(video_ids))).order_by(_TAG.c.tag)
        for video_id, tag in db.connection().execute(query):
            found.setdefault(video_id, []).append(tag)
    return found


def known_tags(db: Session, *, limit: int = 200) -> list[str]:
    """Every tag that a listed or archived video has, in the order of letters."""
    every = select(_TAG.c.tag).distinct().subquery()
    kept = select(_VIDEO.c.id).join(_TAG, _TAG.c.video_id == _VIDEO.c.id).where(_TAG.c.tag == every.c.tag, _VIDEO.c.deleted_at.is_(None))
    return list(db.connection().execute(select(every.c.tag).where(kept.exists()).order_by(every.c.tag).limit(limit)).scalars())


def tagged(tag: str) -> ColumnElement[bool]:
    """Whether a video has that tag."""
    return _VIDEO.c.id.in_(select(_TAG.c.video_id).where(_TAG.c.tag == tag))


def write_tags(db: Session, tags: Mapping[str, Sequence[str]]) -> None:
    """Let each video, by id, have exactly these tags, which are as ``domain.tag`` keeps them, and be found by them."""
    connection, owners = db.connection(), {video_id: f"tags:{video_id}" for video_id in tags}
    connection.execute(delete(_TAG).where(_TAG.c.video_id.in_(list(tags))))
    connection.execute(delete(_ENTRY).where(_ENTRY.c.owner.in_(list(owners.values()))))
    kept = {video_id: given for video_id, given in tags.items() if given}
    if kept:
        connection.execute(insert(_TAG), [{"video_id": video_id, "tag": tag} for video_id, given in kept.items() for tag in given])
        entries = [{"owner": owners[video_id], "video_id": video_id, "body": " ".join(given)} for video_id, given in kept.items()]
        connection.execute(insert(_ENTRY), entries)
