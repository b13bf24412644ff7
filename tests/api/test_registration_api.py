import dataclasses
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry, ExportedClip, Video
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.library.row_writer import Status
from clipviewer.storage.s3 import ObjectStore
from tests.api.people import session_of, token_of
from tests.api.stores import running_bucket

VIDEOS = "/api/clips/videos"
EXPORTED = f"{VIDEOS}/video_1/exported"
IDENTIFIED = f"{VIDEOS}/video_1/identified"
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """The master ``new.mp4``, its poster, ``c/0.mp4`` to ``c/9.mp4``, and the captions ``c/1.vtt``."""
    with running_bucket("a secret key that only this bucket has", tmp_path_factory.mktemp("store")) as store:
        for key in ("new.mp4", "poster.jpg", "c/1.vtt", *(f"c/{number}.mp4" for number in range(10))):
            store.put(key, key.encode(), "video/mp4")
        yield store


@pytest.fixture
def stocked(services: Services, bucket: ObjectStore) -> Services:
    """The services over that bucket, with two videos in the database."""
    with services.database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4"))
        db.add(Video(id="video_2", title="Two", s3_key="two.mp4"))
    return dataclasses.replace(services, store=bucket)


@pytest.fixture
def client(stocked: Services) -> Iterator[TestClient]:
    with TestClient(create_api(stocked), base_url="http://clips.test", headers=token_of(stocked)) as client:
        yield client


def clip(key: str, **fields: Any) -> dict[str, Any]:
    return {"s3Key": key, "start": "1.5", "end": "2.25", "aspectRatio": "9:16", "targetLanguage": "en", **fields}


def outcomes(answer: Any, name: str = "s3Key") -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return [(result[name], result["status"]) for result in answer.json()["results"]]


def test_a_video_is_registered_once_and_then_brought_up_to_date(client: TestClient) -> None:
    first = client.post(VIDEOS, json={"s3Key": "new.mp4"})
    again = client.post(VIDEOS, json={"s3Key": "new.mp4"})
    full = {"s3Key": "new.mp4", "title": "Match", "posterKey": "poster.jpg", "duration": "3600.04", "width": 1920, "height": 1080}
    better = client.post(VIDEOS, json={**full, "frameRate": "30000/1001"})
    assert [(answer.status_code, answer.json()["status"]) for answer in (first, again, better)] == [
        (201, "created"),
        (200, "unchanged"),
        (200, "updated"),
    ]
    assert len({answer.json()["id"] for answer in (first, again, better)}) == 1


@pytest.mark.parametrize("body", [{"s3Key": "gone.mp4"}, {"s3Key": "new.mp4", "posterKey": "gone.jpg"}])
def test_a_video_that_is_not_in_the_bucket_is_refused(client: TestClient, body: dict[str, str]) -> None:
    answer = client.post(VIDEOS, json=body)
    assert answer.status_code == 404
    assert answer.json()["code"] == "object_missing"
    assert "gone." in answer.json()["detail"]


def test_each_exported_clip_has_its_own_result_in_the_order_of_the_request(client: TestClient) -> None:
    client.post(f"{VIDEOS}/video_2/exported", json={"items": [clip("c/9.mp4")]})
    items = [
        clip("c/1.mp4"),
        clip("gone.mp4"),
        clip("c/2.mp4", end="1.5"),
        clip("../c/2.mp4"),
        clip("c/9.mp4"),
        "not an item",
        clip("c/2.mp4", aspectRatio="4:3"),
        clip("c/2.mp4", targetLanguage="English"),
        clip("c/2.mp4", start="-1"),
        clip("c/2.mp4", title="a\0b"),
        {"s3Key": "c/3.mp4"},
        clip("c/2.mp4"),
        clip("c/1.mp4"),
    ]
    answer = client.post(EXPORTED, json={"items": items})
    assert outcomes(answer) == [
        ("c/1.mp4", "created"),
        ("gone.mp4", "missing"),
        ("c/2.mp4", "invalid"),
        ("../c/2.mp4", "invalid"),
        ("c/9.mp4", "conflict"),
        ("", "invalid"),
        ("c/2.mp4", "invalid"),
        ("c/2.mp4", "invalid"),
        ("c/2.mp4", "invalid"),
        ("c/2.mp4", "invalid"),
        ("c/3.mp4", "invalid"),
        ("c/2.mp4", "created"),
        ("c/1.mp4", "invalid"),
    ]
    details = [result["detail"] for result in answer.json()["results"]]
    assert details[2] == "end must be later than start."
    assert details[3] == "s3Key: the key must not contain empty, . or .. segments."
    assert details[0] == ""


