"""API tokens for pipelines: shown once, stored as SHA-256, revocable.

A plain hash is enough because the secret is 256 random bits: it cannot be guessed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import ApiToken, utc_now
from clipviewer.db.statements import count_changed
from clipviewer.errors import Invalid, NotFound, Unauthorized
from clipviewer.services import audit
from clipviewer.services.people.principal import Pipeline

PREFIX = "cv_"
_TOUCH_AFTER = timedelta(minutes=1)
_LOOKUP = select(col(ApiToken.id), col(ApiToken.name), col(ApiToken.last_used_at)).where(
    col(ApiToken.secret_hash) == bindparam("secret_hash"), col(ApiToken.revoked_at).is_(None)
)


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """A token without its secret."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """``stale`` says that the time of last use should be updated."""

    pipeline: Pipeline
    stale: bool


class ApiTokens:
    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock

    def create(self, db: Session, name: str, *, actor: str = "") -> str:
        """Create a token and return its secret, to be shown once. Raises ``Invalid`` for a name that is empty or over 200 characters."""
        name = name.strip()
        if not 1 <= len(name) <= 200 or not name.isprintable():
            raise Invalid("Give the token a name of 1 to 200 characters.")
        secret = PREFIX + secrets.token_urlsafe(32)
        token = ApiToken(name=name, secret_hash=_hash(secret), created_at=self._clock())
        db.add(token)
        db.flush()
        audit.record(db, "token_created", actor=actor, subject=token.id, at=self._clock(), name=name)
        return secret

    def revoke(self, db: Session, token_id: str, *, actor: str = "") -> None:
        """Revoke a token. Raises ``NotFound`` if there is none or it was revoked before."""
        statement = update(ApiToken).where(col(ApiToken.id) == token_id, col(ApiToken.revoked_at).is_(None))
        if count_changed(db, statement.values(revoked_at=self._clock())) != 1:
            raise NotFound("Token not found.")
        audit.record(db, "token_revoked", actor=actor, subject=token_id, at=self._clock())

    def list(self, db: Session) -> list[TokenSummary]:
        """Return every token, newest first."""
        columns: tuple[Any, ...] = (ApiToken.id, ApiToken.name, ApiToken.created_at, ApiToken.last_used_at, ApiToken.revoked_at)
        rows = db.execute(select(*columns).order_by(col(ApiToken.created_at).desc(), col(ApiToken.id)))
        return [TokenSummary(id_, name, created, used, revoked is not None) for id_, name, created, used, revoked in rows]

    def verify(self, db: Session, authorization_header: str | None) -> VerifiedToken:
        """Return the pipeline behind ``Authorization: Bearer cv_…``. One query, read only. Raises ``Unauthorized``."""
        scheme, _, secret = (authorization_header or "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret.startswith(PREFIX) or len(secret) > 100:
            raise Unauthorized
        row = db.execute(_LOOKUP, {"secret_hash": _hash(secret)}).one_or_none()
        if row is None:
            raise Unauthorized
        token_id, name, last_used_at = row
        stale = last_used_at is None or self._clock() - last_used_at >= _TOUCH_AFTER
        return VerifiedToken(Pipeline(token_id, name), stale)

    def authenticate(self, db: Session, authorization_header: str | None) -> Pipeline:
        """Run ``verify`` without updating the time of last use."""
        return self.verify(db, authorization_header).pipeline

    def touch(self, db: Session, pipeline: Pipeline) -> None:
        """Update the time of last use."""
        statement = update(ApiToken).where(col(ApiToken.id) == pipeline.token_id)
        db.execute(statement.values(last_used_at=self._clock()))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
