"""Throttle password guessing without letting an attacker lock anybody out.

Every attempt is counted before its password is checked, so that parallel guesses do not slip by. From a known device of the account it is
counted for that device alone. Otherwise it is counted

* for the account from this address,
* for this address over all accounts: above its limit, each account has fewer attempts from there, but an office in which somebody guesses
  is not locked out,
* for the account over all addresses, except those from which its owner has signed in before: however many strangers guess, the owner is not
  held up at a usual place, and at a new place only by as much as the strangers are.

A correct password takes its own attempt back. The address is the peer's, or what a trusted proxy says it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, inf

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import SignInThrottle, User, UserSession
from clipviewer.db.statements import count_changed, upsert
from clipviewer.domain.network import network_of
from clipviewer.errors import TooManyAttempts
from clipviewer.services.people.devices import Device

WINDOW = timedelta(minutes=15)
_UNLIMITED = inf


@dataclass(frozen=True, slots=True)
class Limits:
    """Wrong passwords allowed per window of 15 minutes."""

    account_from_address: int = 10
    account_from_suspect_address: int = 3
    address: int = 50
    account: int = 100
    device: int = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """One counted attempt; ``own`` is the counter of the device, or of the account from this address, ``shared`` are the others."""

    own: str
    shared: tuple[str, ...]


class Throttle:
    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    def take(self, db: Session, email: str, address: str, now: datetime, device: Device | None = None) -> Attempt:
        """Count an attempt, or raise ``TooManyAttempts`` with the seconds to wait (the caller then rolls back, counting nothing).

        ``email`` is lower case; whether the account exists makes no difference.
        """
        limits, place = self._limits, network_of(address)
        if device is not None and _is_account_of(db, email, device):
            own = _bucket("device", email, device.id)
            allowed: dict[str, float] = {own: limits.device}
        else:
            own, here = _bucket("account from address", email, place), _bucket("address", place)
            allowed = {own: limits.account_from_address, here: _UNLIMITED}
            if not _is_usual_place(db, email, address):
                allowed[_bucket("account", email)] = limits.account
        counts = {bucket: _count(db, bucket, now) for bucket in sorted(allowed)}  # in one order, so that attempts cannot deadlock
        if len(allowed) > 1 and counts[here][0] > limits.address:
            allowed[own] = limits.account_from_suspect_address
        for bucket, (failures, started_at) in counts.items():
            if failures > allowed[bucket]:
                raise TooManyAttempts(max(1, ceil((started_at + WINDOW - now).total_seconds())))
        return Attempt(own, tuple(bucket for bucket in allowed if bucket != own))

    def forgive(self, db: Session, attempt: Attempt) -> None:
        """Reset this account's failures from this address, and take this one attempt back from the other counters.

        Only this one: the owner of an account must not be able to clear an address for guessing at other accounts.
        """
        db.execute(delete(SignInThrottle).where(col(SignInThrottle.bucket) == attempt.own))
        for bucket in sorted(attempt.shared):
            statement = update(SignInThrottle).where(col(SignInThrottle.bucket) == bucket, col(SignInThrottle.failures) > 0)
            db.execute(statement.values(failures=SignInThrottle.failures - 1))

    def sweep(self, db: Session, now: datetime) -> int:
        """Delete expired counters; return their number."""
        return count_changed(db, delete(SignInThrottle).where(col(SignInThrottle.window_started_at) <= now - WINDOW))


def _count(db: Session, bucket: str, now: datetime) -> tuple[int, datetime]:
    """Increment a counter in one statement: the row's lock keeps parallel attempts apart."""
    over = col(SignInThrottle.window_started_at) <= now - WINDOW
    statement = (
        upsert(db, SignInThrottle)
        .values(bucket=bucket, failures=1, window_started_at=now)
        .on_conflict_do_update(
            index_elements=["bucket"],
            set_={
                "failures": case((over, 1), else_=col(SignInThrottle.failures) + 1),
                "window_started_at": case((over, now), else_=col(SignInThrottle.window_started_at)),
            },
        )
        .returning(col(SignInThrottle.failures), col(SignInThrottle.window_started_at))
    )
    failures, started_at = db.execute(statement).one()
    return failures, started_at


def _is_account_of(db: Session, email: str, device: Device) -> bool:
    return db.execute(select(col(User.id)).where(col(User.email) == email, col(User.id) == device.user_id)).first() is not None


def _is_usual_place(db: Session, email: str, address: str) -> bool:
    signed_in_here = (
        select(col(UserSession.id))
        .join(User, col(User.id) == col(UserSession.user_id))
        .where(col(User.email) == email, col(UserSession.address) == address)
    )
    return db.execute(signed_in_here.limit(1)).first() is not None


def _bucket(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
