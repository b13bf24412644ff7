"""Captions through the API: attach, list, slice, remove, extract from the master, translate, and read those of an export."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlmodel import select

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry, ExportedClip, Video
from clipviewer.domain.permissions import Role
from clipviewer.media.captions.reading import MAX_BYTES
from clipviewer.services.container import Services
from clipviewer.storage.s3 import ObjectStore
from tests.api.conftest import Person
from tests.api.stores import running_bucket

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CAPTIONS = "/api/clips/videos/video_1/captions"
VTT = b"WEBVTT\n\n00:01.000 --> 00:03.000\nHello <b>there</b>\n\n00:05.000 --> 00:06.000\nBye\n"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """Captions beside two exports, one WebVTT and one SubRip from a pipeline, and an unrelated file."""
    with running_bucket("a secret key that only this bucket has", tmp_path_factory.mktemp("store")) as store:
        store.put("exports/1.vtt", b"WEBVTT\n", "text/vtt")
        store.put("made/2.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "text/plain")
        store.put("made/3.vtt", b"<script>alert(1)</script>", "text/html")
        yield store


@pytest.fixture
def stocked(services: Services, bucket: ObjectStore) -> Services:
    with services.database.write() as db:
        for number in (1, 2):
            db.add(Video(id=f"video_{number}", title="Talk", s3_key=f"talk{number}.mp4"))
        db.flush()
        keys = ("exports/1.vtt", "made/2.srt", "made/3.vtt", "made/gone.vtt", None)
        for number, key in enumerate(keys, 1):
            clip = ExportedClip(
                id=f"clip_{number}", video_id="video_1", start_ms=0, end_ms=1, title="", s3_key=f"{number}.mp4", aspect_ratio="9:16",
                target_language="en", captions_key=key,
            )  # fmt: skip
            db.add(clip)
    return dataclasses.replace(services, store=bucket)


@pytest.fixture
def client(stocked: Services) -> Iterator[TestClient]:
    with TestClient(create_api(stocked), base_url="http://clips.test") as client:
        yield client


@pytest.fixture
def reviewer(person: Callable[..., Person]) -> dict[str, str]:
    return person(Role.REVIEWER).cookie


def put(client: TestClient, headers: dict[str, str], language: str = "en", data: bytes = VTT, **query: str) -> Any:
    return client.put(f"{CAPTIONS}/{language}", content=data, params=query, headers=headers)


def actions(services: Services) -> list[tuple[str, str]]:
    with services.database.read() as db:
        entries = db.exec(select(AuditEntry).order_by("at")).all()
    return [(entry.action, entry.actor) for entry in entries if entry.action.startswith("captions_")]


def test_a_file_is_attached_listed_read_and_removed_and_each_step_is_audited(
    client: TestClient, stocked: Services, person: Callable[..., Person]
) -> None:
    kim = person(Role.REVIEWER)
    answer = put(client, kim.cookie, name="Talk, final.vtt")
    assert answer.status_code == 200
    made = answer.json()
    assert made.pop("status") == "created"
    assert (made["language"], made["name"], made["origin"], made["cues"]) == ("en", "Talk, final.vtt", "uploaded", 2)
    assert client.get(CAPTIONS, headers=kim.cookie).json() == {"captions": [made]}
    text = client.get(f"{CAPTIONS}/en", headers=kim.cookie)
    assert text.headers["content-type"] == "text/vtt; charset=utf-8"
    assert text.headers["cache-control"] == "no-store"
    assert text.text == "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nHello there\n\n00:00:05.000 --> 00:00:06.000\nBye\n"
    assert client.delete(f"{CAPTIONS}/en", headers=kim.cookie).status_code == 204
    assert client.delete(f"{CAPTIONS}/en", headers=kim.cookie).status_code == 404
    assert client.get(CAPTIONS, headers=kim.cookie).json() == {"captions": []}
    assert actions(stocked) == [("captions_attached", kim.id), ("captions_removed", kim.id)]


def test_captions_that_a_person_chose_or_removed_stay_whatever_a_pipeline_sends(
    client: TestClient, reviewer: dict[str, str], token: dict[str, str]
) -> None:
    def send(text: str) -> Response:
        return client.put(f"{CAPTIONS}/en", content=f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n", headers=token)

    first, again = send("Sent").json(), send("Sent").json()
    assert (first.pop("status"), again.pop("status"), again) == ("created", "unchanged", first)
    mine = put(client, reviewer).json()
    kept = send("Sent").json()
    assert (mine.pop("status"), kept.pop("status"), kept) == ("updated", "kept", mine)
    client.delete(f"{CAPTIONS}/en", headers=reviewer)
    refused = send("Sent")
    assert (refused.status_code, refused.json()["code"]) == (409, "removed_by_person")


def test_a_part_of_the_captions_starts_with_its_own_time(client: TestClient, reviewer: dict[str, str]) -> None:
    put(client, reviewer)
    part = client.get(f"{CAPTIONS}/en", params={"start": "2.5", "end": "5.25"}, headers=reviewer)
    assert part.text == "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nHello there\n\n00:00:02.500 --> 00:00:02.750\nBye\n"
    assert client.get(f"{CAPTIONS}/en", params={"end": "0.5"}, headers=reviewer).text == "WEBVTT\n"


@pytest.mark.parametrize("query", [{"start": "5", "end": "5"}, {"start": "-1"}, {"end": "soon"}, {"end": "0"}])
def test_an_invalid_range_is_refused(client: TestClient, reviewer: dict[str, str], query: dict[str, str]) -> None:
    put(client, reviewer)
    assert client.get(f"{CAPTIONS}/en", params=query, headers=reviewer).status_code == 422


def test_a_pipeline_attaches_captions_by_its_token_and_nothing_else(client: TestClient, stocked: Services, token: dict[str, str]) -> None:
    assert put(client, token, "original", b"1\n00:00:01,000 --> 00:00:02,000\nHi\n").json()["language"] == "original"
    assert client.delete(f"{CAPTIONS}/original", headers=token).status_code == 401
    ((action, actor),) = actions(stocked)
    assert (action, actor.startswith("token_")) == ("captions_attached", True)


@pytest.mark.parametrize(
    ("language", "data", "code", "words"),
    [
        ("English", VTT, "invalid", "pt-BR"),
        ("en", b"", "captions_unreadable", "neither WebVTT nor SubRip"),
        ("en", b"\xff\xfe\xff", "captions_unreadable", "UTF-8"),
        ("en", b" " * (MAX_BYTES + 1), "captions_unreadable", "5 MB"),
    ],
)
def test_an_invalid_caption_file_is_refused_with_what_to_do(
    client: TestClient, reviewer: dict[str, str], language: str, data: bytes, code: str, words: str
) -> None:
    answer = put(client, reviewer, language, data)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert words in answer.json()["detail"]
    assert client.get(CAPTIONS, headers=reviewer).json() == {"captions": []}


def test_an_endless_body_is_not_read_to_the_end(client: TestClient, reviewer: dict[str, str]) -> None:
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        while sent < 20 * MAX_BYTES:
            sent += 100_000
            yield b" " * 100_000

    assert client.put(f"{CAPTIONS}/en", content=flood(), headers=reviewer).status_code == 422


def test_captions_of_another_or_no_video_are_not_found(client: TestClient, reviewer: dict[str, str]) -> None:
    put(client, reviewer)
    for video, status in (("video_2", 404), ("video_none", 404)):
        path = f"/api/clips/videos/{video}/captions"
        assert client.get(f"{path}/en", headers=reviewer).status_code == status
        assert client.delete(f"{path}/en", headers=reviewer).status_code == status
    assert client.put("/api/clips/videos/video_none/captions/en", content=VTT, headers=reviewer).status_code == 404


def test_a_viewer_reads_captions_but_changes_none(client: TestClient, reviewer: dict[str, str], person: Callable[..., Person]) -> None:
    put(client, reviewer)
    viewer = person(Role.VIEWER).cookie
    assert client.get(f"{CAPTIONS}/en", headers=viewer).status_code == 200
    assert put(client, viewer).status_code == 403
    assert client.delete(f"{CAPTIONS}/en", headers=viewer).status_code == 403
    for path in ("find", "de/translate"):
        assert client.post(f"{CAPTIONS}/{path}", json={}, headers=viewer).status_code == 403


def test_without_a_translation_service_the_answer_names_the_setting(client: TestClient, reviewer: dict[str, str]) -> None:
    put(client, reviewer)
    answer = client.post(f"{CAPTIONS}/de/translate", json={"from": "en"}, headers=reviewer)
    assert answer.status_code == 409
    assert "CLIPVIEWER_TRANSLATE_URL" in answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"from": "English"}'])
def test_a_translation_without_a_source_is_refused(client: TestClient, reviewer: dict[str, str], body: bytes) -> None:
    assert client.post(f"{CAPTIONS}/de/translate", content=body, headers=reviewer).status_code == 422


@pytest.mark.parametrize(
    ("clip_id", "status", "text"),
    [
        ("clip_1", 200, "WEBVTT\n"),
        ("clip_2", 200, "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHi\n"),
        ("clip_3", 422, None),
        ("clip_4", 404, None),
        ("clip_5", 404, None),
        ("clip_none", 404, None),
    ],
)
def test_the_captions_of_an_export_come_as_webvtt_whatever_lies_in_the_bucket(
    client: TestClient, reviewer: dict[str, str], clip_id: str, status: int, text: str | None
) -> None:
    answer = client.get(f"/api/clips/videos/video_1/exported/{clip_id}/captions", headers=reviewer)
    assert answer.status_code == status
    if text is not None:
        assert (answer.headers["content-type"], answer.text) == ("text/vtt; charset=utf-8", text)
    assert client.get(f"/api/clips/videos/video_2/exported/{clip_id}/captions", headers=reviewer).status_code == 404
