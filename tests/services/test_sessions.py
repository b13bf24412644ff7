"""Sessions: which tokens are accepted, and when a session ends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from sqlalchemy import event
from sqlmodel import Session

from clipviewer.db.models import User, UserSession
from clipviewer.db.session import Database
from clipviewer.domain.permissions import Role
from clipviewer.errors import Unauthorized
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.passwords import Passwords
from clipviewer.services.people.sessions import COOKIE, SECURE_COOKIE, NewSession, Sessions, build_cookie
from tests.conftest import Clock

OLD_KEY, KEY = "the older of two keys of 32 bytes", "the newer of two keys of 32 bytes"
PASSWORD = "seven brown otters"


@pytest.fixture
def accounts(clock: Clock) -> Accounts:
    return Accounts(Passwords(memory_kib=64, rounds=1), clock=clock)


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions([KEY], clock=clock)


@pytest.fixture
def user_id(database: Database, accounts: Accounts) -> str:
    with database.write() as db:
        accounts.create_user(db, email="root@example.org", name="Root", role=Role.ADMIN, password=PASSWORD)
        return accounts.create_user(db, email="ada@example.org", name="Ada", role=Role.REVIEWER, password=PASSWORD).id


@pytest.fixture
def session(database: Database, sessions: Sessions, user_id: str) -> NewSession:
    with database.write() as db:
        return sessions.start(db, user_id, address="192.0.2.7", user_agent="Browser\r\n1")


def header(token: str) -> str:
    return f"theme=dark; {COOKIE}={token}"


def holds(database: Database, sessions: Sessions, token: str) -> bool:
    with database.read() as db:
        try:
            sessions.authenticate(db, header(token))
        except Unauthorized:
            return False
    return True


def test_a_session_identifies_its_person(database: Database, sessions: Sessions, session: NewSession, user_id: str) -> None:
    with database.read() as db:
        principal = sessions.authenticate(db, header(session.token))
    assert (principal.user_id, principal.email, principal.role) == (user_id, "ada@example.org", Role.REVIEWER)
    assert (principal.session_id, principal.expires_at) == (session.id, session.expires_at)


def test_authenticating_is_one_reading_query(database: Database, sessions: Sessions, session: NewSession) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert holds(database, sessions, session.token)
    assert [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")] == ["SELECT"]


def test_a_foreign_cookie_costs_no_query(database: Database, sessions: Sessions, session: NewSession) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert not holds(database, sessions, session.token[:-2] + "xx")
    assert statements == []


@pytest.mark.parametrize(
    "cookie", [None, "", ";;=;", COOKIE, f"{COOKIE}=", f"{COOKIE}=.", f"{COOKIE}=a.b.c", f"{COOKIE}={'x' * 5000}", "other=1"]
)
def test_a_header_without_a_session_is_anonymous(database: Database, sessions: Sessions, cookie: str | None) -> None:
    with database.read() as db, pytest.raises(Unauthorized):
        sessions.authenticate(db, cookie)


def forge(session: NewSession, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return the session's token with changed claims and headers, signed with the right key; None removes a claim or header."""
    key = hmac.new(KEY.encode(), b"clipviewer session", hashlib.sha256).digest()
    kid = jwt.get_unverified_header(session.token)["kid"]
    payload = jwt.decode(session.token, options={"verify_signature": False}) | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, key, algorithm="HS256", headers={"kid": kid, **(headers or {})})


def test_the_forger_of_these_tests_makes_genuine_tokens(database: Database, sessions: Sessions, session: NewSession) -> None:
    assert holds(database, sessions, forge(session))


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "typ", "iat", "exp"])
def test_every_claim_is_required(database: Database, sessions: Sessions, session: NewSession, claim: str) -> None:
    assert not holds(database, sessions, forge(session, **{claim: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "someone"},
        {"aud": "elsewhere"},
        {"aud": ["clipviewer-api"]},
        {"typ": "share"},
        {"typ": "setup"},
        {"typ": "api"},
        {"sid": 7},
        {"sid": "session_unknown"},
        {"sub": "user_other"},
        {"exp": "never"},
        {"exp": 1},
    ],
    ids=str,
)
def test_a_token_for_another_purpose_is_not_a_session(
    database: Database, sessions: Sessions, session: NewSession, claims: dict[str, Any]
) -> None:
    assert not holds(database, sessions, forge(session, **claims))


