"""Local accounts: the first admin, users and roles, passwords."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import SetupLink, User, utc_now
from clipviewer.domain.permissions import Role
from clipviewer.errors import Conflict, Invalid, NotFound
from clipviewer.services import audit
from clipviewer.services.people import passwords
from clipviewer.services.people.passwords import Passwords
from clipviewer.services.people.sessions import revoke_sessions
from clipviewer.services.people.throttle import Throttle

SETUP_LINK_LIFE = timedelta(hours=24)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(724150194)")


class EmailInvalid(Invalid):
    code, title = "email_invalid", "Enter an email address such as ada@example.org"


class NameInvalid(Invalid):
    code, title = "name_invalid", "Enter a name of 1 to 200 characters"


class PasswordWrong(Invalid):
    code, title = "password_wrong", "The current password is incorrect"


class SetupLinkInvalid(NotFound):
    code, title = "setup_link_invalid", "This set-up link is used, replaced or too old: restart clipviewer to get a new one"


class EmailTaken(Conflict):
    code, title = "email_taken", "This email address is already in use"


class LastAdmin(Conflict):
    code, title = "last_admin", "This is the only admin: make somebody else an admin first"


@dataclass(frozen=True, slots=True)
class Account:
    """A user without secrets."""

    id: str
    email: str
    name: str
    role: Role
    disabled: bool


class Accounts:
    """Users and their roles. Every change is an audit entry; ``actor`` is the id of the user who makes it."""

    def __init__(
        self, passwords: Passwords | None = None, *, throttle: Throttle | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.passwords = passwords or Passwords()
        self.throttle = throttle or Throttle()
        self._clock = clock

    def any_user(self, db: Session) -> bool:
        return db.execute(select(col(User.id)).limit(1)).first() is not None

    def list(self, db: Session) -> list[Account]:
        """Return all accounts, by email address."""
        return [_account(user) for user in db.scalars(select(User).order_by(col(User.email)))]

    def create_user(self, db: Session, *, email: str, name: str, role: Role, password: str, actor: str = "") -> Account:
        """Create a user. Raises ``EmailInvalid``, ``NameInvalid``, a password error or ``EmailTaken``."""
        email, name = normalize_email(email), normalize_name(name)
        passwords.check_new(password, email)
        _lock_admins(db)
        if db.scalars(select(User).where(col(User.email) == email)).first() is not None:
            raise EmailTaken
        user = User(email=email, name=name, role=role, password_hash=self.passwords.hash(password), created_at=self._clock())
        db.add(user)
        db.flush()
        audit.record(db, "user_created", actor=actor or user.id, subject=user.id, at=self._clock(), role=str(role))
        return _account(user)

    def issue_setup_link(self, db: Session) -> str | None:
        """Return the token of a new set-up link, valid for 24 hours and one use; older ones end. None if there is a user."""
        _lock_admins(db)
        if self.any_user(db):
            return None
        db.execute(delete(SetupLink))
        token, now = secrets.token_urlsafe(32), self._clock()
        db.add(SetupLink(token_hash=_hash(token), created_at=now, expires_at=now + SETUP_LINK_LIFE))
        db.flush()
        return token

    def setup_link_holds(self, db: Session, token: str) -> bool:
        """Return whether ``set_up`` would accept this token now."""
        return self._usable_link(db, token) is not None and not self.any_user(db)

    def set_up(self, db: Session, token: str, name: str, email: str, password: str) -> Account:
        """Create the first admin; of several concurrent calls one succeeds. Raises ``SetupLinkInvalid`` or as ``create_user``."""
        _lock_admins(db)
        link = self._usable_link(db, token)
        if link is None or self.any_user(db):
            raise SetupLinkInvalid
        account = self.create_user(db, email=email, name=name, role=Role.ADMIN, password=password)
        link.used_at = self._clock()
        db.add(link)
        db.flush()
        return account

    def ensure_admin(self, db: Session, email: str, password: str) -> Account | None:
        """Create the first admin from the settings; return None, and do nothing, if there is a user."""
        _lock_admins(db)
        if self.any_user(db):
            return None
        db.execute(delete(SetupLink))
        return self.create_user(db, email=email, name=email.partition("@")[0] or email, role=Role.ADMIN, password=password)

    def change_password(self, db: Session, user_id: str, current: str, new: str) -> None:
        """Change a password and end all sessions of that user. Raises ``PasswordWrong``, a password error or ``NotFound``."""
        user = self._user(db, user_id)
        if not self.passwords.matches(user.password_hash, current):
            raise PasswordWrong
        passwords.check_new(new, user.email)
        user.password_hash = self.passwords.hash(new)
        db.add(user)
        db.flush()
        revoke_sessions(db, user_id, self._clock())
        audit.record(db, "password_change", actor=user_id, subject=user_id, at=self._clock())

    def set_role(self, db: Session, user_id: str, role: Role, *, actor: str = "") -> None:
        """Change a user's role, effective from the next request or event. Raises ``NotFound`` or ``LastAdmin``."""
        user = self._changeable(db, user_id, keeps_admin=role is Role.ADMIN)
        before, user.role = user.role, role
        db.add(user)
        db.flush()
        audit.record(db, "role_change", actor=actor, subject=user_id, at=self._clock(), before=str(before), after=str(role))

    def disable(self, db: Session, user_id: str, *, actor: str = "") -> None:
        """Disable a user, effective at once. Raises ``NotFound`` or ``LastAdmin``."""
        user = self._changeable(db, user_id, keeps_admin=False)
        user.disabled_at = user.disabled_at or self._clock()
        db.add(user)
        db.flush()
        revoke_sessions(db, user_id, self._clock())
        audit.record(db, "user_disabled", actor=actor, subject=user_id, at=self._clock())

    def enable(self, db: Session, user_id: str, *, actor: str = "") -> None:
        """Enable a user again; old sessions stay ended. Raises ``NotFound``."""
        user = self._user(db, user_id)
        user.disabled_at = None
        db.add(user)
        db.flush()
        audit.record(db, "user_enabled", actor=actor, subject=user_id, at=self._clock())

    def delete(self, db: Session, user_id: str, *, actor: str = "") -> None:
        """Delete a user and the user's sessions. Raises ``NotFound`` or ``LastAdmin``."""
        db.delete(self._changeable(db, user_id, keeps_admin=False))
        db.flush()
        audit.record(db, "user_deleted", actor=actor, subject=user_id, at=self._clock())

    def _usable_link(self, db: Session, token: str) -> SetupLink | None:
        found = select(SetupLink).where(col(SetupLink.token_hash) == _hash(token), col(SetupLink.used_at).is_(None))
        return db.scalars(found.where(col(SetupLink.expires_at) > self._clock())).one_or_none()

    def _user(self, db: Session, user_id: str) -> User:
        user = db.get(User, user_id)
        if user is None:
            raise NotFound("There is no such user.")
        return user

    def _changeable(self, db: Session, user_id: str, *, keeps_admin: bool) -> User:
        """Return the user, unless the change would leave nobody who can manage users."""
        _lock_admins(db)
        user = self._user(db, user_id)
        if user.role == Role.ADMIN and user.disabled_at is None and not keeps_admin:
            admins = select(func.count()).select_from(User).where(col(User.role) == Role.ADMIN, col(User.disabled_at).is_(None))
            if db.execute(admins).scalar_one() == 1:
                raise LastAdmin
        return user


def normalize_email(email: str) -> str:
    """Return the address as it is stored: lower case and NFC. Raises ``EmailInvalid``."""
    email = unicodedata.normalize("NFC", email).strip().lower()
    local, at, host = email.rpartition("@")
    if not (local and at and host) or len(email) > 254 or not email.isprintable() or " " in email or "@" in local:
        raise EmailInvalid
    return email


def normalize_name(name: str) -> str:
    """Return the name without surrounding blanks. Raises ``NameInvalid``."""
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= 200 or not name.isprintable():
        raise NameInvalid
    return name


def _account(user: User) -> Account:
    return Account(user.id, user.email, user.name, Role(user.role), user.disabled_at is not None)


def _lock_admins(db: Session) -> None:
    """Serialize changes of admins until the transaction ends; SQLite's writers are serialized anyway."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(_ONE_AT_A_TIME)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
