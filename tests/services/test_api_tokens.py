"""API tokens: shown once, stored as a hash, revocable."""

from __future__ import annotations

import pytest
from sqlmodel import select

from clipviewer.db.models import ApiToken, AuditEntry
from clipviewer.db.session import Database
from clipviewer.errors import Invalid, NotFound, Unauthorized
from clipviewer.services.people.api_tokens import ApiTokens
from tests.conftest import Clock


@pytest.fixture
def tokens(clock: Clock) -> ApiTokens:
    return ApiTokens(clock)


@pytest.fixture
def secret(database: Database, tokens: ApiTokens) -> str:
    with database.write() as db:
        return tokens.create(db, " nightly pipeline ", actor="user_1")


def test_a_token_names_its_pipeline(database: Database, tokens: ApiTokens, secret: str) -> None:
    with database.read() as db:
        assert tokens.authenticate(db, f"Bearer {secret}").name == "nightly pipeline"
        assert tokens.authenticate(db, f"bearer  {secret} ").name == "nightly pipeline"


def test_only_a_hash_is_kept_and_nothing_else_shows_the_secret(database: Database, tokens: ApiTokens, secret: str) -> None:
    assert secret.startswith("cv_")
    assert len(secret) >= 43
    with database.read() as db:
        row = db.exec(select(ApiToken)).one()
        entry = db.exec(select(AuditEntry)).one()
        shown = f"{row.model_dump()} {entry.model_dump()} {tokens.list(db)}"
    assert secret not in shown
    assert secret.removeprefix("cv_") not in shown
    assert (entry.action, entry.actor, entry.subject) == ("token_created", "user_1", row.id)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic {}", "Token {}", "{}", "Bearer {}x", "Bearer x{}", "Bearer cv_é", "Bearer cv_\0"]
)
def test_an_invalid_value_is_refused(database: Database, tokens: ApiTokens, secret: str, header: str | None) -> None:
    with database.read() as db, pytest.raises(Unauthorized):
        tokens.authenticate(db, header and header.format(secret))


def test_a_revoked_token_is_refused_at_once(database: Database, tokens: ApiTokens, secret: str) -> None:
    with database.write() as db:
        (summary,) = tokens.list(db)
        tokens.revoke(db, summary.id, actor="user_1")
    with database.read() as db:
        assert [token.revoked for token in tokens.list(db)] == [True]
        with pytest.raises(Unauthorized):
            tokens.authenticate(db, f"Bearer {secret}")
    with database.write() as db, pytest.raises(NotFound):
        tokens.revoke(db, summary.id)


def test_the_time_of_last_use_is_due_once_a_minute(database: Database, tokens: ApiTokens, secret: str, clock: Clock) -> None:
    def due() -> bool:
        with database.read() as db:
            return tokens.verify(db, f"Bearer {secret}").stale

    assert due()
    with database.write() as db:
        tokens.touch(db, tokens.authenticate(db, f"Bearer {secret}"))
    clock.pass_time(seconds=59)
    assert not due()
    clock.pass_time(seconds=1)
    assert due()


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "two\nlines"])
def test_a_name_must_be_a_single_line(database: Database, tokens: ApiTokens, name: str) -> None:
    with database.write() as db, pytest.raises(Invalid):
        tokens.create(db, name)
