"""The JSON of videos, in lists and alone, and of changes to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from clipviewer.api.schemas import Json, JsonIn, moment
from clipviewer.domain.removal import RemovalScope
from clipviewer.domain.tag import MAX_TAG, MAX_TAGS
from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.services.library.changes import MAX_TITLE
from clipviewer.services.library.listing import VideoSummary
from clipviewer.services.library.videos import VideoDetails

MAX_IDS, MAX_ID = 500, 100


class VideoRow(Json):
    id: str
    s3_key: str
    title: str
    duration: str = Field(description="Decimal seconds; 0.000 if unknown")
    identified_count: int
    exported_count: int
    tags: list[str]
    created_at: str
    archived_at: str | None
    deleted_at: str | None = Field(description="When it was deleted; it can be restored for a day")

    @classmethod
    def of(cls, video: VideoSummary) -> VideoRow:
        return cls(
            id=video.id,
            s3_key=video.s3_key,
            title=video.title,
            duration=ms_to_seconds(video.duration_ms),
            identified_count=video.identified_count,
            exported_count=video.exported_count,
            tags=list(video.tags),
            created_at=moment(video.created_at),
            archived_at=_moment(video.archived_at),
            deleted_at=_moment(video.deleted_at),
        )


class VideoPage(Json):
    videos: list[VideoRow]
    total: int
    offset: int


class Video(VideoRow):
    width: int = Field(description="Pixels; 0 if unknown")
    height: int = Field(description="Pixels; 0 if unknown")
    frame_rate: str = Field(description="A fraction such as 30000/1001; empty if unknown")

    @classmethod
    def of_details(cls, video: VideoDetails, tags: Sequence[str]) -> Video:
        return cls(
            id=video.id,
            title=video.title,
            duration=ms_to_seconds(video.duration_ms),
            identified_count=video.identified_count,
            exported_count=video.exported_count,
            tags=list(tags),
            created_at=moment(video.created_at),
            archived_at=_moment(video.archived_at),
            deleted_at=_moment(video.deleted_at),
            s3_key=video.s3_key,
            width=video.width,
            height=video.height,
            frame_rate=video.frame_rate,
        )


Tags = Annotated[list[Annotated[str, Field(min_length=1, max_length=MAX_TAG)]], Field(max_length=MAX_TAGS)]


class VideoChange(JsonIn):
    """Fields that are left out stay as they are."""

    title: Annotated[str, Field(min_length=1, max_length=MAX_TITLE)] | None = None
    tags: Tags | None = Field(default=None, description="All tags; replaces the current ones", examples=[["match", "2025"]])
    archived: bool | None = None


class SeveralVideos(JsonIn):
    ids: list[Annotated[str, Field(max_length=MAX_ID)]] = Field(
        min_length=1, max_length=MAX_IDS, description="Duplicates count once", examples=[["video_0", "video_1"]]
    )


class VideosChange(SeveralVideos):
    """Fields that are left out stay as they are."""

    add_tags: Tags = Field(default=[], description="Added to the tags that each video has", examples=[["2025"]])
    remove_tags: Tags = Field(default=[], description="Removed before `addTags` are added", examples=[["draft"]])
    archived: bool | None = None


class VideosDeletion(SeveralVideos):
    objects: RemovalScope = Field(
        description="`keep` every object, remove the `exports`, or remove `all`: the masters, their previews and their exports"
    )
    now: bool = Field(default=False, description="Remove them at once instead of after a day")


class ChangedVideos(Json):
    changed: list[str] = Field(description="Ids of the videos that the request changed, in its order")
    cancelled: int = Field(description="Number of unfinished jobs that were cancelled")


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value is not None else None
