"""A worker that can do no jobs says so, leaves them queued, and goes on by itself once it can."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from clipviewer.db.models import utc_now
from clipviewer.domain.job_state import JobState
from clipviewer.jobs import landmarks
from clipviewer.jobs import worker as worker_module
from clipviewer.jobs.sweeping import sweep_attempts
from clipviewer.jobs.worker import JobWorker
from clipviewer.services import retrying, workers
from clipviewer.services.cells.board import CellView
from clipviewer.services.container import Services
from tests.faults.conftest import Scene
from tests.jobs.attempts import wait_until

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def services(scene: Scene) -> Services:
    return scene.services()


@pytest.fixture
def worker(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobWorker]:
    monkeypatch.setattr(worker_module, "_BEAT_SECONDS", 0.2)
    worker = JobWorker(services, {}, poll_seconds=0.1)
    worker.start()
    yield worker
    worker.stop()


def problem(services: Services) -> str:
    with services.database.read() as db:
        return workers.trouble(db, utc_now(), services.started_at)


@pytest.mark.usefixtures("worker")
def test_a_folder_that_cannot_be_written_to_pauses_exports_until_it_can(services: Services, scene: Scene, job: CellView) -> None:
    wait_until(lambda: scene.job(job.id).state == JobState.DONE)
    folder = scene.folder / "exports"
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    wait_until(lambda: "exports" in problem(services))
    folder.unlink()
    wait_until(lambda: problem(services) == "")
    assert folder.is_dir()


@pytest.mark.usefixtures("worker")
def test_queues_that_cannot_be_read_are_told(services: Services, scene: Scene) -> None:
    for path in scene.folder.glob("jobs.db*"):
        path.write_bytes(b"something else" * 1000)
    wait_until(lambda: "job queues cannot be used" in problem(services))


@pytest.mark.usefixtures("worker")
def test_a_full_disk_gives_up_the_reserve_and_pauses_jobs_until_there_is_space(
    services: Services, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = scene.folder / "reserve"
    wait_until(reserve.exists)
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        wait_until(lambda: "disk is full" in problem(services))
        assert not reserve.exists()
    wait_until(lambda: problem(services) == "" and reserve.exists())


def test_an_export_whose_folder_is_taken_while_it_renders_goes_on_by_itself(
    services: Services, scene: Scene, job: CellView, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, reached, taken = scene.folder / "exports", landmarks.reached, threading.Event()

    def take_folder(name: str) -> None:
        if name == "source checked" and not taken.is_set():
            shutil.rmtree(folder)
            folder.write_bytes(b"")
            taken.set()
        reached(name)

    monkeypatch.setattr(landmarks, "reached", take_folder)
    monkeypatch.setattr(retrying, "SPACE_SECONDS", 1)
    monkeypatch.setattr(worker_module, "_BEAT_SECONDS", 0.2)
    worker = JobWorker(services, {}, poll_seconds=0.1)
    worker.start()
    try:
        wait_until(lambda: scene.job(job.id).attempt > 1)
        waiting = scene.job(job.id)
        assert waiting.state == JobState.QUEUED
        assert "the folder exports of its data directory (Not a directory)" in waiting.reason
        folder.unlink()
        wait_until(lambda: scene.job(job.id).state == JobState.DONE)
    finally:
        worker.stop()


def test_a_folder_that_cannot_be_read_leaves_the_rest_to_be_swept(services: Services, scene: Scene) -> None:
    blocked, swept = scene.folder / "exports", scene.folder / "work"
    blocked.write_bytes(b"")
    (swept / "a job").mkdir(parents=True)
    sweep_attempts(services, utc_now(), blocked, swept)
    assert list(swept.iterdir()) == []
