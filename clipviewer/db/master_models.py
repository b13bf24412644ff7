"""Former masters of videos."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String
from sqlmodel import Field, SQLModel

from clipviewer.db.models import utc_now


class FormerMaster(SQLModel, table=True):
    """An object that was a video's master until a copy of the same footage replaced it. It is still in the bucket.

    ``etag`` is the state that was copied: whoever names this key in that state means the video.
    """

    __tablename__ = "former_master"

    s3_key: str = Field(primary_key=True, max_length=1024)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False, index=True))
    etag: str = Field(max_length=100)
    replaced_at: datetime = Field(default_factory=utc_now)
