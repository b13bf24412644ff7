"""Tables by which the library is searched and sorted. Triggers maintain all but the tags; see migrations 0007 and 0012."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, String, Text, false
from sqlmodel import Field, SQLModel


class VideoTally(SQLModel, table=True):
    """Counts of a video's clips, whether an export of it is stale because of the master, and when a clip was last added."""

    __tablename__ = "video_tally"
    __table_args__ = (
        Index("ix_video_tally_active", "active_at", "video_id"),
        Index("ix_video_tally_exported", "exported", "video_id"),
        Index("ix_video_tally_stale", "stale", "video_id"),
    )

    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), primary_key=True))
    identified: int = 0
    exported: int = 0
    stale: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    active_at: datetime


class SearchEntry(SQLModel, table=True):
    """A text by which a video is found: its title, a clip's, or a piece of its captions. ``owner`` is the id of the row with the text.

    The search index is the FTS5 table ``search_index`` on SQLite, and the column ``words`` (tsvector) on PostgreSQL.
    """

    __tablename__ = "search_entry"

    number: int | None = Field(default=None, primary_key=True)
    owner: str = Field(max_length=64, index=True)
    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), nullable=False, index=True))
    body: str = Field(sa_column=Column(Text, nullable=False))


class VideoTag(SQLModel, table=True):
    """A tag of a video, normalized by ``domain.tag``."""

    __tablename__ = "video_tag"
    __table_args__ = (Index("ix_video_tag_tag", "tag", "video_id"),)

    video_id: str = Field(sa_column=Column(String, ForeignKey("video.id", ondelete="CASCADE"), primary_key=True))
    tag: str = Field(primary_key=True, max_length=40)
