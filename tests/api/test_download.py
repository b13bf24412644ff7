"""``POST /api/clips/videos/{id}/download``: what is signed, for whom, and the responses to all others."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import Executable, delete, event, update
from sqlmodel import col, select
from starlette.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import AuditEntry, ExportedClip, User, UserSession, Video
from clipviewer.errors import StorageCredentials
from clipviewer.services.bucket.signing import UrlSigner, embedded_addresses
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import IDLE_TIMEOUT
from tests.api.people import session_of

KEY = "youtube-videos/uuid/exported/clip 1+ü.mp4"
ROUTE = "/api/clips/videos/video_1/download"
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with services.database.write() as db:
        db.add(Video(id="video_1", title="Match", s3_key="one.mp4"))
        db.add(Video(id="video_2", title="Other", s3_key="two.mp4"))
        db.flush()
        for number, key in ((1, KEY), (2, "other.mp4")):
            db.add(
                ExportedClip(
                    id=f"clip_{number}",
                    video_id=f"video_{number}",
                    start_ms=125_007,
                    end_ms=221_043,
                    title="The goal",
                    s3_key=key,
                    aspect_ratio="9:16",
                    target_language="en",
                )
            )
    with TestClient(create_api(services), base_url="http://clips.test:3000") as client:
        yield client


def test_the_key_of_a_clip_is_signed_for_at_most_an_hour(client: TestClient, services: Services) -> None:
    before = datetime.now(UTC)
    answer = client.post(ROUTE, json={"s3Key": KEY}, headers=session_of(services))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"url", "expiresAt"}
    url, query = urlsplit(answer.json()["url"]), parse_qs(urlsplit(answer.json()["url"]).query)
    assert unquote(url.path) == f"/s3/clipviewer/{KEY}"
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert int(query["X-Amz-Expires"][0]) <= 3600
    assert query["X-Amz-SignedHeaders"] == ["host"]
    expires_at = datetime.strptime(answer.json()["expiresAt"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert expires_at == signed_at + timedelta(seconds=int(query["X-Amz-Expires"][0]))
    assert before + timedelta(minutes=45) <= expires_at <= datetime.now(UTC) + timedelta(hours=1)


@on_sqlite
def test_the_url_is_for_the_address_by_which_the_browser_came(client: TestClient, services: Services) -> None:
    person = session_of(services)
    for host in ("clips.test:3000", "192.168.1.20:3000", "[::1]:3000"):
        answer = client.post(ROUTE, json={"s3Key": KEY}, headers={**person, "host": host})
        assert answer.json()["url"].startswith(f"http://{host}/s3/clipviewer/")


def test_the_same_url_is_given_to_everybody_within_a_window(client: TestClient, services: Services) -> None:
    moment = datetime.now(UTC)
    signer = UrlSigner(services.store.credentials, embedded_addresses(services.settings), clock=lambda: moment)
    client.app.state.services = dataclasses.replace(services, signer=signer)  # type: ignore[attr-defined]
    people = [session_of(services), session_of(services)]
    assert len({client.post(ROUTE, json={"s3Key": KEY}, headers=person).text for person in people}) == 1


def test_a_download_has_a_human_name_and_is_audited(client: TestClient, services: Services) -> None:
    person = session_of(services)
    answer = client.post(ROUTE, json={"s3Key": KEY, "download": True}, headers=person)
    (disposition,) = parse_qs(urlsplit(answer.json()["url"]).query)["response-content-disposition"]
    assert disposition.startswith("attachment;")
    assert unquote(disposition).endswith("filename*=UTF-8''The goal – 02.05–03.41 – 9x16 – English.mp4")
    client.post(ROUTE, json={"s3Key": KEY}, headers=person)
    with services.database.read() as db:
        (entry,) = db.exec(select(AuditEntry).where(AuditEntry.action == "download")).all()
        (user,) = db.exec(select(User)).all()
    assert (entry.subject, entry.actor, entry.address) == (KEY, user.id, "testclient")


def test_unknown_fields_are_refused(client: TestClient, services: Services) -> None:
    for name in ("role", "bucket", "expiresIn", "videoId", "s3_key"):
        answer = client.post(ROUTE, json={"s3Key": KEY, name: "other"}, headers=session_of(services))
        assert (answer.status_code, [place["location"] for place in answer.json()["errors"]]) == (422, [name])


@pytest.mark.parametrize(
    ("video_id", "key"),
    [
        pytest.param("video_nobody", KEY, id="unknown video"),
        pytest.param("video_2", KEY, id="clip of another video"),
        pytest.param("clip_1", KEY, id="a clip's id for a video's"),
        pytest.param("video_1%00", KEY, id="NUL in the video's id"),
        pytest.param("%2e%2e", KEY, id="dots for a video's id"),
        pytest.param("video_1", "other.mp4", id="another video's key"),
        pytest.param("video_1", "one.mp4", id="the master's key"),
        pytest.param("video_1", "", id="empty"),
        pytest.param("video_1", "youtube-videos/", id="prefix"),
        pytest.param("video_1", KEY[:-1], id="beginning"),
        pytest.param("video_1", "..", id="dots"),
        pytest.param("video_1", "youtube-videos/uuid/x/../exported/clip 1+ü.mp4", id="dots inside"),
        pytest.param("video_1", "youtube-videos/%2e%2e/uuid/exported/clip 1+ü.mp4", id="encoded dots"),
        pytest.param("video_1", KEY.replace(" ", "%20"), id="encoded space"),
        pytest.param("video_1", KEY + "\0", id="NUL"),
        pytest.param("video_1", "x" * 1025, id="1025 bytes"),
        pytest.param("video_1", "x" * 2000, id="2000 bytes"),
        pytest.param("video_1", "/" + KEY, id="leading slash"),
        pytest.param("video_1", KEY.upper(), id="other case"),
        pytest.param("video_1", "https://elsewhere.test/clip.mp4", id="address"),
    ],
)
def test_every_other_key_gets_the_same_response_as_an_unknown_id(client: TestClient, services: Services, video_id: str, key: str) -> None:
    person = session_of(services)
    unknown = client.post("/api/clips/videos/video_unknown/download", json={"s3Key": "unknown.mp4"}, headers=person)
    answer = client.post(f"/api/clips/videos/{video_id}/download", json={"s3Key": key}, headers=person)
    assert answer.status_code == 404
    assert answer.content == unknown.content
    assert answer.headers == unknown.headers
    assert answer.json()["code"] == "clip_not_found"
    assert answer.headers["content-type"] == "application/problem+json"


@on_sqlite
@pytest.mark.parametrize("cookie", ["", "clipviewer_session=", "clipviewer_session=nonsense", "other=1"])
@pytest.mark.parametrize("body", [b'{"s3Key": "%s"}' % KEY.encode(), b"not json", b'{"s3Key": ""}'])
def test_without_a_session_the_response_is_only_unauthorized(client: TestClient, cookie: str, body: bytes) -> None:
    answer = client.post(ROUTE, content=body, headers={"cookie": cookie} if cookie else {})
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert answer.json()["title"] == "Unauthorized"


def test_a_session_that_has_ended_signs_nothing_more(client: TestClient, services: Services) -> None:
    person = session_of(services)
    assert client.post(ROUTE, json={"s3Key": KEY}, headers=person).status_code == 200
    with services.database.write() as db:
        services.sessions.sign_out(db, person["cookie"])
    assert client.post(ROUTE, json={"s3Key": KEY}, headers=person).status_code == 401


def test_playing_a_clip_takes_one_statement(client: TestClient, services: Services) -> None:
    person = session_of(services)
    statements: list[str] = []
    event.listen(services.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2].split()[0]))
    for _ in range(2):
        assert client.post(ROUTE, json={"s3Key": KEY}, headers=person).status_code == 200
    assert statements == ["SELECT", "SELECT"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param(update(User).values(disabled_at=datetime.now(UTC)), 401, id="the account is disabled"),
        pytest.param(update(UserSession).values(revoked_at=datetime.now(UTC)), 401, id="the session is revoked"),
        pytest.param(update(UserSession).values(expires_at=datetime.now(UTC)), 401, id="the session has expired"),
        pytest.param(update(UserSession).values(last_seen_at=datetime.now(UTC) - IDLE_TIMEOUT), 401, id="the session lay idle"),
        pytest.param(delete(UserSession), 401, id="the session is gone"),
        pytest.param(delete(ExportedClip), 404, id="the clip is gone"),
        pytest.param(update(ExportedClip).where(col(ExportedClip.id) == "clip_1").values(s3_key="moved.mp4"), 404, id="the key is another"),
    ],
)
def test_a_change_applies_to_the_very_next_url(client: TestClient, services: Services, change: Executable, status: int) -> None:
    person = session_of(services)
    assert client.post(ROUTE, json={"s3Key": KEY}, headers=person).status_code == 200
    with services.database.write() as db:
        db.connection().execute(change)
    assert client.post(ROUTE, json={"s3Key": KEY}, headers=person).status_code == status


def test_playing_counts_as_a_use_of_the_session(client: TestClient, services: Services) -> None:
    person = session_of(services)
    before = datetime.now(UTC) - timedelta(minutes=2)
    with services.database.write() as db:
        db.connection().execute(update(UserSession).values(last_seen_at=before))
    assert client.post(ROUTE, json={"s3Key": KEY}, headers=person).status_code == 200
    with services.database.read() as db:
        (session,) = db.exec(select(UserSession)).all()
    assert session.last_seen_at > before + timedelta(minutes=1)


@on_sqlite
def test_playing_does_not_wait_behind_a_writer(client: TestClient, services: Services) -> None:
    person = session_of(services)
    with services.database.write():
        assert client.post(ROUTE, json={"s3Key": KEY}, headers=person).status_code == 200


@on_sqlite
@pytest.mark.parametrize(
    "body", ["", "null", "[]", "{}", '{"s3Key": null}', '{"s3Key": 5}', '{"s3Key": ["a"]}', '{"s3Key": "\\ud800"}', "{"]
)
def test_a_body_of_another_shape_is_invalid(client: TestClient, services: Services, body: str) -> None:
    answer = client.post(ROUTE, content=body, headers=session_of(services))
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"


@on_sqlite
def test_what_was_sent_is_not_sent_back(client: TestClient, services: Services) -> None:
    answer = client.post(ROUTE, content=json.dumps({"s3Key": {"secret": "hunter2-hunter2"}}), headers=session_of(services))
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


@on_sqlite
def test_a_signing_failure_is_reported_without_details(client: TestClient, services: Services) -> None:
    def no_credentials() -> None:
        raise StorageCredentials

    signer = UrlSigner(no_credentials, embedded_addresses(services.settings))  # type: ignore[arg-type]
    client.app.state.services = dataclasses.replace(services, signer=signer)  # type: ignore[attr-defined]
    answer = client.post(ROUTE, json={"s3Key": KEY}, headers=session_of(services))
    assert answer.status_code == 500
    assert (answer.json()["code"], answer.json()["title"]) == ("signing_failed", "Failed to generate URL")


def test_a_key_outside_the_configured_prefix_is_treated_as_unknown(client: TestClient, services: Services) -> None:
    signer = UrlSigner(services.store.credentials, embedded_addresses(services.settings), prefix="elsewhere/")
    client.app.state.services = dataclasses.replace(services, signer=signer)  # type: ignore[attr-defined]
    person = session_of(services)
    answers = [client.post(ROUTE, json={"s3Key": key}, headers=person) for key in (KEY, "unknown.mp4")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_the_master_of_a_video_is_signed_for_signed_in_people_alone(client: TestClient, services: Services) -> None:
    route = "/api/clips/videos/video_1/master"
    assert client.post(route).status_code == 401
    answer = client.post(route, headers=session_of(services))
    assert answer.status_code == 200
    assert urlsplit(answer.json()["url"]).path == "/s3/clipviewer/one.mp4"
    assert client.post("/api/clips/videos/video_9/master", headers=session_of(services)).json()["code"] == "video_not_found"


def test_the_key_of_a_master_is_not_the_key_of_a_clip(client: TestClient, services: Services) -> None:
    assert client.post(ROUTE, json={"s3Key": "one.mp4"}, headers=session_of(services)).status_code == 404
