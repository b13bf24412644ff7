"""Until it is restored, a deleted video looks like one that never existed to every route that reads it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.room.captions import attach
from tests.api.conftest import Person
from tests.api.test_access_matrix import api_routes

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
VIDEOS = "/api/clips/videos"
KEY = "exports/one.mp4"
ONE, OTHER = "video_1", "video_none"


@pytest.fixture
def full_video(services: Services) -> None:
    """A video with everything that routes can read."""
    sheets = [{"key": "previews/video_1/e/filmstrip-1.webp", "columns": 10, "count": 100}]
    previews = {"etag": "x", "sheets": sheets, "picture": {"width": 160, "height": 90}, "peaksKey": "previews/video_1/e/peaks.json"}
    span = {"video_id": ONE, "start_ms": 0, "end_ms": 2_000}
    with services.database.write() as db:
        db.add(Video(id=ONE, title="Harbour", s3_key="one.mp4", previews=previews))
        db.flush()
        db.add(IdentifiedClip(id="clip_1", reference="r1", title="Boats", score=7, **span))
        file = {"s3_key": KEY, "captions_key": "exports/one.vtt", "aspect_ratio": "9:16", "target_language": "en"}
        db.add(ExportedClip(id="clip_2", title="Boats", **file, **span))
        db.flush()
        attach(db, ONE, "de", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n", "a.vtt")


def answers(api: FastAPI, ask: Callable[[str, str], Response], video_id: str) -> dict[str, Response]:
    """Return the response of every route that reads a video or signs something of it."""
    paths = [route.path for route in api_routes(list(api.routes)) if "{video_id}" in route.path and "GET" in route.methods]
    filled = {path: path.replace("{video_id}", video_id).replace("{clip_id}", "clip_2").replace("{language}", "de") for path in paths}
    assert len(filled) >= 10
    signing = {name: f"{VIDEOS}/{video_id}/{name}" for name in ("download", "master")}
    return {name: ask("GET", path) for name, path in filled.items()} | {name: ask("POST", path) for name, path in signing.items()}


def test_a_deleted_video_is_no_longer_read_and_nothing_of_it_is_signed(
    api: FastAPI, client: TestClient, services: Services, full_video: None, person: Callable[..., Person]
) -> None:
    admin = person(Role.ADMIN)

    def ask(method: str, path: str) -> Response:
        return client.request(method, path, headers=admin.cookie, json={"s3Key": KEY} if path.endswith("/download") else None)

    before = answers(api, ask, ONE)
    assert [name for name, answer in before.items() if answer.status_code == 404] == []
    assert client.delete(f"{VIDEOS}/{ONE}", params={"objects": "keep"}, headers=admin.cookie).json()["deletedAt"]
    gone, never = answers(api, ask, ONE), answers(api, ask, OTHER)
    assert {name: answer.status_code for name, answer in gone.items()} == dict.fromkeys(gone, 404)
    assert {name: problem(answer) for name, answer in gone.items()} == {name: problem(answer) for name, answer in never.items()}
    assert client.post(f"{VIDEOS}/{ONE}/restore", headers=admin.cookie).json()["deletedAt"] is None
    assert {name: answer.status_code for name, answer in answers(api, ask, ONE).items()} == {
        name: answer.status_code for name, answer in before.items()
    }


def problem(answer: Response) -> tuple[str, str]:
    said = answer.json()
    return said["code"], said["title"]


def test_a_deleted_video_accepts_no_captions_and_no_clips(
    client: TestClient, services: Services, full_video: None, person: Callable[..., Person], token: dict[str, str]
) -> None:
    admin = person(Role.ADMIN)
    client.delete(f"{VIDEOS}/{ONE}", params={"objects": "keep"}, headers=admin.cookie)
    item = {"start": "1", "end": "3", "title": "Gulls", "reference": "r2"}
    asked = [
        client.put(f"{VIDEOS}/{ONE}/captions/fr", content=b"WEBVTT\n\n00:01.000 --> 00:02.000\nSalut\n", headers=token),
        client.delete(f"{VIDEOS}/{ONE}/captions/de", headers=admin.cookie),
        client.post(f"{VIDEOS}/{ONE}/identified", json={"items": [item]}, headers=token),
        client.post(f"{VIDEOS}/{ONE}/exported", json={"items": []}, headers=token),
        client.patch(f"{VIDEOS}/{ONE}/identified/clip_1", json={"title": "Gulls"}, headers=admin.cookie),
        client.delete(f"{VIDEOS}/{ONE}/identified/clip_1", headers=admin.cookie),
    ]
    assert [answer.status_code for answer in asked] == [409, 404, 409, 409, 404, 404]
    assert {answer.json()["code"] for answer in asked if answer.status_code == 409} == {"video_deleted"}