@pytest.mark.parametrize(
    "headers",
    [
        {"crit": ["exp"]},
        {"crit": ["unknown"], "unknown": 1},
        {"jku": "https://evil.example/keys"},
        {"jwk": {"kty": "oct", "k": "AA"}},
        {"x5u": "x"},
    ],
    ids=str,
)
def test_an_unknown_crit_and_foreign_keys_are_refused(
    database: Database, sessions: Sessions, session: NewSession, headers: dict[str, Any]
) -> None:
    token = forge(session, headers)
    assert set(headers) <= set(json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "==")))
    assert not holds(database, sessions, token)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS512", "RS256"])
def test_the_algorithm_is_pinned(database: Database, sessions: Sessions, session: NewSession, algorithm: str) -> None:
    _, payload, signature = session.token.split(".")
    kid = jwt.get_unverified_header(session.token)["kid"]
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT", "kid": kid}).encode()).rstrip(b"=").decode()
    key = hmac.new(KEY.encode(), b"clipviewer session", hashlib.sha256).digest()
    resigned = base64.urlsafe_b64encode(hmac.digest(key, f"{head}.{payload}".encode(), "sha512" if algorithm == "HS512" else "sha256"))
    for tail in ("", signature, resigned.rstrip(b"=").decode()):
        assert not holds(database, sessions, f"{head}.{payload}.{tail}")


