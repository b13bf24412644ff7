"""What adopting a bucket remembers beside the library itself."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String
from sqlmodel import Field, SQLModel


class PreviewsDue(SQLModel, table=True):
    """A video that was adopted and not looked into yet. The worker asks for one at a time, in order, while nobody waits for it."""

    __tablename__ = "previews_due"

    number: int | None = Field(default=None, primary_key=True)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False, unique=True))


class AdoptedCaptions(SQLModel, table=True):
    """A caption file that was attached to the video beside it. ``digest`` is that of the track that it became."""

    __tablename__ = "adopted_captions"

    s3_key: str = Field(primary_key=True, max_length=1024)
    etag: str = Field(max_length=100)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False, index=True))
    language: str = Field(max_length=20)
    digest: str = Field(max_length=64)
