"""Every error is a problem with a stable code; an unexpected one discloses only the id under which the log has the details."""

from __future__ import annotations

import logging
import sqlite3

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from clipviewer.api.access import public
from clipviewer.errors import StorageDenied, TooManyAttempts

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MEMBERS = {"type", "title", "status", "detail", "code"}


@pytest.fixture
def failing(api: FastAPI, client: TestClient) -> TestClient:
    """The client of an API with a route that raises a given exception."""
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    errors = {
        "bug": ZeroDivisionError("canary-secret in the message"),
        "database": OperationalError("SELECT canary-secret", {}, Exception("gone")),
        "full": OperationalError("INSERT canary-secret", {}, full),
        "storage": StorageDenied(),
        "throttled": TooManyAttempts(7),
    }

    @api.get("/api/fail/{name}", dependencies=[Depends(public())])
    def fail(name: str) -> None:
        raise errors[name]

    return client


def test_a_500_is_generic_and_has_an_id_that_the_log_has_too(failing: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        response = failing.get("/api/fail/bug")
    body = response.json()
    assert (response.status_code, body["code"], set(body)) == (500, "internal_error", MEMBERS | {"id"})
    assert "canary" not in response.text
    assert "ZeroDivision" not in response.text
    (record,) = (record for record in caplog.records if body["id"] in record.getMessage())
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_a_database_that_is_gone_is_503(failing: TestClient) -> None:
    response = failing.get("/api/fail/database")
    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert "canary" not in response.text


def test_a_full_database_disk_is_507_and_one_line_of_the_log(failing: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "clipviewer"):
        response = failing.get("/api/fail/full")
    assert (response.status_code, response.json()["code"]) == (507, "disk_full")
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("GET /api/fail/full failed: the disk is full (OperationalError)", None)
    ]


def test_an_expected_error_states_its_code_and_what_to_do(failing: TestClient) -> None:
    response = failing.get("/api/fail/storage")
    assert (response.status_code, response.headers["content-type"]) == (502, "application/problem+json")
    assert response.json() == {
        "type": "urn:clipviewer:problem:storage_denied",
        "title": "The storage denied access: check the bucket policy",
        "status": 502,
        "detail": "The storage denied access: check the bucket policy",
        "code": "storage_denied",
    }
    assert failing.get("/api/fail/throttled").headers["retry-after"] == "7"


def test_unknown_paths_and_methods_are_problems_too(client: TestClient) -> None:
    for response, code in ((client.get("/api/nothing"), "not_found"), (client.delete("/api/health"), "method_not_allowed")):
        assert response.headers["content-type"] == "application/problem+json"
        assert (response.json()["code"], set(response.json())) == (code, MEMBERS)


def test_no_response_is_cached(failing: TestClient) -> None:
    paths = ("/api/health", "/api/nothing", "/api/auth/session", "/api/fail/bug", "/api/fail/storage")
    assert {failing.get(path).headers["cache-control"] for path in paths} == {"no-store"}