def test_a_token_signed_with_the_bare_secret_or_an_unknown_key_is_refused(
    database: Database, sessions: Sessions, session: NewSession
) -> None:
    payload = jwt.decode(session.token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(session.token)["kid"]
    for key, named in ((KEY, kid), (KEY, "other"), ("x" * 32, kid), ("x" * 32, "../../dev/null")):
        assert not holds(database, sessions, jwt.encode(payload, key, algorithm="HS256", headers={"kid": named}))


def test_rotating_the_key_logs_nobody_out_and_removing_it_does(database: Database, user_id: str, clock: Clock) -> None:
    with database.write() as db:
        old = Sessions([OLD_KEY], clock=clock).start(db, user_id)
        rotated = Sessions([KEY, OLD_KEY], clock=clock)
        new = rotated.start(db, user_id)
    assert holds(database, rotated, old.token)
    assert holds(database, Sessions([KEY], clock=clock), new.token)
    assert not holds(database, Sessions([KEY], clock=clock), old.token)
    assert not holds(database, Sessions([OLD_KEY], clock=clock), new.token)


def test_api_tokens_set_up_tokens_and_sessions_are_not_interchangeable(
    database: Database, sessions: Sessions, session: NewSession, clock: Clock
) -> None:
    tokens = ApiTokens(clock)
    with database.write() as db:
        secret = tokens.create(db, "pipeline")
    assert not holds(database, sessions, secret)
    with database.read() as db, pytest.raises(Unauthorized):
        tokens.authenticate(db, f"Bearer {session.token}")


def end_by_sign_out(db: Session, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str) -> None:
    assert sessions.sign_out(db, header(session.token)) is not None


def end_by_revoking(db: Session, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str) -> None:
    sessions.revoke(db, session.id)


def end_by_revoking_all(db: Session, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str) -> None:
    sessions.revoke_all(db, user_id)


def end_by_new_password(db: Session, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str) -> None:
    accounts.change_password(db, user_id, PASSWORD, "eight brown otters")


def end_by_disabling_and_enabling(db: Session, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str) -> None:
    accounts.disable(db, user_id)
    accounts.enable(db, user_id)


def end_by_deleting(db: Session, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str) -> None:
    accounts.delete(db, user_id)


@pytest.mark.parametrize(
    "end",
    [end_by_sign_out, end_by_revoking, end_by_revoking_all, end_by_new_password, end_by_disabling_and_enabling, end_by_deleting],
)
def test_a_copied_cookie_is_invalid_after_the_session_ends(
    database: Database, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str, end: Callable[..., None]
) -> None:
    assert holds(database, sessions, session.token)
    with database.write() as db:
        end(db, sessions, accounts, session, user_id)
    assert not holds(database, sessions, session.token)


def test_revoking_one_session_leaves_the_others(database: Database, sessions: Sessions, session: NewSession, user_id: str) -> None:
    with database.write() as db:
        other = sessions.start(db, user_id)
        sessions.revoke(db, session.id)
    assert holds(database, sessions, other.token)
    assert not holds(database, sessions, session.token)


def test_a_new_role_applies_at_the_next_request(
    database: Database, sessions: Sessions, accounts: Accounts, session: NewSession, user_id: str
) -> None:
    with database.write() as db:
        accounts.set_role(db, user_id, Role.VIEWER)
    with database.read() as db:
        assert sessions.authenticate(db, header(session.token)).role is Role.VIEWER


def test_a_session_ends_after_thirty_days_however_busy(database: Database, sessions: Sessions, session: NewSession, clock: Clock) -> None:
    for _ in range(5):
        clock.pass_time(days=5, hours=23)
        with database.write() as db:
            sessions.touch(db, sessions.authenticate(db, header(session.token)))
    clock.pass_time(hours=4)
    assert holds(database, sessions, session.token)
    clock.pass_time(hours=1)
    assert not holds(database, sessions, session.token)


def test_a_session_ends_after_a_week_without_use(database: Database, sessions: Sessions, session: NewSession, clock: Clock) -> None:
    clock.pass_time(days=6, hours=23)
    assert holds(database, sessions, session.token)
    clock.pass_time(hours=1)
    assert not holds(database, sessions, session.token)


def test_the_time_of_last_use_is_written_at_most_once_a_minute(
    database: Database, sessions: Sessions, session: NewSession, clock: Clock
) -> None:
    started = clock.now

    def use() -> tuple[bool, Any]:
        with database.write() as db:
            verified = sessions.verify(db, header(session.token))
            sessions.touch(db, verified.principal)
        with database.read() as db:
            return verified.stale, db.get_one(UserSession, session.id).last_seen_at

    clock.pass_time(seconds=59)
    assert use() == (False, started)
    clock.pass_time(seconds=1)
    assert use() == (True, clock.now)


def test_ended_sessions_are_swept_a_month_later(database: Database, sessions: Sessions, session: NewSession, clock: Clock) -> None:
    clock.pass_time(days=59)
    with database.write() as db:
        assert sessions.sweep(db) == 0
    clock.pass_time(days=2)
    with database.write() as db:
        assert sessions.sweep(db) == 1


def test_deleting_a_user_deletes_the_sessions(database: Database, accounts: Accounts, session: NewSession, user_id: str) -> None:
    with database.write() as db:
        accounts.delete(db, user_id)
    with database.read() as db:
        assert db.get(User, user_id) is None
        assert db.get(UserSession, session.id) is None


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    assert build_cookie("t", secure=False, max_age=timedelta(days=1)) == f"{COOKIE}=t; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"
    secure = build_cookie("t", secure=True, max_age=timedelta(days=1))
    assert secure == f"__Host-{COOKIE}=t; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"


def test_over_https_only_the_host_cookie_counts(database: Database, sessions: Sessions, session: NewSession) -> None:
    with database.read() as db:
        assert sessions.authenticate(db, f"{SECURE_COOKIE}={session.token}", secure=True).session_id == session.id
        with pytest.raises(Unauthorized):
            sessions.authenticate(db, f"{COOKIE}={session.token}", secure=True)
        with pytest.raises(Unauthorized):
            sessions.authenticate(db, f"{COOKIE}={session.token}; {SECURE_COOKIE}=planted")


def test_neither_the_row_nor_the_log_of_a_session_holds_its_token(database: Database, session: NewSession) -> None:
    with database.read() as db:
        row = db.get_one(UserSession, session.id)
    assert session.token not in str(row.model_dump())
    assert row.user_agent == "Browser1"
    assert session.token not in repr(session)
