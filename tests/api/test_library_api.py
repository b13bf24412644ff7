"""The library over HTTP: titles, tags, archiving, deleting and restoring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry, Video
from clipviewer.domain.permissions import Role
from clipviewer.services import work
from clipviewer.services.container import Services
from tests.api.people import session_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
VIDEOS = "/api/clips/videos"
ONE = f"{VIDEOS}/video_1"


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    """An admin's client, with two videos."""
    with services.database.write() as db:
        db.add(Video(id="video_1", title="Harbour", s3_key="one.mp4", previews={"etag": "x"}))
        db.add(Video(id="video_2", title="Quay", s3_key="two.mp4"))
    with TestClient(create_api(services), base_url="http://clips.test", headers=session_of(services, Role.ADMIN)) as client:
        yield client


def listed(client: TestClient, **asked: str) -> list[str]:
    page = client.get(VIDEOS, params=asked).json()
    assert page["total"] == len(page["videos"])
    return [video["title"] for video in page["videos"]]


def test_a_change_keeps_fields_that_it_does_not_name(client: TestClient, services: Services) -> None:
    changed = client.patch(ONE, json={"tags": ["Boats", "dawn"]}).json()
    assert (changed["title"], changed["tags"], changed["archivedAt"]) == ("Harbour", ["boats", "dawn"], None)
    changed = client.patch(ONE, json={"title": "Pier", "archived": True}).json()
    assert (changed["title"], changed["tags"], changed["deletedAt"]) == ("Pier", ["boats", "dawn"], None)
    assert client.get(ONE).json() == changed
    assert changed["archivedAt"].endswith("Z")
    assert (listed(client), listed(client, filter="archived"), listed(client, filter="archived", tag="dawn")) == (
        ["Quay"],
        ["Pier"],
        ["Pier"],
    )
    assert client.patch(ONE, json={}).json() == changed
    with services.database.read() as db:
        entries = db.exec(select(AuditEntry).where(AuditEntry.subject == "video_1")).all()
    assert sorted(entry.action for entry in entries) == ["video_archived", "video_renamed", "video_tagged"]
    assert {entry.address for entry in entries} == {"testclient"}


@pytest.mark.parametrize("body", [{"title": ""}, {"title": " "}, {"tags": ["a,b"]}, {"tags": "boats"}, {"archived": "perhaps"}])
def test_an_invalid_change_is_refused_as_a_whole(client: TestClient, body: dict[str, object]) -> None:
    answer = client.patch(ONE, json={"archived": True, **body})
    assert answer.status_code == 422, answer.text
    assert listed(client, sort="title") == ["Harbour", "Quay"]


def test_deleting_requires_a_choice_for_the_objects(client: TestClient) -> None:
    assert client.delete(ONE).status_code == 422
    assert client.delete(ONE, params={"objects": "some"}).status_code == 422
    assert listed(client, sort="title") == ["Harbour", "Quay"]


def test_a_deleted_video_is_hidden_and_can_be_restored(client: TestClient, services: Services) -> None:
    gone = client.delete(ONE, params={"objects": "all"}).json()
    assert gone["deletedAt"].endswith("Z")
    assert (listed(client), listed(client, filter="deleted")) == (["Quay"], ["Harbour"])
    assert client.patch(ONE, json={"title": "Pier"}).status_code == 409
    assert client.post(f"{ONE}/restore").json()["deletedAt"] is None
    assert listed(client, sort="title") == ["Harbour", "Quay"]
    with services.database.read() as db:
        assert work.unfinished_work(db) == []


def test_a_deleted_video_is_removed_at_once_on_request(client: TestClient, services: Services) -> None:
    client.delete(ONE, params={"objects": "keep", "now": "true"})
    with services.database.read() as db:
        assert [(item.kind, item.subject) for item in work.unfinished_work(db)] == [("remove", "video_1")]


def test_reviewers_change_and_only_admins_delete(client: TestClient, services: Services) -> None:
    reviewer, viewer = session_of(services, Role.REVIEWER), session_of(services, Role.VIEWER)
    assert client.patch(ONE, json={"title": "Pier"}, headers=viewer).status_code == 403
    assert client.patch(ONE, json={"title": "Pier"}, headers=reviewer).status_code == 200
    assert client.delete(ONE, params={"objects": "keep"}, headers=reviewer).status_code == 403
    assert client.post(f"{ONE}/restore", headers=reviewer).status_code == 403


def test_a_filmstrip_comes_as_signed_sheets_with_what_is_on_each(client: TestClient, services: Services) -> None:
    sheets = [{"key": f"previews/video_2/e/filmstrip-{n}.webp", "columns": 10, "count": count} for n, count in ((1, 100), (2, 11))]
    with services.database.write() as db:
        db.get_one(Video, "video_2").previews = {"etag": "x", "sheets": sheets, "picture": {"width": 160, "height": 90}}
    strip = client.get(f"{VIDEOS}/video_2/filmstrip").json()
    assert (strip["width"], strip["height"]) == (160, 90)
    assert [(sheet["columns"], sheet["rows"], sheet["count"]) for sheet in strip["sheets"]] == [(10, 10, 100), (10, 2, 11)]
    assert all(f"{sheet['key']}?X-Amz-" in signed["url"] for sheet, signed in zip(sheets, strip["sheets"], strict=True))
    assert strip["expiresAt"].endswith("Z")
    assert client.get(f"{ONE}/filmstrip").status_code == 404
    assert client.get(f"{VIDEOS}/video_none/filmstrip").status_code == 404