def captions_key(services: Services, key: str) -> str | None:
    with services.database.read() as db:
        return db.exec(select(ExportedClip).where(ExportedClip.s3_key == key)).one().captions_key


@on_sqlite
def test_captions_of_a_pipeline_are_adopted_with_its_clip_and_stay_when_they_are_left_out(client: TestClient, stocked: Services) -> None:
    assert outcomes(client.post(EXPORTED, json={"items": [clip("c/1.mp4"), clip("c/2.mp4")]}))[0] == ("c/1.mp4", "created")
    captioned = {"items": [clip("c/1.mp4", captionsKey="c/1.vtt")]}
    assert outcomes(client.post(EXPORTED, json=captioned)) == [("c/1.mp4", "updated")]
    assert outcomes(client.post(EXPORTED, json=captioned)) == [("c/1.mp4", "unchanged")]
    assert outcomes(client.post(EXPORTED, json={"items": [clip("c/1.mp4")]})) == [("c/1.mp4", "unchanged")]
    assert (captions_key(stocked, "c/1.mp4"), captions_key(stocked, "c/2.mp4")) == ("c/1.vtt", None)


@on_sqlite
def test_a_captions_key_obeys_the_rules_for_object_keys(client: TestClient) -> None:
    client.post(VIDEOS, json={"s3Key": "new.mp4"})
    client.post(EXPORTED, json={"items": [clip("c/5.mp4")]})
    keys = ["gone.vtt", "../c/1.vtt", "new.mp4", "c/5.mp4", "", 7]
    items = [clip(f"c/{number}.mp4", captionsKey=key) for number, key in enumerate(keys)]
    answer = client.post(EXPORTED, json={"items": items})
    assert [status for _, status in outcomes(answer)] == ["missing", *["invalid"] * 5]
    details = [result["detail"] for result in answer.json()["results"]]
    assert [detail.split(" ")[0].rstrip(":") for detail in details[1:]] == ["captionsKey"] * 5


def test_a_registered_clip_can_be_listed_and_downloaded(client: TestClient, stocked: Services) -> None:
    (result,) = client.post(EXPORTED, json={"items": [clip("c/1.mp4", title="The goal")]}).json()["results"]
    with TestClient(create_api(stocked), headers=session_of(stocked)) as reader:
        (listed,) = reader.get(EXPORTED).json()
        answer = reader.post(f"{VIDEOS}/video_1/download", json={"s3Key": "c/1.mp4"})
    assert (listed["id"], listed["title"], listed["size"], listed["start"]) == (result["id"], "The goal", 7, "1.500")
    assert answer.status_code == 200


def test_the_same_request_again_changes_nothing(client: TestClient, stocked: Services) -> None:
    items = {"items": [clip(f"c/{number}.mp4") for number in range(10)]}
    assert {status for _, status in outcomes(client.post(EXPORTED, json=items))} == {"created"}
    assert {status for _, status in outcomes(client.post(EXPORTED, json=items))} == {"unchanged"}
    stocked.store.put("c/4.mp4", uuid4().bytes, "video/mp4")
    changed = [key for key, status in outcomes(client.post(EXPORTED, json=items)) if status == "updated"]
    assert changed == ["c/4.mp4"]


