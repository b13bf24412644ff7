"""Importing from the bucket over HTTP, and the job it enqueues."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry, Video, utc_now
from clipviewer.domain.permissions import Role
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.storage.s3 import ObjectStore
from tests.api.conftest import Person
from tests.api.stores import running_bucket
from tests.claims import claim_next

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[ObjectStore]:
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        yield store


@pytest.fixture
def api(services: Services, bucket: ObjectStore) -> FastAPI:
    settings = dataclasses.replace(services.settings, s3_prefix="team/")
    return create_api(dataclasses.replace(services, store=bucket, settings=settings))


def test_a_dry_run_lists_what_would_be_imported(client: TestClient, bucket: ObjectStore, services: Services, token: dict[str, str]) -> None:
    bucket.put("team/talks/a.mp4", b"a film", "video/mp4")
    bucket.put("team/talks/notes.txt", b"notes", "text/plain")
    answer = client.post("/api/library/adopt/preview", json={"prefix": "team/talks/"}, headers=token)
    found = answer.json()
    assert (answer.status_code, found["prefix"], found["complete"], found["objects"], found["size"]) == (200, "team/talks/", True, 2, 11)
    assert (found["videos"], found["ignored"], found["shown"]["video"]) == (1, {"other": 1}, ["team/talks/a.mp4"])
    with services.database.read() as db:
        assert list(db.exec(select(Video))) == []


def test_an_import_is_enqueued_once_and_followed_by_its_address(client: TestClient, services: Services, token: dict[str, str]) -> None:
    first = client.post("/api/library/adopt", json={"prefix": ""}, headers=token)
    again = client.post("/api/library/adopt", json={"prefix": "team/"}, headers=token)
    assert (first.status_code, again.status_code, first.json()["id"]) == (202, 202, again.json()["id"])
    assert (first.json()["kind"], first.json()["subject"], first.json()["state"]) == ("adopt", "team/", "queued")
    assert client.get(f"/api/work/{first.json()['id']}", headers=token).json() == first.json()
    assert client.get("/api/work", headers=token).json() == {"work": [first.json()]}
    with services.database.read() as db:
        assert [entry.subject for entry in db.exec(select(AuditEntry).where(AuditEntry.action == "adopt"))] == ["team/", "team/"]


@pytest.mark.parametrize("body", [{}, {"prefx": "team/talks/"}, {"prefix": "team/talks/", "dryRun": True}, {"prefix": None}], ids=str)
def test_the_whole_library_is_imported_only_by_an_empty_prefix_in_so_many_words(
    client: TestClient, token: dict[str, str], body: dict[str, object]
) -> None:
    for path in ("/api/library/adopt", "/api/library/adopt/preview"):
        assert client.post(path, json=body, headers=token).status_code == 422
    assert client.get("/api/work", headers=token).json() == {"work": []}


@pytest.mark.parametrize("prefix", ["talks/", "team/../talks/", "team/\u0000", "team", "/team/"])
def test_a_prefix_outside_the_library_is_refused(client: TestClient, token: dict[str, str], prefix: str) -> None:
    for path in ("/api/library/adopt", "/api/library/adopt/preview"):
        assert client.post(path, json={"prefix": prefix}, headers=token).status_code == 422


def test_a_reviewer_cancels_reviewers_jobs_and_an_admin_all_others(
    client: TestClient, services: Services, person: Callable[..., Person], token: dict[str, str]
) -> None:
    reviewer, admin = person(Role.REVIEWER), person(Role.ADMIN)
    adopting = client.post("/api/library/adopt", json={"prefix": ""}, headers=token).json()["id"]
    with services.database.write() as db:
        finding = work.enqueue(db, "find", "video_1").id
    assert client.delete(f"/api/work/{adopting}", headers=reviewer.cookie).status_code == 403
    assert client.delete(f"/api/work/{finding}", headers=reviewer.cookie).json()["state"] == "cancelled"
    assert client.delete(f"/api/work/{finding}", headers=admin.cookie).status_code == 409
    assert client.delete(f"/api/work/{adopting}", headers=admin.cookie).json()["state"] == "cancelled"
    assert client.post(f"/api/work/{adopting}/retry", headers=reviewer.cookie).status_code == 403
    retried = client.post(f"/api/work/{adopting}/retry", headers=admin.cookie)
    assert (retried.status_code, retried.json()["subject"], retried.json()["state"]) == (202, "team/", "queued")
    assert retried.json()["id"] != adopting


def test_the_result_or_error_of_a_job_can_be_read(client: TestClient, services: Services, person: Callable[..., Person]) -> None:
    with services.database.write() as db:
        asked = work.enqueue(db, "adopt", "team/")
        item = claim_next(db, ["adopt"], utc_now())
        assert item is not None
        assert work.finish(db, item, utc_now(), {"videos": 3})
    told = client.get(f"/api/work/{asked.id}", headers=person().cookie).json()
    assert (told["state"], told["result"]) == ("done", {"videos": 3})
    assert client.get("/api/work/work_none", headers=person().cookie).status_code == 404
