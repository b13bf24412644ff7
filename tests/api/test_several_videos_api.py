"""One request changes several videos: all of them or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry, Video
from clipviewer.domain.permissions import Role
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.services.library.tags import tags_by_video
from tests.api.people import session_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
VIDEOS = "/api/clips/videos"
BOTH = ["video_1", "video_2"]


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    """An admin's client, with three videos."""
    with services.database.write() as db:
        for number in (1, 2, 3):
            db.add(Video(id=f"video_{number}", title=f"Film {number}", s3_key=f"{number}.mp4", previews={"etag": "x"}))
    with TestClient(create_api(services), base_url="http://clips.test", headers=session_of(services, Role.ADMIN)) as client:
        yield client


def tags(services: Services) -> dict[str, list[str]]:
    with services.database.read() as db:
        return tags_by_video(db, ["video_1", "video_2", "video_3"])


def listed(client: TestClient, which: str) -> list[str]:
    return sorted(video["id"] for video in client.get(VIDEOS, params={"filter": which}).json()["videos"])


def audited(services: Services) -> list[tuple[str, str, str]]:
    with services.database.read() as db:
        return sorted((entry.action, entry.subject, entry.address) for entry in db.exec(select(AuditEntry)))


def test_several_videos_are_tagged_archived_and_restored(client: TestClient, services: Services) -> None:
    client.patch(f"{VIDEOS}/video_1", json={"tags": ["boats"]})
    answer = client.patch(VIDEOS, json={"ids": BOTH, "addTags": ["Dawn", "boats"], "archived": True})
    assert (answer.status_code, answer.json()) == (200, {"changed": BOTH, "cancelled": 0})
    assert (tags(services), listed(client, "archived")) == ({"video_1": ["boats", "dawn"], "video_2": ["boats", "dawn"]}, BOTH)
    again = client.patch(VIDEOS, json={"ids": BOTH, "addTags": ["dawn"], "archived": True})
    assert again.json() == {"changed": [], "cancelled": 0}
    mixed = client.patch(
        VIDEOS, json={"ids": ["video_3", *BOTH, "video_3"], "removeTags": ["BOATS"], "addTags": ["dusk"], "archived": False}
    )
    assert mixed.json()["changed"] == ["video_3", *BOTH]
    assert tags(services) == {"video_1": ["dawn", "dusk"], "video_2": ["dawn", "dusk"], "video_3": ["dusk"]}
    assert listed(client, "archived") == []
    assert client.patch(VIDEOS, json={"ids": BOTH}).json()["changed"] == []


def test_each_video_has_its_own_line_in_the_audit_log(client: TestClient, services: Services) -> None:
    client.patch(VIDEOS, json={"ids": BOTH, "addTags": ["dawn"], "archived": True})
    client.post(f"{VIDEOS}/delete", json={"ids": BOTH, "objects": "keep"})
    client.post(f"{VIDEOS}/restore", json={"ids": BOTH})
    actions = ("video_archived", "video_deleted", "video_restored", "video_tagged")
    assert audited(services) == [(action, video, "testclient") for action in actions for video in BOTH]


def test_several_videos_are_deleted_and_restored(client: TestClient, services: Services) -> None:
    with services.database.write() as db:
        work.enqueue(db, "find", "video_2", video_id="video_2")
    assert client.post(f"{VIDEOS}/delete", json={"ids": BOTH, "objects": "exports"}).json() == {"changed": BOTH, "cancelled": 1}
    assert listed(client, "deleted") == BOTH
    assert client.post(f"{VIDEOS}/restore", json={"ids": ["video_3", "video_2"]}).json()["changed"] == ["video_2"]
    assert listed(client, "deleted") == ["video_1"]
    gone = client.post(f"{VIDEOS}/delete", json={"ids": BOTH, "objects": "keep", "now": True})
    assert gone.json()["changed"] == ["video_2"]
    with services.database.read() as db:
        assert sorted((item.kind, item.subject) for item in work.unfinished_work(db)) == [("remove", video) for video in BOTH]


@pytest.mark.parametrize(
    ("ids", "status", "detail"),
    [
        (["video_1", "video_none", "video_2", "video_gone"], 404, "video_none, video_gone"),
        (["video_1", "0"], 404, ""),
        (["video_1", "video_3"], 409, "video_3"),
        ([], 422, ""),
        ([f"video_{number}" for number in range(501)], 422, ""),
        ("video_1", 422, ""),
    ],
)
def test_one_invalid_video_leaves_all_unchanged(client: TestClient, services: Services, ids: Any, status: int, detail: str) -> None:
    client.delete(f"{VIDEOS}/video_3", params={"objects": "keep"})
    answer = client.patch(VIDEOS, json={"ids": ids, "addTags": ["dawn"], "archived": True})
    assert (answer.status_code, detail in answer.text) == (status, True), answer.text
    assert (tags(services), listed(client, "archived")) == ({}, [])
    if status != 409:
        for verb, more in (("delete", {"objects": "keep"}), ("restore", {})):
            assert client.post(f"{VIDEOS}/{verb}", json={"ids": ids, **more}).status_code == status
    assert listed(client, "deleted") == ["video_3"]


@pytest.mark.parametrize(
    "change", [{"addTags": ["a,b"]}, {"addTags": [str(n) for n in range(21)]}, {"removeTags": [""]}, {"archived": "soon"}]
)
def test_an_invalid_change_is_refused_as_a_whole(client: TestClient, services: Services, change: dict[str, Any]) -> None:
    assert client.patch(VIDEOS, json={"ids": BOTH, "archived": True, **change}).status_code == 422
    assert (tags(services), listed(client, "archived")) == ({}, [])


def test_deleting_several_requires_a_choice_for_the_objects(client: TestClient) -> None:
    for objects in ({}, {"objects": "some"}):
        assert client.post(f"{VIDEOS}/delete", json={"ids": BOTH, **objects}).status_code == 422
    assert listed(client, "deleted") == []


def test_reviewers_change_several_and_only_admins_delete_them(client: TestClient, services: Services) -> None:
    reviewer, viewer = session_of(services, Role.REVIEWER), session_of(services, Role.VIEWER)
    change = {"ids": BOTH, "addTags": ["dawn"]}
    assert client.patch(VIDEOS, json=change, headers=viewer).status_code == 403
    assert client.patch(VIDEOS, json=change, headers=reviewer).status_code == 200
    assert client.post(f"{VIDEOS}/delete", json={"ids": BOTH, "objects": "keep"}, headers=reviewer).status_code == 403
    assert client.post(f"{VIDEOS}/restore", json={"ids": BOTH}, headers=reviewer).status_code == 403
