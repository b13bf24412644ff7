"""Tables of what belongs to candidates before export: captions, chosen crops, picture analyses, and what people removed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, String, Text, false
from sqlmodel import Field, SQLModel

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import new_id


class VideoCaptions(SQLModel, table=True):
    """The captions of a video in one language, as normalized WebVTT.

    ``origin`` is ``uploaded``, ``embedded`` (found in the master) or ``translated``; ``digest`` is the SHA-256 of ``webvtt``, in hex.
    ``by_person``: a person chose this file, so that no pipeline and no import replaces it.
    """

    __tablename__ = "video_captions"
    __table_args__ = (Index("ux_video_captions_language", "video_id", "language", unique=True),)

    id: str = Field(default_factory=lambda: new_id("captions"), primary_key=True)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False))
    language: str = Field(max_length=20)
    name: str = Field(max_length=200)
    origin: str = Field(max_length=20)
    webvtt: str = Field(sa_column=Column(Text, nullable=False))
    digest: str = Field(max_length=64)
    cues: int
    added_by: str = Field(default="", max_length=64)
    by_person: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    created_at: datetime = Field(default_factory=utc_now)


class ClipFraming(SQLModel, table=True):
    """The crop that a person chose for a candidate in one aspect ratio: its centre as shares of the picture between the bars, 0 to 1."""

    __tablename__ = "clip_framing"
    __table_args__ = (CheckConstraint("x >= 0 AND x <= 1 AND y >= 0 AND y <= 1", name="ck_clip_framing_within"),)

    identified_clip_id: str = Field(sa_column=Column(String, ForeignKey("identified_clip.id", ondelete="CASCADE"), primary_key=True))
    aspect_ratio: str = Field(max_length=10, primary_key=True)
    x: float
    y: float
    chosen_by: str = Field(default="", max_length=64)
    chosen_at: datetime = Field(default_factory=utc_now)


class ClipLook(SQLModel, table=True):
    """The analysis of a candidate's picture: ``found`` holds its size, the area between the bars and the proposed crops per ratio.

    It is valid while ``source_etag``, the range (ms) and the analysis ``version`` are still those of the clip.
    """

    __tablename__ = "clip_look"

    identified_clip_id: str = Field(sa_column=Column(String, ForeignKey("identified_clip.id", ondelete="CASCADE"), primary_key=True))
    source_etag: str = Field(max_length=100)
    start_ms: int
    end_ms: int
    version: int
    found: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    looked_at: datetime = Field(default_factory=utc_now)


class RemovedItem(SQLModel, table=True):
    """A candidate or captions that a person removed, so that no pipeline, import or search brings them back.

    ``kind`` is ``candidate`` or ``captions``; ``name`` is the candidate's reference or the language, and ``item_id`` the id that it had.
    The range (ms) is that of a candidate.
    """

    __tablename__ = "removed_item"

    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), primary_key=True))
    kind: str = Field(primary_key=True, max_length=20)
    name: str = Field(primary_key=True, max_length=200)
    item_id: str = Field(max_length=64)
    start_ms: int | None = None
    end_ms: int | None = None
    removed_at: datetime = Field(default_factory=utc_now)