def test_candidates_are_registered_by_reference(client: TestClient) -> None:
    items = [
        {"start": "1", "end": "2.5", "reference": "a", "title": "The goal", "score": 87, "scoreParts": {"cheers": 0.5}},
        {"start": 3, "end": 4},
        {"start": "5", "end": "4"},
        {"start": "5", "end": "6", "score": "high"},
    ]
    assert outcomes(client.post(IDENTIFIED, json={"items": items}), "reference") == [
        ("a", "created"),
        ("3000-4000", "created"),
        ("", "invalid"),
        ("", "invalid"),
    ]
    assert [status for _, status in outcomes(client.post(IDENTIFIED, json={"items": items[:2]}), "reference")] == ["unchanged"] * 2


@on_sqlite
def test_infinite_scores_are_refused(client: TestClient) -> None:
    body = '{"items": [{"start": "1", "end": "2", "score": NaN}, {"start": "1", "end": "2", "score": 1e999}]}'
    answer = client.post(IDENTIFIED, content=body, headers={"content-type": "application/json"})
    assert [status for _, status in outcomes(answer, "reference")] == ["invalid", "invalid"]


def test_fields_that_the_product_decides_are_refused(client: TestClient) -> None:
    decided = {"id": "clip_mine", "videoId": "video_2", "size": 1, "etag": "x", "video_id": "video_2", "createdAt": "1970-01-01"}
    answer = client.post(EXPORTED, json={"items": [clip("c/1.mp4", **decided)]})
    assert answer.status_code == 422
    assert {place["location"] for place in answer.json()["errors"]} == {f"items.0.{name}" for name in decided}


@on_sqlite
@pytest.mark.parametrize("route", [EXPORTED, IDENTIFIED])
@pytest.mark.parametrize("items", [None, {}, "x", [{}] * 10_001])
def test_a_body_that_is_not_a_list_of_at_most_ten_thousand_is_invalid(client: TestClient, route: str, items: object) -> None:
    assert client.post(route, json={"items": items}).status_code == 422


@pytest.mark.parametrize("tail", ["exported", "identified"])
@pytest.mark.parametrize("video_id", ["video_nobody", "video_1%00", "clip_1"])
def test_nothing_is_registered_for_an_unknown_video_over_http(client: TestClient, video_id: str, tail: str) -> None:
    item = clip("c/1.mp4") if tail == "exported" else {"start": "1", "end": "2"}
    answer = client.post(f"{VIDEOS}/{video_id}/{tail}", json={"items": [item]})
    assert answer.status_code == 404
    assert answer.json()["code"] == "video_not_found"


BODIES = [(VIDEOS, {"s3Key": "new.mp4"}), (EXPORTED, {"items": [clip("c/1.mp4")]}), (IDENTIFIED, {"items": [{"start": "1", "end": "2"}]})]


@pytest.mark.parametrize(("route", "body"), BODIES)
def test_only_pipelines_and_admins_register(stocked: Services, route: str, body: dict[str, Any]) -> None:
    with TestClient(create_api(stocked), base_url="http://clips.test") as client:
        assert client.post(route, json=body).status_code == 401
        assert client.post(route, json=body, headers={"authorization": "Bearer cv_nonsense"}).status_code == 401
        assert client.post(route, json=body, headers=session_of(stocked, Role.VIEWER)).status_code == 403
        assert client.post(route, json=body, headers=session_of(stocked, Role.REVIEWER)).status_code == 403
        assert client.post(route, json=body, headers=session_of(stocked, Role.ADMIN)).status_code in (200, 201)
        assert client.post(route, json=body, headers=token_of(stocked)).status_code == 200


