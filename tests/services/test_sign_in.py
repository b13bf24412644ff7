"""Signing in: who gets a session; all others get the same response for the same work."""

from __future__ import annotations

import pytest
from sqlmodel import select

from clipviewer.db.models import AuditEntry, User
from clipviewer.db.session import Database
from clipviewer.domain.permissions import Role
from clipviewer.services.people import sign_in
from clipviewer.services.people.accounts import Account, Accounts
from clipviewer.services.people.passwords import Passwords
from clipviewer.services.people.sessions import Sessions
from clipviewer.services.people.sign_in import SignedIn
from tests.conftest import SECRET, Clock

PASSWORD = "seven brown otters"


@pytest.fixture
def accounts(clock: Clock) -> Accounts:
    return Accounts(Passwords(memory_kib=64, rounds=1), clock=clock)


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions([SECRET], clock=clock)


@pytest.fixture
def admin(database: Database, accounts: Accounts) -> Account:
    with database.write() as db:
        return accounts.create_user(db, email="ada@example.org", name="Ada", role=Role.ADMIN, password=PASSWORD)


def try_sign_in(database: Database, accounts: Accounts, sessions: Sessions, clock: Clock, email: str, password: str) -> SignedIn | None:
    with database.write() as db:
        candidate = sign_in.begin(db, accounts.throttle, email, "192.0.2.1", clock())
    checked = sign_in.check(candidate, password, accounts.passwords)
    with database.write() as db:
        return sign_in.finish(db, checked, sessions, accounts.throttle, clock())


def actions(database: Database) -> list[str]:
    with database.read() as db:
        return sorted(entry.action for entry in db.exec(select(AuditEntry)))


def test_a_hash_of_older_strength_is_renewed_at_sign_in(database: Database, admin: Account, sessions: Sessions, clock: Clock) -> None:
    stronger = Accounts(Passwords(memory_kib=128, rounds=1), clock=clock)
    for _ in range(2):
        assert try_sign_in(database, stronger, sessions, clock, admin.email, PASSWORD) is not None
        with database.read() as db:
            assert "m=128" in db.get_one(User, admin.id).password_hash


def test_signing_in_opens_a_session_and_is_audited(
    database: Database, accounts: Accounts, admin: Account, sessions: Sessions, clock: Clock
) -> None:
    signed_in = try_sign_in(database, accounts, sessions, clock, " ADA@Example.org ", PASSWORD)
    assert signed_in is not None
    assert signed_in.account == admin
    assert actions(database) == ["sign_in", "user_created"]


def test_unknown_wrong_and_disabled_are_the_same_failure(
    database: Database, accounts: Accounts, admin: Account, sessions: Sessions, clock: Clock
) -> None:
    with database.write() as db:
        disabled = accounts.create_user(db, email="bob@example.org", name="Bob", role=Role.VIEWER, password=PASSWORD)
        accounts.disable(db, disabled.id)
    for email, password in (("nobody@example.org", PASSWORD), (admin.email, "wrong"), (disabled.email, PASSWORD), ("", ""), ("\0", "\0")):
        assert try_sign_in(database, accounts, sessions, clock, email, password) is None
    assert actions(database).count("sign_in_failed") == 5


def test_an_account_that_changes_during_the_check_does_not_open_a_session(
    database: Database, accounts: Accounts, admin: Account, sessions: Sessions, clock: Clock
) -> None:
    with database.write() as db:
        candidate = sign_in.begin(db, accounts.throttle, admin.email, "192.0.2.1", clock())
    checked = sign_in.check(candidate, PASSWORD, accounts.passwords)
    with database.write() as db:
        accounts.change_password(db, admin.id, PASSWORD, "eight brown otters")
    with database.write() as db:
        assert sign_in.finish(db, checked, sessions, accounts.throttle, clock()) is None
