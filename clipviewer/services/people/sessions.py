"""Sessions: a row on the server, and a cookie whose JWT only names it.

The JWT is checked first (RFC 8725: one algorithm, our keys, every claim), so only a cookie that we made costs a query; the row decides,
so revocation, a new role and a disabled account take effect at once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import User, UserSession, utc_now
from clipviewer.db.statements import count_changed
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.errors import Unauthorized
from clipviewer.services.people.devices import DEVICE_AGE, DEVICE_COOKIE, Device, Devices
from clipviewer.services.people.principal import Principal

COOKIE = "clipviewer_session"
_HOST_PREFIX = "__Host-"
SECURE_COOKIE = f"{_HOST_PREFIX}{COOKIE}"
ABSOLUTE_TIMEOUT = timedelta(days=30)
IDLE_TIMEOUT = timedelta(days=7)

_ALGORITHM = "HS256"
_ISSUER = "clipviewer"
_AUDIENCE = "clipviewer"
_TYPE = "session"
_HEADERS = {"alg", "kid", "typ"}
_CLAIMS = ("iss", "aud", "sub", "sid", "typ", "iat", "exp")
_TOUCH_AFTER = timedelta(minutes=1)
_MAX_TOKEN = 2048
SESSION = (
    select(
        col(UserSession.user_id),
        col(UserSession.last_seen_at),
        col(UserSession.expires_at),
        col(User.email),
        col(User.name),
        col(User.role),
    )
    .join(User, col(User.id) == col(UserSession.user_id))
    .where(col(UserSession.id) == bindparam("sid"), col(UserSession.revoked_at).is_(None), col(User.disabled_at).is_(None))
)


@dataclass(frozen=True, slots=True)
class NewSession:
    """``token`` is the cookie's value; only the browser ever sees it."""

    id: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NamedSession:
    """What a genuine cookie names; the session's row decides whether it is valid."""

    session_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class VerifiedSession:
    """``stale`` says that the time of last use should be updated (``Sessions.touch``)."""

    principal: Principal
    stale: bool


