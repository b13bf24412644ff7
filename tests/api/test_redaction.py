"""No password, cookie, token or signature reaches a log line or a traceback."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import IntegrityError
from uvicorn.logging import AccessFormatter

from clipviewer.api.redaction import RedactSecrets, install_redaction
from clipviewer.db.models import User
from clipviewer.db.session import Database
from clipviewer.domain.permissions import Role
from clipviewer.domain.redaction import redact
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import COOKIE
from tests.api.conftest import Person

CANARY = "c4narY0123456789abcdef"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The output of every logger at level DEBUG, through a handler with the filter."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    install_redaction([handler])
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize(
    "text",
    [
        "GET /s3/b/k?X-Amz-Credential={}%2F2025&X-Amz-Signature={}&x=1 403",
        "?x-amz-security-token={}",
        "X-Amz-Signature%3D{}",
        "Authorization: AWS4-HMAC-SHA256 Credential=a, Signature={}",
        "Authorization: Bearer {}",
        "headers: {{'authorization': 'Bearer {}'}}",
        "[(b'cookie', b'a=b; clipviewer_session={}')]",
        "Cookie: theme=dark; other={}",
        "Set-Cookie: __Host-clipviewer_session={}; Path=/",
        "a=b; __Host-clipviewer_device={}",
        "GET /set-up/{}?error=x HTTP/1.1",
        "password={}&email=a",
        '{{"email": "a", "password": "one {} two"}}',
        "{{'current_password': '{}'}}",
        "secretKey: {}",
        "aws_secret_access_key={}",
        "token='{}'",
        "cv_{}",
        "eyJhbGciOiJIUzI1NiJ9.{}.sig",
        "$argon2id$v=19$m=19456,t=2,p=1$salt${}",
    ],
)
def test_a_secret_is_cut_out_of_a_text(text: str) -> None:
    assert "c4narY" in text.format(CANARY, CANARY)
    hidden = redact(text.format(CANARY, CANARY))
    assert "c4narY" not in hidden
    assert redact(hidden) == hidden


@pytest.mark.parametrize("text", ["GET /videos/video_1?clip=clip_2 200", "the author said: token ring", "Copy S3 key", "3 cookies baked"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_secrets_in_arguments_exceptions_and_stacks_are_hidden(log: io.StringIO) -> None:
    logger = logging.getLogger("clipviewer.test")
    logger.info("password=%s", CANARY)
    logger.info("%(password)s", {"password": f"Bearer {CANARY}"})
    logger.warning("headers %r", [(b"cookie", f"clipviewer_session={CANARY}".encode())])
    try:
        raise ValueError(f"https://bucket/k?X-Amz-Signature={CANARY}")
    except ValueError:
        logger.exception("failed")
    assert "ValueError" in log.getvalue()
    assert log.getvalue().count("[hidden]") >= 4
    assert CANARY not in log.getvalue()


def test_a_failed_statement_does_not_tell_its_values(database: Database) -> None:
    def same_email(number: int) -> User:
        return User(id=f"user_{number}", email="ada@example.org", name="Ada", role=Role.VIEWER, password_hash=CANARY)

    with database.write() as db:
        db.add(same_email(1))
        db.flush()
        db.add(same_email(2))
        with pytest.raises(IntegrityError) as caught:
            db.flush()
        db.rollback()
    assert CANARY not in str(caught.value)


def test_the_servers_access_log_still_formats() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AccessFormatter('%(client_addr)s "%(request_line)s" %(status_code)s', use_colors=False))
    handler.addFilter(RedactSecrets())
    path = f"/s3/b/k?X-Amz-Signature={CANARY}"
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', ("192.0.2.1:5", "GET", path, "1.1", 200), None
    )
    handler.handle(record)
    assert stream.getvalue() == '192.0.2.1:5 "GET /s3/b/k?X-Amz-Signature=[hidden] HTTP/1.1" 200 OK\n'


def test_the_filter_is_put_on_every_handler_once() -> None:
    logger = logging.getLogger("clipviewer.test.handlers")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    install_redaction()
    install_redaction()
    logger.removeHandler(handler)
    assert [type(present) for present in handler.filters] == [RedactSecrets]


def test_using_the_product_leaves_no_secret_in_its_logs(
    log: io.StringIO, client: TestClient, services: Services, person: Callable[..., Person], token: dict[str, str]
) -> None:
    password = f"{CANARY} long enough"
    ada = person(Role.ADMIN, password)
    client.post("/api/auth/sign-in", json={"email": ada.email, "password": password})
    client.post("/api/auth/sign-in", data={"email": ada.email, "password": f"wrong {CANARY}"})
    client.post("/api/auth/set-up", json={"token": CANARY, "name": "a", "email": "a@b.c", "password": password})
    client.post("/api/clips/videos", json={"s3Key": 7}, headers=token)
    client.post("/api/clips/videos", json={}, headers={"Authorization": f"Bearer cv_{CANARY}{CANARY}"})
    client.get("/api/clips/videos", headers={"Cookie": f"{COOKIE}={CANARY}"})
    secrets = [CANARY, client.cookies[COOKIE], ada.cookie["Cookie"].partition("=")[2], token["Authorization"].split()[1]]
    assert log.getvalue()
    assert [secret for secret in secrets if secret in log.getvalue()] == []