def test_every_registration_is_audited(client: TestClient, stocked: Services) -> None:
    for route, body in BODIES:
        client.post(route, json=body)
    with stocked.database.read() as db:
        entries = db.exec(select(AuditEntry).where(AuditEntry.action == "register")).all()
    assert sorted((entry.details["kind"], entry.details["count"]) for entry in entries) == [
        ("exported", 1),
        ("identified", 1),
        ("video", 1),
    ]
    assert all(entry.actor.startswith("token_") for entry in entries)


@on_sqlite
def test_what_a_person_decided_stays_and_the_answer_says_so(client: TestClient, stocked: Services) -> None:
    person, new = session_of(stocked, Role.ADMIN), {"s3Key": "new.mp4", "title": "Match"}
    items = {"items": [{"start": "1", "end": "2", "reference": name, "title": "Goal", "score": 5} for name in ("a", "b", "c")]}
    video = client.post(VIDEOS, json=new).json()["id"]
    path = f"{VIDEOS}/{video}"
    changed, removed, _ = (result["id"] for result in client.post(f"{path}/identified", json=items).json()["results"])
    with TestClient(create_api(stocked), base_url="http://clips.test", headers=person) as someone:
        assert someone.patch(path, json={"title": "The final"}).status_code == 200
        assert someone.patch(f"{path}/identified/{changed}", json={"title": "Mine"}).status_code == 200
        assert someone.delete(f"{path}/identified/{removed}").status_code == 204
        video_again = client.post(VIDEOS, json=new)
        again = client.post(f"{path}/identified", json=items)
        listed = {clip["reference"]: clip["title"] for clip in someone.get(f"{path}/identified").json()}
        videos = {row["s3Key"]: row["title"] for row in someone.get(VIDEOS).json()["videos"]}
    assert (video_again.status_code, video_again.json()["status"]) == (200, "kept")
    assert video_again.json()["detail"] == "A person has changed the title: that stays."
    assert outcomes(again, "reference") == [("a", "kept"), ("b", "removed"), ("c", "unchanged")]
    assert [bool(result["detail"]) for result in again.json()["results"]] == [True, True, False]
    assert listed == {"a": "Mine", "c": "Goal"}
    assert videos["new.mp4"] == "The final"
    refused = client.patch(f"{path}/identified/{changed}", json={"title": "Goal"})
    assert (refused.status_code, refused.json()["code"]) == (409, "changed_by_person")


@on_sqlite
def test_a_deleted_video_is_refused_with_what_to_do(client: TestClient, stocked: Services) -> None:
    video = client.post(VIDEOS, json={"s3Key": "new.mp4"}).json()["id"]
    with TestClient(create_api(stocked), base_url="http://clips.test", headers=session_of(stocked, Role.ADMIN)) as person:
        person.delete(f"{VIDEOS}/{video}", params={"objects": "keep"})
        refused = client.post(VIDEOS, json={"s3Key": "new.mp4", "title": "Match"})
        assert (refused.status_code, refused.json()["code"]) == (409, "video_deleted")
        assert "Restore it under Recently deleted in the library" in refused.json()["detail"]
        person.post(f"{VIDEOS}/{video}/restore")
    assert client.post(VIDEOS, json={"s3Key": "new.mp4", "title": "Match"}).json()["status"] == "updated"


@on_sqlite
def test_each_status_of_a_registration_is_documented(client: TestClient, stocked: Services) -> None:
    schemas = create_api(stocked).openapi()["components"]["schemas"]
    assert schemas["Status"]["enum"] == [status.value for status in Status]
    for name in ("RegisteredVideo", "IdentifiedResult", "ExportedResult"):
        text = schemas[name]["properties"]["status"]["description"]
        assert [status.value for status in Status if f"`{status.value}`" not in text] == []


@on_sqlite
def test_an_unreachable_store_is_reported_to_the_caller(services: Services) -> None:
    with TestClient(create_api(services), base_url="http://clips.test", headers=token_of(services)) as client:
        answer = client.post(VIDEOS, json={"s3Key": "new.mp4"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "storage_unreachable"
