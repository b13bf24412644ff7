"""Tables. Times of footage are whole milliseconds; moments are UTC with their zone; ids carry a prefix that names the kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, ForeignKey, Index, String
from sqlmodel import Field, SQLModel

from clipviewer.domain.ids import new_id


def utc_now() -> datetime:
    return datetime.now(UTC)


def _owner(table: str, *, index: bool = False) -> Any:
    """Return a foreign key column whose row is deleted with its owner."""
    return Column(String, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False, index=index)


def _sent() -> Any:
    """Return a column for what machines had written before a person changed the row."""
    return Column(JSON(none_as_null=True), nullable=True)


class User(SQLModel, table=True):
    """A local account. ``email`` is kept in lower case; ``password_hash`` is argon2id in its encoded form."""

    __tablename__ = "app_user"

    id: str = Field(default_factory=lambda: new_id("user"), primary_key=True)
    email: str = Field(unique=True, max_length=254)
    name: str = Field(max_length=200)
    role: str = Field(max_length=20)
    password_hash: str
    disabled_at: datetime | None = None
    created_at: datetime = Field(default_factory=utc_now)


class UserSession(SQLModel, table=True):
    """A server-side session; the cookie's JWT carries its id and nothing that matters without this row."""

    __tablename__ = "user_session"

    id: str = Field(default_factory=lambda: new_id("session"), primary_key=True)
    user_id: str = Field(sa_column=_owner("app_user", index=True))
    created_at: datetime = Field(default_factory=utc_now)
    last_seen_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    revoked_at: datetime | None = None
    address: str = Field(default="", max_length=64)
    user_agent: str = Field(default="", max_length=300)


class SetupLink(SQLModel, table=True):
    """The one-time link that creates the first admin. Only the SHA-256 of its token is kept."""

    __tablename__ = "setup_link"

    id: str = Field(default_factory=lambda: new_id("setup"), primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    used_at: datetime | None = None


class ApiToken(SQLModel, table=True):
    """A pipeline's key to the registration routes. Only the SHA-256 of its secret is kept."""

    __tablename__ = "api_token"

    id: str = Field(default_factory=lambda: new_id("token"), primary_key=True)
    name: str = Field(max_length=200)
    secret_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = Field(default_factory=utc_now)
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class SignInThrottle(SQLModel, table=True):
    """Failed sign-ins per bucket (an account or an address, hashed): how many, since when."""

    __tablename__ = "sign_in_throttle"

    bucket: str = Field(primary_key=True, max_length=64)
    failures: int = 0
    window_started_at: datetime = Field(default_factory=utc_now)


class AuditEntry(SQLModel, table=True):
    """Who did what to which thing, when. Append only."""

    __tablename__ = "audit_entry"

    id: str = Field(default_factory=lambda: new_id("audit"), primary_key=True)
    at: datetime = Field(default_factory=utc_now, index=True)
    actor: str = Field(default="", max_length=64)
    action: str = Field(max_length=40)
    subject: str = Field(default="", max_length=1100)
    address: str = Field(default="", max_length=64)
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Video(SQLModel, table=True):
    """A long master in the bucket. ``frame_rate`` is a fraction such as ``30000/1001``; sizes are pixels and bytes.

    ``media`` is what inspecting the file found, ``previews`` where its filmstrip and waveform lie; empty until it was inspected.
    ``media`` also has how often the file ended the process that opened it (``services.library.opening_media``).
    ``deleted_at``: it can still be restored; ``removal`` then says which objects go with it (``domain.removal.Objects``).
    ``missing_at``: its object was found to be gone. ``sent``: see ``domain.sent_values``.
    """

    __tablename__ = "video"

    id: str = Field(default_factory=lambda: new_id("video"), primary_key=True)
    title: str = Field(max_length=300)
    s3_key: str = Field(unique=True, max_length=1024)
    etag: str = Field(default="", max_length=100)
    size: int = Field(default=0, sa_type=BigInteger)
    duration_ms: int = 0
    width: int = 0
    height: int = 0
    frame_rate: str = Field(default="", max_length=20)
    poster_key: str | None = Field(default=None, max_length=1024)
    media: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    previews: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}"))
    created_at: datetime = Field(default_factory=utc_now, index=True)
    archived_at: datetime | None = None
    deleted_at: datetime | None = None
    removal: str = Field(default="", max_length=10, sa_column_kwargs={"server_default": ""})
    missing_at: datetime | None = None
    sent: dict[str, Any] | None = Field(default=None, sa_column=_sent())


class IdentifiedClip(SQLModel, table=True):
    """A candidate: a range of its video. ``reference`` is the pipeline's own name for it, unique within the video.

    ``origin`` is ``pipeline``, ``found`` (by this product) or ``marked`` (by hand); ``reasons`` say in words why it was found.
    ``touched_at``: a person has decided on it since, so that a new search leaves it alone. ``sent``: see ``domain.sent_values``.
    """

    __tablename__ = "identified_clip"
    __table_args__ = (
        Index("ix_identified_clip_order", "video_id", "start_ms", "id"),
        Index("ux_identified_clip_reference", "video_id", "reference", unique=True),
        CheckConstraint("start_ms >= 0 AND end_ms > start_ms", name="ck_identified_clip_range"),
    )

    id: str = Field(default_factory=lambda: new_id("clip"), primary_key=True)
    video_id: str = Field(sa_column=_owner("video"))
    reference: str = Field(max_length=200)
    start_ms: int
    end_ms: int
    title: str = Field(max_length=300)
    score: float | None = None
    score_parts: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    origin: str = Field(default="pipeline", max_length=20, sa_column_kwargs={"server_default": "pipeline"})
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False, server_default="[]"))
    created_at: datetime = Field(default_factory=utc_now)
    touched_at: datetime | None = None
    sent: dict[str, Any] | None = Field(default=None, sa_column=_sent())


class ExportedClip(SQLModel, table=True):
    """A rendered mp4 in the bucket: one range of its video, one aspect ratio, one language. ``captions_key``: its WebVTT sidecar."""

    __tablename__ = "exported_clip"
    __table_args__ = (
        Index("ix_exported_clip_order", "video_id", "start_ms", "id"),
        CheckConstraint("start_ms >= 0 AND end_ms > start_ms", name="ck_exported_clip_range"),
    )

    id: str = Field(default_factory=lambda: new_id("clip"), primary_key=True)
    video_id: str = Field(sa_column=_owner("video"))
    identified_clip_id: str | None = Field(
        default=None,
        sa_column=Column(String, ForeignKey("identified_clip.id", ondelete="SET NULL"), nullable=True, index=True),
    )
    start_ms: int
    end_ms: int
    title: str = Field(max_length=300)
    s3_key: str = Field(unique=True, max_length=1024)
    etag: str = Field(default="", max_length=100)
    size: int = Field(default=0, sa_type=BigInteger)
    aspect_ratio: str = Field(max_length=10)
    target_language: str = Field(max_length=20)
    captions_key: str | None = Field(default=None, max_length=1024)
    created_at: datetime = Field(default_factory=utc_now)
    missing_at: datetime | None = None
