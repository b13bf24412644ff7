"""Accounts: passwords, the first admin, and changes that apply at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlmodel import select

from clipviewer.db.models import AuditEntry, SetupLink, User
from clipviewer.db.session import Database
from clipviewer.domain.permissions import Role
from clipviewer.errors import NotFound
from clipviewer.services.people.accounts import (
    Account,
    Accounts,
    EmailInvalid,
    EmailTaken,
    LastAdmin,
    NameInvalid,
    PasswordWrong,
    SetupLinkInvalid,
)
from clipviewer.services.people.passwords import PasswordGuessable, Passwords, PasswordTooShort
from tests.conftest import Clock

PASSWORD = "seven brown otters"


@pytest.fixture
def accounts(clock: Clock) -> Accounts:
    return Accounts(Passwords(memory_kib=64, rounds=1), clock=clock)


@pytest.fixture
def admin(database: Database, accounts: Accounts) -> Account:
    with database.write() as db:
        return accounts.create_user(db, email="ada@example.org", name="Ada", role=Role.ADMIN, password=PASSWORD)


def test_the_set_up_link_makes_the_first_admin_once(database: Database, accounts: Accounts) -> None:
    with database.write() as db:
        token = accounts.issue_setup_link(db)
    assert token is not None
    with database.write() as db:
        assert accounts.setup_link_holds(db, token)
        account = accounts.set_up(db, token, " Ada ", "Ada@Example.ORG", PASSWORD)
    assert (account.role, account.email, account.name) == (Role.ADMIN, "ada@example.org", "Ada")
    with database.write() as db:
        assert not accounts.setup_link_holds(db, token)
        with pytest.raises(SetupLinkInvalid):
            accounts.set_up(db, token, "Eve", "eve@example.org", PASSWORD)
        assert accounts.issue_setup_link(db) is None


def test_only_the_hash_of_the_set_up_token_is_kept(database: Database, accounts: Accounts) -> None:
    with database.write() as db:
        token = accounts.issue_setup_link(db)
    with database.read() as db:
        assert str(token) not in str(db.exec(select(SetupLink)).one().model_dump())


def test_a_new_start_replaces_the_link_and_a_day_ends_it(database: Database, accounts: Accounts, clock: Clock) -> None:
    with database.write() as db:
        first = accounts.issue_setup_link(db)
        second = accounts.issue_setup_link(db)
        assert first is not None
        assert second is not None
        assert [accounts.setup_link_holds(db, token) for token in (first, second, "", "é\ud800")] == [False, True, False, False]
    clock.pass_time(hours=24)
    with database.write() as db, pytest.raises(SetupLinkInvalid):
        accounts.set_up(db, second, "Ada", "ada@example.org", PASSWORD)


def test_a_refused_set_up_leaves_the_link_usable(database: Database, accounts: Accounts) -> None:
    with database.write() as db:
        token = accounts.issue_setup_link(db)
    assert token is not None
    with pytest.raises(PasswordTooShort), database.write() as db:
        accounts.set_up(db, token, "Ada", "ada@example.org", "short")
    with database.write() as db:
        accounts.set_up(db, token, "Ada", "ada@example.org", PASSWORD)


def run_at_once(attempts: list[Callable[[], object]]) -> int:
    """Run all at the same moment; return how many succeed. Raise any failure other than a refusal."""
    barrier = Barrier(len(attempts))

    def run(attempt: Callable[[], object]) -> bool:
        barrier.wait(timeout=10)
        try:
            return attempt() is not None
        except SetupLinkInvalid:
            return False

    with ThreadPoolExecutor(len(attempts)) as pool:
        return sum(pool.map(run, attempts))


def test_a_race_for_the_first_admin_admits_one(database: Database, accounts: Accounts) -> None:
    with database.write() as db:
        token = accounts.issue_setup_link(db)

    def by_link(number: int) -> Account:
        with database.write() as db:
            return accounts.set_up(db, str(token), "Somebody", f"{number}@example.org", PASSWORD)

    def by_settings() -> Account | None:
        with database.write() as db:
            return accounts.ensure_admin(db, "settings@example.org", PASSWORD)

    attempts: list[Callable[[], object]] = [by_settings, by_settings, *(lambda number=number: by_link(number) for number in range(6))]
    assert run_at_once(attempts) == 1
    with database.read() as db:
        assert len(accounts.list(db)) == 1


def test_the_admin_of_the_settings_is_made_only_while_there_is_nobody(database: Database, accounts: Accounts) -> None:
    with database.write() as db:
        token = accounts.issue_setup_link(db)
        made = accounts.ensure_admin(db, "ada@example.org", PASSWORD)
        assert made is not None
        assert (made.name, made.role) == ("ada", Role.ADMIN)
        assert accounts.ensure_admin(db, "eve@example.org", PASSWORD) is None
        assert not accounts.setup_link_holds(db, str(token))


@pytest.mark.parametrize("email", ["", "ada", "@", "ada@", "@b", "a b@c", "a@b@c", "a\n@b", "a@b\0", f"{'x' * 250}@b.cd"])
def test_an_invalid_email_is_refused(database: Database, accounts: Accounts, email: str) -> None:
    with database.write() as db, pytest.raises(EmailInvalid):
        accounts.create_user(db, email=email, name="Ada", role=Role.VIEWER, password=PASSWORD)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\u202eb"])
def test_a_name_must_be_a_single_line(database: Database, accounts: Accounts, name: str) -> None:
    with database.write() as db, pytest.raises(NameInvalid):
        accounts.create_user(db, email="ada@example.org", name=name, role=Role.VIEWER, password=PASSWORD)


def test_an_email_is_unique_regardless_of_case(database: Database, accounts: Accounts, admin: Account) -> None:
    with database.write() as db, pytest.raises(EmailTaken):
        accounts.create_user(db, email="ADA@example.org", name="Eve", role=Role.ADMIN, password=PASSWORD)


def test_changing_the_password_needs_the_old_one_and_a_good_new_one(database: Database, accounts: Accounts, admin: Account) -> None:
    with database.write() as db:
        with pytest.raises(PasswordWrong):
            accounts.change_password(db, admin.id, "wrong", "eight brown otters")
        with pytest.raises(PasswordGuessable):
            accounts.change_password(db, admin.id, PASSWORD, "password123")
        accounts.change_password(db, admin.id, PASSWORD, "eight brown otters")
    with database.read() as db:
        encoded = db.get_one(User, admin.id).password_hash
    assert accounts.passwords.matches(encoded, "eight brown otters")
    assert not accounts.passwords.matches(encoded, PASSWORD)


def test_the_last_admin_stays(database: Database, accounts: Accounts, admin: Account) -> None:
    changes: list[Callable[..., None]] = [
        accounts.disable,
        accounts.delete,
        lambda db, user_id: accounts.set_role(db, user_id, Role.VIEWER),
    ]
    for change in changes:
        with pytest.raises(LastAdmin), database.write() as db:
            change(db, admin.id)
    with database.write() as db:
        accounts.create_user(db, email="bob@example.org", name="Bob", role=Role.ADMIN, password=PASSWORD)
        accounts.delete(db, admin.id)
        with pytest.raises(NotFound):
            accounts.delete(db, admin.id)


def test_two_admins_who_remove_each_other_at_once_leave_one(database: Database, accounts: Accounts, admin: Account) -> None:
    with database.write() as db:
        other = accounts.create_user(db, email="bob@example.org", name="Bob", role=Role.ADMIN, password=PASSWORD)
    barrier = Barrier(2)

    def remove(user_id: str) -> bool:
        barrier.wait(timeout=10)
        try:
            with database.write() as db:
                accounts.delete(db, user_id)
        except LastAdmin:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, (admin.id, other.id))) == [False, True]


def test_every_change_is_an_audit_row_with_its_actor(database: Database, accounts: Accounts, admin: Account) -> None:
    with database.write() as db:
        user = accounts.create_user(db, email="bob@example.org", name="Bob", role=Role.VIEWER, password=PASSWORD, actor=admin.id)
        accounts.set_role(db, user.id, Role.REVIEWER, actor=admin.id)
        accounts.disable(db, user.id, actor=admin.id)
        accounts.enable(db, user.id, actor=admin.id)
        accounts.delete(db, user.id, actor=admin.id)
    with database.read() as db:
        entries = list(db.exec(select(AuditEntry).where(AuditEntry.subject == user.id)))
    assert {entry.action for entry in entries} == {"user_created", "role_change", "user_disabled", "user_enabled", "user_deleted"}
    assert {entry.actor for entry in entries} == {admin.id}
    assert next(entry.details for entry in entries if entry.action == "role_change") == {"before": "viewer", "after": "reviewer"}


def test_an_account_shows_no_hash(accounts: Accounts, admin: Account) -> None:
    assert "argon2" not in repr(admin)
