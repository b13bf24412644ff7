"""Many people request the same export at once through the API: one render, one object; and cancelling stops it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from clipviewer.api.app import create_api
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.jobs import landmarks
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import COOKIE
from tests.jobs.attempts import wait_until
from tests.jobs.conftest import VIDEO_ID
from tests.jobs.test_worker import exported, working

EXPORT = f"/api/clips/videos/{VIDEO_ID}/export"
BODY = {"clipIds": ["clip_1", "clip_1"], "aspectRatios": ["9:16"], "targetLanguages": ["original"]}


@pytest.fixture
def cookie(room: Services) -> Callable[[], dict[str, str]]:
    """Signs in a new reviewer."""

    def sign_in() -> dict[str, str]:
        user = User(id=new_id("user"), email=f"{new_id('mail')}@example.org", name="Somebody", role=Role.REVIEWER, password_hash="none")
        with room.database.write() as db:
            db.add(user)
            db.flush()
            return {"Cookie": f"{COOKIE}={room.sessions.start(db, user.id).token}"}

    return sign_in


def test_fifty_simultaneous_requests_of_two_people_make_one_render(
    room: Services, cookie: Callable[[], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    monkeypatch.setattr(landmarks, "reached", lambda place: rendered.append(place) if place == "rendered" else None)
    people = [cookie(), cookie()]
    barrier = threading.Barrier(50)

    with TestClient(create_api(room)) as client, working(room), ThreadPoolExecutor(50) as presses:

        def press(number: int) -> tuple[int, frozenset[str]]:
            barrier.wait(timeout=30)
            answer = client.post(EXPORT, json=BODY, headers=people[number % 2])
            return answer.status_code, frozenset(job["id"] for job in answer.json().get("jobs", []))

        answers = set(presses.map(press, range(50)))
        ((status, ids),) = answers
        (job_id,) = ids
        wait_until(lambda: client.get(f"/api/clips/jobs/{job_id}", headers=people[0]).json()["state"] == "done")
        (late,) = client.post(EXPORT, json=BODY, headers=people[1]).json()["jobs"]
    assert (status, late["id"], late["state"], late["attempt"]) == (202, job_id, "done", 1)
    with room.database.read() as db:
        assert len(db.exec(select(ExportJob)).all()) == 1
        assert len(db.exec(select(ExportedClip)).all()) == 1
    assert rendered == ["rendered"]
    assert len(exported(room.store)) == 2


def test_cancelling_through_the_api_ends_ffmpeg_within_a_second(room: Services, cookie: Callable[[], dict[str, str]]) -> None:
    with room.database.write() as db:
        clip = db.get_one(IdentifiedClip, "clip_1")
        clip.start_ms, clip.end_ms = 0, 6_000
    reviewer = cookie()
    with TestClient(create_api(room)) as client, working(room):
        (job,) = client.post(EXPORT, json=BODY, headers=reviewer).json()["jobs"]
        wait_until(lambda: encoders() > 0)
        pressed = time.monotonic()
        assert client.delete(f"/api/clips/jobs/{job['id']}", headers=reviewer).json()["state"] == "cancelled"
        wait_until(lambda: encoders() == 0)
        assert time.monotonic() - pressed < 1
    assert exported(room.store) == []
    assert list((room.settings.data_dir / "exports").iterdir()) == []


def encoders() -> int:
    """Return the number of H.264 encoders among this process's children."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            count += parent == os.getpid() and b"libx264" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
    return count
