"""Export jobs through the API: enqueued once, listed, followed, cancelled and retried."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import AuditEntry, IdentifiedClip, Video, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.exporting.export_runs import Ticket, claim, fail
from clipviewer.services.room.captions import attach
from clipviewer.services.room.framings import save_framing
from tests.api.conftest import Person

EXPORT = "/api/clips/videos/video_1/export"
JOBS = "/api/clips/videos/video_1/jobs"


@pytest.fixture
def reviewer(services: Services, person: Callable[..., Person]) -> dict[str, str]:
    """The cookie of a reviewer, with a video of two clips."""
    with services.database.write() as db:
        db.add(Video(id="video_1", title="Talk", s3_key="talk.mp4", etag="e1", size=10))
        db.flush()
        attach(db, "video_1", "en", b"WEBVTT\n\n00:00.000 --> 00:02.000\nHi\n", "a.vtt")
        for number in (1, 2):
            db.add(IdentifiedClip(id=f"clip_{number}", video_id="video_1", reference=str(number), start_ms=0, end_ms=number, title="One"))
    return person(Role.REVIEWER).cookie


def ask(client: TestClient, cookie: dict[str, str], **fields: Any) -> Any:
    body = {"clipIds": ["clip_1"], "aspectRatios": ["9:16"], "targetLanguages": ["original"], **fields}
    return client.post(EXPORT, json=body, headers=cookie)


def test_each_clip_and_ratio_becomes_a_job_and_repeating_the_request_returns_the_same_jobs(
    client: TestClient, reviewer: dict[str, str]
) -> None:
    answer = ask(client, reviewer, clipIds=["clip_2", "clip_1"], aspectRatios=["1:1", "9:16"])
    assert answer.status_code == 202
    jobs = answer.json()["jobs"]
    asked = [("clip_2", "1:1"), ("clip_2", "9:16"), ("clip_1", "1:1"), ("clip_1", "9:16")]
    assert [(job["identifiedClipId"], job["aspectRatio"]) for job in jobs] == asked
    assert {(job["state"], job["progress"], job["attempt"]) for job in jobs} == {("queued", 0, 1)}
    assert ask(client, reviewer, clipIds=["clip_2", "clip_1"], aspectRatios=["1:1", "9:16"]).json()["jobs"] == jobs
    assert client.get(JOBS, headers=reviewer).json()["jobs"] == jobs
    assert client.get(JOBS, params={"offset": 1, "limit": 2}, headers=reviewer).json()["jobs"] == jobs[1:3]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"clipIds": []}, 422),
        ({"clipIds": ["clip_9"]}, 404),
        ({"aspectRatios": ["4:3"]}, 422),
        ({"targetLanguages": ["de"]}, 422),
        ({"framing": {"mode": "manual", "x": 2}}, 422),
        ({"framings": {"9:16": {"mode": "manual", "x": -1}}}, 422),
        ({"framings": {"4:3": {"mode": "fit"}}}, 422),
        ({"captions": "sung"}, 422),
        ({"targetLanguages": ["en"]}, 422),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_invalid_export_is_refused_and_enqueues_no_job(
    client: TestClient, reviewer: dict[str, str], fields: dict[str, Any], status: int
) -> None:
    assert ask(client, reviewer, **fields).status_code == status
    assert client.get(JOBS, headers=reviewer).json()["jobs"] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_captions_and_a_framing_per_ratio_are_accepted_and_returned(
    client: TestClient, reviewer: dict[str, str], services: Services
) -> None:
    with services.database.write() as db:
        save_framing(db, "video_1", "clip_1", AspectRatio.SQUARE, 0.25, 0.75)
    framings = {"9:16": {"mode": "manual", "x": 0.1}, "1:1": {"mode": "manual"}}
    fields = {"aspectRatios": ["9:16", "1:1", "16:9"], "targetLanguages": ["en"], "captions": "burned"}
    jobs = ask(client, reviewer, **fields, framing={"mode": "fit"}, framings=framings).json()["jobs"]
    assert [(job["framing"]["mode"], job["framing"]["x"], job["framing"]["y"]) for job in jobs] == [
        ("manual", 0.1, 0.5),
        ("manual", 0.25, 0.75),
        ("fit", 0.5, 0.5),
    ]
    assert {(job["targetLanguage"], job["captions"]) for job in jobs} == {("en", "burned")}
    assert ask(client, reviewer).json()["jobs"][0]["captions"] == "off"


def test_a_job_is_cancelled_and_retried_and_both_are_audited(client: TestClient, reviewer: dict[str, str], services: Services) -> None:
    job = ask(client, reviewer).json()["jobs"][0]
    path = f"/api/clips/jobs/{job['id']}"
    assert client.delete(path, headers=reviewer).json()["state"] == "cancelled"
    assert client.delete(path, headers=reviewer).json()["state"] == "cancelled"
    again = client.post(f"{path}/retry", headers=reviewer)
    assert (again.status_code, again.json()["state"], again.json()["attempt"]) == (202, "queued", 2)
    assert client.get(path, headers=reviewer).json() == again.json()
    with services.database.read() as db:
        written = [entry.action for entry in db.exec(select(AuditEntry).order_by("at"))]
    assert written == ["export", "export_cancel", "export_cancel", "export_retry"]


def test_an_export_is_listed_among_all_jobs_and_cancelled_and_retried_there(client: TestClient, reviewer: dict[str, str]) -> None:
    job = ask(client, reviewer).json()["jobs"][0]
    path = f"/api/work/{job['id']}"
    (listed,) = client.get("/api/work", headers=reviewer).json()["work"]
    assert (listed["id"], listed["kind"], listed["videoId"], listed["state"]) == (job["id"], "export", "video_1", "queued")
    assert client.get(path, headers=reviewer).json() == listed
    assert client.delete(path, headers=reviewer).json()["state"] == "cancelled"
    again = client.post(f"{path}/retry", headers=reviewer)
    assert (again.status_code, again.json()["id"], again.json()["state"], again.json()["attempt"]) == (202, job["id"], "queued", 2)


def test_a_failed_job_says_why(client: TestClient, reviewer: dict[str, str], services: Services) -> None:
    job = ask(client, reviewer).json()["jobs"][0]
    with services.database.write() as db:
        assert claim(db, Ticket(job["id"], 1), utc_now())
        fail(db, Ticket(job["id"], 1), utc_now(), "The footage is damaged.", "moov atom not found")
    shown = client.get(f"/api/clips/jobs/{job['id']}", headers=reviewer).json()
    assert (shown["state"], shown["reason"], shown["log"]) == ("failed", "The footage is damaged.", "moov atom not found")


def test_a_finished_job_cannot_be_cancelled_or_repeated(client: TestClient, reviewer: dict[str, str], services: Services) -> None:
    job = ask(client, reviewer).json()["jobs"][0]
    with services.database.write() as db:
        row = db.get_one(ExportJob, job["id"])
        row.state, row.exported_clip_id = "done", None
    assert client.delete(f"/api/clips/jobs/{job['id']}", headers=reviewer).status_code == 409


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/retry")])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_unknown_job_is_not_found(client: TestClient, reviewer: dict[str, str], method: str, path: str) -> None:
    answer = client.request(method, f"/api/clips/jobs/job_unknown{path}", headers=reviewer)
    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_viewer_follows_jobs_but_starts_none(client: TestClient, reviewer: dict[str, str], person: Callable[..., Person]) -> None:
    job = ask(client, reviewer).json()["jobs"][0]
    viewer = person(Role.VIEWER).cookie
    assert client.get(JOBS, headers=viewer).json()["jobs"] == [job]
    assert ask(client, viewer).status_code == 403
    assert client.delete(f"/api/clips/jobs/{job['id']}", headers=viewer).status_code == 403


def test_events_report_every_change_once_and_end_when_no_job_is_left(
    client: TestClient, reviewer: dict[str, str], services: Services
) -> None:
    first, second = (job["id"] for job in ask(client, reviewer, clipIds=["clip_1", "clip_2"]).json()["jobs"])
    client.delete(f"/api/clips/jobs/{second}", headers=reviewer)
    with client.stream("GET", f"{JOBS}/events", headers=reviewer) as stream:
        lines = stream.iter_lines()
        name, number, data = (next(lines) for _ in range(3))
        states = {job["id"]: job["state"] for job in json.loads(data.removeprefix("data: "))["jobs"]}
        assert (name, states) == ("event: jobs", {first: "queued", second: "cancelled"})
    client.delete(f"/api/clips/jobs/{first}", headers=reviewer)
    rest = client.get(f"{JOBS}/events", headers={**reviewer, "Last-Event-ID": number.removeprefix("id: ")})
    changed, idle = rest.text.strip().split("\n\n")
    assert [(job["id"], job["state"]) for job in json.loads(changed.split("data: ")[1])["jobs"]] == [(first, "cancelled")]
    assert idle.startswith("event: idle\n")
    assert rest.headers["content-type"].startswith("text/event-stream")
