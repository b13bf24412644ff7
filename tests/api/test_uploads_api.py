"""Uploads through the API by browsers and pipelines; the bytes bypass the app."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry
from clipviewer.domain.permissions import Role
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.storage.s3 import open_store
from tests.api.conftest import Person
from tests.storage.serving import KEYS, Served, files, serving

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
UPLOADS = "/api/uploads"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "store") as served:
        yield served


@pytest.fixture
def api(services: Services, served: Served) -> FastAPI:
    settings = dataclasses.replace(services.settings, port=served.port)
    settings.data_dir.mkdir(exist_ok=True)
    store = open_store(settings, KEYS)
    return create_api(dataclasses.replace(services, settings=settings, store=store, signer=signer_for(settings, store)))


@pytest.fixture
def reviewer(person: Callable[..., Person]) -> dict[str, str]:
    return person(Role.REVIEWER).cookie


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    Ffmpeg().run(["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=1", "-pix_fmt", "yuv420p", str(path)], timeout=60)
    return path.read_bytes()


def begin(client: TestClient, who: dict[str, str], data: bytes, name: str = "talk.mp4", **fields: Any) -> dict[str, Any]:
    answer = client.post(UPLOADS, json={"fileName": name, "size": len(data), **fields}, headers=who)
    assert answer.status_code in (200, 201), answer.text
    return {**answer.json(), "status": answer.status_code}


def sign(client: TestClient, who: dict[str, str], upload: dict[str, Any], host: str, **fields: Any) -> dict[str, Any]:
    parts = {"parts": [{"partNumber": 1, **fields}]}
    answer = client.post(f"{UPLOADS}/{upload['id']}/parts", json=parts, headers={**who, "Host": host})
    assert answer.status_code == 200, answer.text
    (part,) = answer.json()["parts"]
    return dict(part)


def send(client: TestClient, who: dict[str, str], upload: dict[str, Any], served: Served, data: bytes) -> None:
    part = sign(client, who, upload, served.host)
    assert httpx.put(part["url"], content=data, headers=part["headers"], trust_env=False).status_code == 200


@pytest.mark.parametrize("asker", ["reviewer", "token"])
def test_a_person_and_a_pipeline_upload_alike(
    client: TestClient, served: Served, clip: bytes, asker: str, request: pytest.FixtureRequest, reviewer: dict[str, str]
) -> None:
    who: dict[str, str] = request.getfixturevalue(asker)
    upload = begin(client, who, clip)
    assert (upload["status"], upload["fileName"], upload["partCount"], upload["state"]) == (201, "talk.mp4", 1, "open")
    send(client, who, upload, served, clip)
    parts = client.get(f"{UPLOADS}/{upload['id']}/parts", headers=who).json()
    assert [(part["partNumber"], part["size"]) for part in parts["parts"]] == [(1, len(clip))]
    done = client.post(f"{UPLOADS}/{upload['id']}/complete", headers=who)
    assert (done.status_code, done.json()["state"], done.json()["videoId"]) == (200, "done", upload["videoId"])
    video = client.get(f"/api/clips/videos/{upload['videoId']}", headers=reviewer).json()
    assert (video["title"], video["duration"], video["width"]) == ("talk", "1.000", 320)
    assert client.get(UPLOADS, headers=who).json() == {"uploads": []}


def test_the_url_uses_the_browsers_host_and_none_of_the_servers_keys(client: TestClient, reviewer: dict[str, str], clip: bytes) -> None:
    part = sign(client, reviewer, begin(client, reviewer, clip), "studio.local:3000", crc32="y/Q5Jg==")
    url = urlsplit(part["url"])
    query = parse_qs(url.query)
    assert (url.scheme, url.netloc, query["partNumber"]) == ("http", "studio.local:3000", ["1"])
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-crc32"]
    assert int(query["X-Amz-Expires"][0]) <= 3600
    assert (part["size"], part["headers"]) == (len(clip), {"x-amz-checksum-crc32": "y/Q5Jg=="})
    assert KEYS.secret_key not in part["url"]


def test_unfinished_uploads_are_listed_to_their_sender_and_go_on(
    client: TestClient, reviewer: dict[str, str], person: Callable[..., Person], clip: bytes
) -> None:
    upload = begin(client, reviewer, clip, fingerprint="1700000000000")
    again = begin(client, reviewer, clip, fingerprint="1700000000000")
    assert (again["id"], again["status"]) == (upload["id"], 200)
    assert [found["id"] for found in client.get(UPLOADS, headers=reviewer).json()["uploads"]] == [upload["id"]]
    other = person(Role.ADMIN).cookie
    assert client.get(UPLOADS, headers=other).json() == {"uploads": []}
    for method, path in (("GET", "/parts"), ("POST", "/complete"), ("DELETE", "")):
        answer = client.request(method, f"{UPLOADS}/{upload['id']}{path}", headers=other)
        assert (answer.status_code, answer.json()["code"]) == (404, "upload_not_found")


def test_cancelling_leaves_nothing(client: TestClient, served: Served, reviewer: dict[str, str], clip: bytes) -> None:
    upload = begin(client, reviewer, clip)
    send(client, reviewer, upload, served, clip)
    assert len(files(served.root)) == 1
    assert client.delete(f"{UPLOADS}/{upload['id']}", headers=reviewer).status_code == 204
    assert files(served.root) == set()
    assert client.get(UPLOADS, headers=reviewer).json() == {"uploads": []}


def test_a_file_that_is_not_a_video_is_refused_with_a_sentence(client: TestClient, served: Served, reviewer: dict[str, str]) -> None:
    upload = begin(client, reviewer, b"just words")
    send(client, reviewer, upload, served, b"just words")
    answer = client.post(f"{UPLOADS}/{upload['id']}/complete", headers=reviewer)
    assert (answer.status_code, answer.json()["code"]) == (422, "upload_refused")
    assert answer.json()["detail"].startswith("talk.mp4 was not added.")
    assert files(served.root) == set()


@pytest.mark.parametrize(
    "fields",
    [
        {"fileName": "talk.exe"},
        {"fileName": ""},
        {"fileName": "a\nb.mp4"},
        {"size": 0},
        {"size": True},
        {"size": "10"},
        {"size": 2**50},
        {"fingerprint": "a b"},
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(client: TestClient, reviewer: dict[str, str], fields: dict[str, Any]) -> None:
    answer = client.post(UPLOADS, json={"fileName": "talk.mp4", "size": 10, **fields}, headers=reviewer)
    assert answer.status_code == 422


@pytest.mark.parametrize("parts", [[], [{"partNumber": 0}], [{"partNumber": 2}], [{"partNumber": 1, "crc32": "?"}], [{"partNumber": "1"}]])
def test_unknown_parts_are_refused(client: TestClient, reviewer: dict[str, str], clip: bytes, parts: list[Any]) -> None:
    upload = begin(client, reviewer, clip)
    assert client.post(f"{UPLOADS}/{upload['id']}/parts", json={"parts": parts}, headers=reviewer).status_code == 422


def test_a_viewer_cannot_upload(client: TestClient, person: Callable[..., Person], reviewer: dict[str, str], clip: bytes) -> None:
    upload, viewer = begin(client, reviewer, clip), person(Role.VIEWER).cookie
    routes = [("POST", ""), ("GET", ""), *((method, f"/{upload['id']}{path}") for method, path in (("POST", "/parts"), ("DELETE", "")))]
    assert {client.request(method, UPLOADS + path, json={}, headers=viewer).status_code for method, path in routes} == {403}


def test_each_step_is_an_audit_row(client: TestClient, services: Services, served: Served, reviewer: dict[str, str], clip: bytes) -> None:
    kept, dropped = begin(client, reviewer, clip), begin(client, reviewer, clip, "other.mp4")
    send(client, reviewer, kept, served, clip)
    client.post(f"{UPLOADS}/{kept['id']}/complete", headers=reviewer)
    client.delete(f"{UPLOADS}/{dropped['id']}", headers=reviewer)
    with services.database.read() as db:
        rows = [entry for entry in db.exec(select(AuditEntry).order_by(AuditEntry.at)) if entry.action.startswith("upload")]  # type: ignore[arg-type]
    assert [(entry.action, entry.details["file"]) for entry in rows] == [
        ("upload_begin", "talk.mp4"),
        ("upload_begin", "other.mp4"),
        ("upload_complete", "talk.mp4"),
        ("upload_cancel", "other.mp4"),
    ]
    assert rows[0].subject == f"videos/{kept['videoId']}/talk.mp4"
