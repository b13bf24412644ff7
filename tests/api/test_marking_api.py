"""Identified clips over HTTP, one at a time: marked, partly changed, removed, each with an audit entry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry, IdentifiedClip, Video
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from tests.api.people import session_of, token_of

CLIPS = "/api/clips/videos/video_1/identified"


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    """A reviewer's client, with a video of ten seconds at 29.97 frames per second that has one candidate, and another video."""
    with services.database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4", duration_ms=10_010, frame_rate="30000/1001"))
        db.add(Video(id="video_2", title="Two", s3_key="two.mp4"))
        db.flush()
        db.add(IdentifiedClip(id="clip_1", video_id="video_1", reference="a", start_ms=1_010, end_ms=2_020, title="Was", score=7))
    with TestClient(create_api(services), base_url="http://clips.test", headers=session_of(services, Role.REVIEWER)) as client:
        yield client


def test_a_marked_clip_is_returned_as_stored(client: TestClient, services: Services) -> None:
    made = client.post(f"{CLIPS}/marked", json={"start": "3.01", "end": "4.99", "title": "The goal"})
    assert made.status_code == 201, made.text
    clip = made.json()
    assert (clip["start"], clip["end"], clip["title"], clip["origin"]) == ("3.003", "5.005", "The goal", "marked")
    assert [one["id"] for one in client.get(CLIPS).json()] == ["clip_1", clip["id"]]
    with services.database.read() as db:
        entry = db.exec(select(AuditEntry).where(AuditEntry.action == "clip_marked")).one()
    assert (entry.subject, entry.address, entry.details) == (clip["id"], "testclient", {"video": "video_1"})


def test_a_change_keeps_fields_that_it_does_not_name(client: TestClient, services: Services) -> None:
    named = client.patch(f"{CLIPS}/clip_1", json={"title": "Is"}).json()
    assert (named["start"], named["end"], named["title"], named["score"]) == ("1.010", "2.020", "Is", 7)
    moved = client.patch(f"{CLIPS}/clip_1", json={"end": 3, "title": None}).json()
    assert (moved["start"], moved["end"], moved["title"]) == ("1.001", "3.003", "Is")
    with services.database.read() as db:
        assert db.get_one(IdentifiedClip, "clip_1").touched_at is not None
        assert len(db.exec(select(AuditEntry).where(AuditEntry.action == "clip_changed")).all()) == 2


@pytest.mark.parametrize("body", [{"start": "5", "end": "5.1"}, {"end": "0.5"}, {"start": "99"}, {"start": "soon"}, {"title": 3}, []])
def test_an_invalid_change_to_a_clip_is_refused_and_changes_nothing(client: TestClient, body: object) -> None:
    assert client.patch(f"{CLIPS}/clip_1", json=body).status_code == 422
    assert [(one["start"], one["title"]) for one in client.get(CLIPS).json()] == [("1.010", "Was")]


def test_fields_that_are_not_for_people_are_refused(client: TestClient) -> None:
    before = client.get(CLIPS).json()
    for name, value in {"id": "clip_2", "videoId": "video_2", "score": 99, "origin": "marked"}.items():
        assert client.patch(f"{CLIPS}/clip_1", json={"title": "Mine", name: value}).status_code == 422
    assert client.get(CLIPS).json() == before


def test_a_removed_clip_is_gone(client: TestClient, services: Services) -> None:
    assert client.delete(f"{CLIPS}/clip_1").status_code == 204
    assert client.get(CLIPS).json() == []
    assert client.delete(f"{CLIPS}/clip_1").status_code == 404
    with services.database.read() as db:
        assert db.exec(select(AuditEntry).where(AuditEntry.action == "clip_removed")).one().subject == "clip_1"


def test_a_clip_of_another_video_is_unknown(client: TestClient) -> None:
    elsewhere = CLIPS.replace("video_1", "video_2")
    unknown = [client.patch(f"{CLIPS}/clip_9", json={"title": "Is"}), client.delete(f"{CLIPS}/clip_9")]
    others = [client.patch(f"{elsewhere}/clip_1", json={"title": "Is"}), client.delete(f"{elsewhere}/clip_1")]
    assert [(one.status_code, one.json()) for one in others] == [(one.status_code, one.json()) for one in unknown]
    assert {one.status_code for one in others} == {404}
    assert client.post("/api/clips/videos/video_9/identified/marked", json={"start": 1, "end": 2}).status_code == 404


def test_a_pipeline_may_remove_its_candidate(client: TestClient, services: Services) -> None:
    answer = client.delete(f"{CLIPS}/clip_1", headers={"Cookie": "", **token_of(services)})
    assert answer.status_code == 204, answer.text
    with services.database.read() as db:
        assert db.exec(select(AuditEntry).where(AuditEntry.action == "clip_removed")).one().actor.startswith("token_")
