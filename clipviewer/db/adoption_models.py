"""Tables that only imports from the bucket need."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String
from sqlmodel import Field, SQLModel


class PreviewsDue(SQLModel, table=True):
    """An imported video that awaits its previews. The worker enqueues one at a time, in order, while it has nothing else to do."""

    __tablename__ = "previews_due"

    number: int | None = Field(default=None, primary_key=True)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False, unique=True))


class AdoptedCaptions(SQLModel, table=True):
    """A caption file that was attached to the video beside it. ``digest`` is that of the resulting track."""

    __tablename__ = "adopted_captions"

    s3_key: str = Field(primary_key=True, max_length=1024)
    etag: str = Field(max_length=100)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False, index=True))
    language: str = Field(max_length=20)
    digest: str = Field(max_length=64)


class SidecarDue(SQLModel, table=True):
    """A video whose sidecar in the bucket is out of date. Triggers count the changes; see 0015 and 0016. It may outlive its video."""

    __tablename__ = "sidecar_due"

    video_id: str = Field(primary_key=True, max_length=64)
    changes: int = 1
