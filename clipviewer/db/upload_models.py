"""The table of uploads in progress."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import new_id


class VideoUpload(SQLModel, table=True):
    """One uploaded file. ``video_id`` is the id that the video will have; ``store_id`` is the store's upload id; sizes are bytes.

    ``fingerprint`` identifies the sender's file, so that choosing it again resumes the upload; ``checked`` means that the store verifies
    the CRC-32 of every part. ``note`` says why it was refused. ``cleared_at``: nothing of it is left in the bucket.
    """

    __tablename__ = "video_upload"
    __table_args__ = (Index("ix_video_upload_sender", "sender", "state"), Index("ix_video_upload_state", "state", "updated_at"))

    id: str = Field(default_factory=lambda: new_id("upload"), primary_key=True)
    video_id: str = Field(unique=True, max_length=64)
    s3_key: str = Field(unique=True, max_length=1024)
    store_id: str = Field(max_length=1024)
    file_name: str = Field(max_length=255)
    size: int = Field(sa_type=BigInteger)
    part_size: int = Field(sa_type=BigInteger)
    content_type: str = Field(max_length=100)
    fingerprint: str = Field(default="", max_length=100)
    checked: bool = False
    sender: str = Field(max_length=64)
    state: str = Field(max_length=20)
    note: str = Field(default="", max_length=500)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)
    cleared_at: datetime | None = None
