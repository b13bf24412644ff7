import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlmodel import Session
from starlette.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.services.container import Services
from tests.api.people import session_of, token_of

MOMENT = datetime(2025, 10, 5, 12, 0, 0, 120_999, tzinfo=UTC)
ROUTES = ["", "/video_1", "/video_1/identified", "/video_1/identified/ranges", "/video_1/exported"]
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def add_footage(db: Session) -> None:
    db.add(
        Video(
            id="video_1",
            title="Match",
            s3_key="youtube-videos/uuid/master.mp4",
            size=3 * 2**30,
            duration_ms=3_600_040,
            width=1920,
            height=1080,
            frame_rate="30000/1001",
            poster_key="poster.jpg",
            created_at=MOMENT,
        )
    )
    db.flush()
    db.add(
        IdentifiedClip(
            id="clip_seen",
            video_id="video_1",
            reference="a",
            start_ms=125_007,
            end_ms=221_043,
            title="The goal",
            score=0.5,
            score_parts={"cheers": 0.5},
        )
    )
    db.flush()
    for number in (3, 1, 2):
        db.add(
            ExportedClip(
                id=f"clip_{number}",
                video_id="video_1",
                identified_clip_id="clip_seen",
                start_ms=125_007 * number,
                end_ms=221_043 * number,
                title=f"Goal {number}",
                s3_key=f"youtube-videos/uuid/exported/clip_{number}.mp4",
                size=2**32,
                aspect_ratio="9:16",
                target_language="en",
                created_at=MOMENT,
            )
        )


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with services.database.write() as db:
        add_footage(db)
    with TestClient(create_api(services), base_url="http://clips.test") as client:
        client.headers.update(session_of(services))
        yield client


def test_the_library_lists_videos_with_their_counts(client: TestClient) -> None:
    answer = client.get("/api/clips/videos")
    assert answer.json() == {
        "videos": [
            {
                "id": "video_1",
                "s3Key": "youtube-videos/uuid/master.mp4",
                "title": "Match",
                "duration": "3600.040",
                "identifiedCount": 1,
                "exportedCount": 3,
                "tags": [],
                "createdAt": "2025-10-05T12:00:00.120Z",
                "archivedAt": None,
                "deletedAt": None,
            }
        ],
        "total": 1,
        "offset": 0,
    }


def test_the_library_can_be_searched_and_paged(client: TestClient) -> None:
    assert client.get("/api/clips/videos", params={"search": "mATCH"}).json()["total"] == 1
    assert client.get("/api/clips/videos", params={"q": "mat", "sort": "title", "filter": "exported"}).json()["total"] == 1
    assert client.get("/api/clips/videos", params={"filter": "archived"}).json()["total"] == 0
    assert client.get("/api/clips/videos", params={"search": "other\0"}).json() == {"videos": [], "total": 0, "offset": 0}
    assert client.get("/api/clips/videos", params={"offset": 1, "limit": 1}).json() == {"videos": [], "total": 1, "offset": 1}


def test_a_video_is_returned_with_the_agreed_fields(client: TestClient) -> None:
    assert client.get("/api/clips/videos/video_1").json() == {
        "id": "video_1",
        "title": "Match",
        "s3Key": "youtube-videos/uuid/master.mp4",
        "duration": "3600.040",
        "width": 1920,
        "height": 1080,
        "frameRate": "30000/1001",
        "identifiedCount": 1,
        "exportedCount": 3,
        "tags": [],
        "createdAt": "2025-10-05T12:00:00.120Z",
        "archivedAt": None,
        "deletedAt": None,
    }


def test_exported_clips_are_listed_with_the_agreed_fields(client: TestClient) -> None:
    answer = client.get("/api/clips/videos/video_1/exported")
    assert answer.headers["x-total-count"] == "3"
    assert [clip["id"] for clip in answer.json()] == ["clip_1", "clip_2", "clip_3"]
    assert answer.json()[0] == {
        "id": "clip_1",
        "videoId": "video_1",
        "identifiedClipId": "clip_seen",
        "title": "Goal 1",
        "start": "125.007",
        "end": "221.043",
        "s3Key": "youtube-videos/uuid/exported/clip_1.mp4",
        "aspectRatio": "9:16",
        "targetLanguage": "en",
        "size": 2**32,
        "createdAt": "2025-10-05T12:00:00.120Z",
    }


def test_identified_clips_are_listed_with_their_scores(client: TestClient) -> None:
    answer = client.get("/api/clips/videos/video_1/identified")
    assert answer.headers["x-total-count"] == "1"
    assert answer.json() == [
        {
            "id": "clip_seen",
            "videoId": "video_1",
            "title": "The goal",
            "start": "125.007",
            "end": "221.043",
            "score": 0.5,
            "scoreParts": {"cheers": 0.5},
            "reference": "a",
            "origin": "pipeline",
            "reasons": [],
        }
    ]


def test_the_positions_of_all_identified_clips_are_returned_compactly(client: TestClient) -> None:
    assert client.get("/api/clips/videos/video_1/identified/ranges").json() == {"rangesMs": [[125_007, 221_043]]}
    assert client.get("/api/clips/videos/video_9/identified/ranges").status_code == 404


def test_a_partial_list_states_the_total(client: TestClient) -> None:
    answer = client.get("/api/clips/videos/video_1/exported", params={"offset": 1, "limit": 1})
    assert [clip["id"] for clip in answer.json()] == ["clip_2"]
    assert answer.headers["x-total-count"] == "3"


@pytest.mark.parametrize("tail", ["", "/identified", "/exported"])
@pytest.mark.parametrize("video_id", ["video_nobody", "clip_1", "video_1%00", "%2e%2e"])
def test_an_unknown_video_is_a_problem_with_a_code(client: TestClient, video_id: str, tail: str) -> None:
    answer = client.get(f"/api/clips/videos/{video_id}{tail}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "video_not_found"


@on_sqlite
@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=x", "limit=0", "limit=501", f"offset={2**63}", "search=" + "x" * 301, "sort=best", "filter=some"]
)
def test_a_query_outside_its_bounds_is_invalid(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/clips/videos?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"


@on_sqlite
@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_shown_without_a_session(client: TestClient, services: Services, route: str) -> None:
    for headers in ({"cookie": ""}, {"cookie": "", **token_of(services)}):
        answer = client.get(f"/api/clips/videos{route}", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["code"] == "unauthorized"


@on_sqlite
@pytest.mark.parametrize("route", ROUTES)
def test_no_response_is_cached_or_reveals_internals(client: TestClient, route: str) -> None:
    answer = client.get(f"/api/clips/videos{route}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"etag|poster|password|hash|token", answer.text, re.IGNORECASE)


@on_sqlite
def test_the_description_names_every_field_that_is_sent(client: TestClient) -> None:
    schemas = client.get("/api/openapi.json").json()["components"]["schemas"]
    for route, name in (("/video_1", "Video"), ("/video_1/exported", "ExportedClip"), ("/video_1/identified", "IdentifiedClip")):
        answer = client.get(f"/api/clips/videos{route}").json()
        sent = answer[0] if isinstance(answer, list) else answer
        assert schemas[name]["properties"].keys() == sent.keys()
