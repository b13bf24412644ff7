"""Sign in, in three steps, so that no transaction is open while the slow password hash is computed.

``begin`` counts the attempt (always committed), ``check`` verifies the password, ``finish`` starts the session or records the failure.
Unknown, wrong and disabled take the same path through all three.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import User
from clipviewer.domain.permissions import Role
from clipviewer.services import audit
from clipviewer.services.people.accounts import Account
from clipviewer.services.people.devices import Device
from clipviewer.services.people.passwords import Passwords
from clipviewer.services.people.sessions import NewSession, Sessions
from clipviewer.services.people.throttle import Attempt, Throttle


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim to be ``email``; ``password_hash`` is None if nobody may sign in by it."""

    email: str
    address: str
    password_hash: str | None
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of ``check``; ``new_hash`` is set if the stored hash has older parameters."""

    candidate: Candidate
    matches: bool
    new_hash: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    account: Account
    session: NewSession


def begin(db: Session, throttle: Throttle, email: str, address: str, now: datetime, device: Device | None = None) -> Candidate:
    """Count the attempt and look the account up. Writes. ``device`` is the one that the cookies name. Raises ``TooManyAttempts``."""
    email = "".join(filter(str.isprintable, email)).strip().lower()[:320]
    attempt = throttle.take(db, email, address, now, device)
    found = select(col(User.password_hash)).where(col(User.email) == email, col(User.disabled_at).is_(None))
    return Candidate(email, address, db.execute(found).scalar_one_or_none(), attempt)


def check(candidate: Candidate, password: str, passwords: Passwords) -> Checked:
    """Verify the password: slow, without a transaction."""
    matches = passwords.matches(candidate.password_hash, password)
    if not matches or candidate.password_hash is None:
        return Checked(candidate, False)
    outdated = passwords.outdated(candidate.password_hash)
    return Checked(candidate, True, passwords.hash(password) if outdated else None)


def finish(
    db: Session, checked: Checked, sessions: Sessions, throttle: Throttle, now: datetime, *, user_agent: str = ""
) -> SignedIn | None:
    """Return a new session, or None if the password was wrong or the account has changed. Writes either way."""
    candidate = checked.candidate
    user = None
    if checked.matches:
        found = select(col(User.id), col(User.name), col(User.role)).where(
            col(User.email) == candidate.email, col(User.password_hash) == candidate.password_hash, col(User.disabled_at).is_(None)
        )
        user = db.execute(found).one_or_none()
    if user is None:
        audit.record(db, "sign_in_failed", subject=candidate.email, address=candidate.address, at=now)
        return None
    user_id, name, role = user
    if checked.new_hash is not None:
        db.execute(update(User).where(col(User.id) == user_id).values(password_hash=checked.new_hash))
    throttle.forgive(db, candidate.attempt)
    session = sessions.start(db, user_id, address=candidate.address, user_agent=user_agent)
    audit.record(db, "sign_in", actor=user_id, subject=session.id, address=candidate.address, at=now)
    return SignedIn(Account(user_id, candidate.email, name, Role(role), disabled=False), session)