class Sessions:
    """``secret_keys``: the first signs, all verify, so that rotating a key signs nobody out."""

    def __init__(
        self,
        secret_keys: Sequence[str],
        *,
        clock: Callable[[], datetime] = utc_now,
        absolute_timeout: timedelta = ABSOLUTE_TIMEOUT,
        idle_timeout: timedelta = IDLE_TIMEOUT,
    ) -> None:
        self._keys = {_derive(key, b"session key id").hex()[:16]: _derive(key, b"session") for key in secret_keys}
        self._signing_kid = next(iter(self._keys))
        self._devices = Devices([_derive(key, b"device") for key in secret_keys])
        self._clock = clock
        self._absolute = absolute_timeout
        self._idle = idle_timeout
        self._opened = lru_cache(maxsize=4096)(self._open)

    def start(self, db: Session, user_id: str, *, address: str = "", user_agent: str = "") -> NewSession:
        """Start a session for an authenticated user."""
        now = self._clock()
        session = UserSession(
            id=new_id("session"),
            user_id=user_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + self._absolute,
            address=address[:64],
            user_agent="".join(filter(str.isprintable, user_agent))[:300],
        )
        db.add(session)
        db.flush()
        return NewSession(session.id, self._sign(session), session.expires_at)

    def verify(self, db: Session, cookie_header: str | None, *, secure: bool = False) -> VerifiedSession:
        """Return who is behind a ``Cookie`` header, now. One query, read only.

        ``secure`` (the request came by HTTPS) accepts only the ``__Host-`` cookie, which a neighbouring host name cannot set. Raises
        ``Unauthorized``.
        """
        named = self.decode_cookie(cookie_header, secure=secure)
        return self.validate(named, db.execute(SESSION, {"sid": named.session_id}).one_or_none())

    def decode_cookie(self, cookie_header: str | None, *, secure: bool = False) -> NamedSession:
        """Return the session that a cookie of ours names; ``validate`` checks it. Raises ``Unauthorized``."""
        token = read_cookie(cookie_header, secure=secure)
        if not token or len(token) > _MAX_TOKEN:
            raise Unauthorized
        named, expires = self._opened(token)
        if self._clock().timestamp() >= expires:
            raise Unauthorized
        return named

    def identify(self, cookie_header: str | None, *, secure: bool = False) -> str | None:
        """Return the id of the session that a cookie of ours names, valid or not; None for anything else. No query."""
        try:
            return self.decode_cookie(cookie_header, secure=secure).session_id
        except Unauthorized:
            return None

    def recognize(self, cookie_header: str | None, *, secure: bool = False) -> Device | None:
        """Return the device that the cookies name: by its own cookie, else by that of a session, valid or ended. No query."""
        device = self._devices.verify(_read_cookie(cookie_header, DEVICE_COOKIE, secure=secure))
        if device is not None:
            return device
        try:
            named = self.decode_cookie(cookie_header, secure=secure)
        except Unauthorized:
            return None
        return Device(named.user_id, named.session_id)

    def device_cookie(self, user_id: str, *, secure: bool) -> str:
        """Return the ``Set-Cookie`` value by which the browser is recognized as this user's."""
        return _build_cookie(DEVICE_COOKIE, self._devices.issue(user_id), secure=secure, max_age=DEVICE_AGE)

    def validate(self, named: NamedSession, row: Sequence[Any] | None) -> VerifiedSession:
        """Return who is behind the row that ``SESSION`` found for ``named``. Raises ``Unauthorized`` if there is none or it has ended."""
        if row is None:
            raise Unauthorized
        user_id, last_seen_at, expires_at, email, name, role = row
        now = self._clock()
        if user_id != named.user_id or now >= expires_at or now >= last_seen_at + self._idle:
            raise Unauthorized
        principal = Principal(user_id, email, name, Role(role), named.session_id, expires_at)
        return VerifiedSession(principal, now >= last_seen_at + _TOUCH_AFTER)

    def authenticate(self, db: Session, cookie_header: str | None, *, secure: bool = False) -> Principal:
        """Run ``verify`` without updating the time of last use."""
        return self.verify(db, cookie_header, secure=secure).principal

    def touch(self, db: Session, principal: Principal) -> None:
        """Update the time of last use, at most once a minute."""
        now = self._clock()
        statement = update(UserSession).where(
            col(UserSession.id) == principal.session_id, col(UserSession.last_seen_at) <= now - _TOUCH_AFTER
        )
        db.execute(statement.values(last_seen_at=now))

    def sign_out(self, db: Session, cookie_header: str | None, *, secure: bool = False) -> Principal | None:
        """End the session behind the cookie; return its user, or None."""
        try:
            principal = self.authenticate(db, cookie_header, secure=secure)
        except Unauthorized:
            return None
        self.revoke(db, principal.session_id)
        return principal

    def revoke(self, db: Session, session_id: str) -> None:
        """End one session; a copied cookie stops working at once."""
        statement = update(UserSession).where(col(UserSession.id) == session_id, col(UserSession.revoked_at).is_(None))
        db.execute(statement.values(revoked_at=self._clock()))

    def revoke_all(self, db: Session, user_id: str) -> None:
        """End every session of that user."""
        revoke_sessions(db, user_id, self._clock())

    def sweep(self, db: Session) -> int:
        """Delete sessions that ended more than 30 days ago; return their number."""
        limit = self._clock() - timedelta(days=30)
        ended = or_(col(UserSession.expires_at) < limit, col(UserSession.revoked_at) < limit)
        return count_changed(db, delete(UserSession).where(ended))

    def _sign(self, session: UserSession) -> str:
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": session.user_id,
            "sid": session.id,
            "typ": _TYPE,
            "iat": int(session.created_at.timestamp()),
            "exp": int(session.expires_at.timestamp()),
        }
        return jwt.encode(claims, self._keys[self._signing_kid], algorithm=_ALGORITHM, headers={"kid": self._signing_kid})

    def _open(self, token: str) -> tuple[NamedSession, int]:
        """Return what a genuine token names, and its ``exp``. Never changes, so it may be cached."""
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid")))
            if key is None or header.keys() != _HEADERS:
                raise Unauthorized
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Unauthorized from error
        session_id, subject, expires = claims["sid"], claims["sub"], claims["exp"]
        fits = isinstance(session_id, str) and isinstance(subject, str) and isinstance(expires, int)
        if not fits or claims["typ"] != _TYPE:
            raise Unauthorized
        return NamedSession(session_id, subject), expires


def revoke_sessions(db: Session, user_id: str, now: datetime) -> None:
    """End every session of that user, for services that change who may sign in."""
    statement = update(UserSession).where(col(UserSession.user_id) == user_id, col(UserSession.revoked_at).is_(None))
    db.execute(statement.values(revoked_at=now))


def read_cookie(cookie_header: str | None, *, secure: bool = False) -> str | None:
    """Return the session cookie's value from a ``Cookie`` header; ``__Host-`` wins, and is the only one over HTTPS."""
    return _read_cookie(cookie_header, COOKIE, secure=secure)


def build_cookie(token: str, *, secure: bool, max_age: timedelta) -> str:
    """Return the ``Set-Cookie`` value for a session; an empty ``token`` without age removes it."""
    return _build_cookie(COOKIE, token, secure=secure, max_age=max_age)


def _read_cookie(cookie_header: str | None, wanted: str, *, secure: bool) -> str | None:
    if not cookie_header:
        return None
    found: dict[str, str] = {}
    for part in cookie_header.split(";"):
        name, separator, value = part.strip().partition("=")
        if separator and name.removeprefix(_HOST_PREFIX) == wanted:
            found.setdefault(name, value)
    return found.get(f"{_HOST_PREFIX}{wanted}") or (None if secure else found.get(wanted))


def _build_cookie(name: str, value: str, *, secure: bool, max_age: timedelta) -> str:
    prefix, attributes = (_HOST_PREFIX, "; Secure") if secure else ("", "")
    return f"{prefix}{name}={value}; Path=/; Max-Age={int(max_age.total_seconds())}; HttpOnly; SameSite=Lax{attributes}"


def _derive(secret_key: str, purpose: bytes) -> bytes:
    """Derive a key for each purpose, so that a token signed for another purpose is never a session."""
    return hmac.new(secret_key.encode(), b"clipviewer " + purpose, hashlib.sha256).digest()
