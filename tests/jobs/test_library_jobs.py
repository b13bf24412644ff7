"""Library jobs: each is done once, and none is lost when a worker stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from clipviewer.db.models import utc_now
from clipviewer.domain.job_state import JobState
from clipviewer.domain.preferences import Preferences
from clipviewer.errors import Conflict, Invalid
from clipviewer.jobs import sweeping, worker
from clipviewer.jobs.kinds import Kind
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.jobs.worker import JobWorker
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services import work, workers
from clipviewer.services.container import Services
from clipviewer.services.prefs import save_preferences
from clipviewer.services.work import Priority, WorkView
from clipviewer.services.workers import Ticket
from tests.jobs.attempts import wait_until

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Do = Callable[[LibraryAttempt], Mapping[str, Any]]


@contextmanager
def working(services: Services, count: Do) -> Iterator[JobWorker]:
    """Run a worker that handles one kind of job, ``count``."""
    running = JobWorker(services, {"count": Kind(count)}, poll_seconds=0.02)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def enqueue(services: Services, kind: str = "count", **options: Any) -> WorkView:
    with services.database.write() as db:
        return work.enqueue(db, kind, "a subject", **options)


def now_of(services: Services, item: WorkView) -> WorkView:
    with services.database.read() as db:
        return work.work(db, item.id)


def test_a_job_is_done_and_its_result_is_stored(services: Services) -> None:
    def count(run: LibraryAttempt) -> Mapping[str, Any]:
        (run.folder / "scrap").write_text("left behind")
        run.report(0.5, "half of it")
        return {"counted": run.item.given["to"]}

    item = enqueue(services, given={"to": 3})
    with working(services, count):
        wait_until(lambda: now_of(services, item).state == "done")
    done = now_of(services, item)
    assert (done.result, done.progress, done.note) == ({"counted": 3}, 1.0, "")
    assert list((services.settings.data_dir / "work").iterdir()) == []


def test_enqueueing_returns_the_unfinished_job_and_a_new_one_afterwards(services: Services) -> None:
    first, second = enqueue(services), enqueue(services)
    assert first.id == second.id
    with working(services, lambda run: {}):
        wait_until(lambda: now_of(services, first).state == "done")
    assert enqueue(services).id != first.id


def test_two_processes_never_claim_the_same_job(services: Services) -> None:
    with services.database.write() as db:
        tickets = [work.enqueue(db, "count", f"subject {number}").ticket for number in range(20)]
    claimed: list[Ticket] = []

    def claim_all(worker: str) -> None:
        for ticket in tickets:
            with services.database.write() as db:
                if work.claim(db, ticket, utc_now(), worker):
                    claimed.append(ticket)

    processes = [threading.Thread(target=claim_all, args=(f"worker_{number}",)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(claimed, key=tickets.index) == tickets


@on_sqlite
def test_awaited_jobs_come_first_and_background_jobs_last(services: Services) -> None:
    done: list[str] = []
    with services.database.write() as db:
        for priority in (Priority.IDLE, Priority.ASKED, Priority.SEEN):
            work.enqueue(db, "count", priority.name, priority=priority)
    with working(services, lambda run: done.append(run.item.subject) or {}):
        wait_until(lambda: len(done) == 3)
    assert done == ["SEEN", "ASKED", "IDLE"]


def test_a_failed_job_keeps_its_reason_and_can_be_retried(services: Services) -> None:
    def refuse(run: LibraryAttempt) -> Mapping[str, Any]:
        raise Invalid("Choose another file.")

    item = enqueue(services)
    with working(services, refuse):
        wait_until(lambda: now_of(services, item).state == "failed")
        assert now_of(services, item).note == "Choose another file."
        with services.database.write() as db:
            again = work.retry(db, item.id)
        assert again.id != item.id
        wait_until(lambda: now_of(services, again).state == "failed")


def test_an_unexpected_failure_shows_people_no_internals(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    def break_down(run: LibraryAttempt) -> Mapping[str, Any]:
        raise RuntimeError("a secret path")

    item = enqueue(services)
    with working(services, break_down):
        wait_until(lambda: now_of(services, item).state == "failed")
    assert "secret" not in now_of(services, item).note
    assert "a secret path" in caplog.text


def test_a_cancelled_job_stops_within_a_second_and_stays_cancelled(services: Services) -> None:
    started, stopped = threading.Event(), threading.Event()

    def take_long(run: LibraryAttempt) -> Mapping[str, Any]:
        started.set()
        while True:
            time.sleep(0.01)
            try:
                run.check()
            except Exception:
                stopped.set()
                raise

    item = enqueue(services)
    with working(services, take_long):
        assert started.wait(10)
        with services.database.write() as db:
            work.cancel(db, item.id)
        assert stopped.wait(1)
        with services.database.write() as db, pytest.raises(Conflict):
            work.cancel(db, item.id)
    assert now_of(services, item).state == "cancelled"


def test_a_job_is_requeued_when_its_worker_stops(services: Services) -> None:
    started = threading.Event()

    def take_long(run: LibraryAttempt) -> Mapping[str, Any]:
        started.set()
        while True:
            time.sleep(0.01)
            run.check()

    item = enqueue(services)
    with working(services, take_long):
        assert started.wait(10)
    waiting = now_of(services, item)
    assert (waiting.state, waiting.attempt) == ("queued", 2)
    with working(services, lambda run: {}):
        wait_until(lambda: now_of(services, item).state == "done")


def test_a_dead_process_loses_its_job_to_another_and_can_write_nothing_more(services: Services) -> None:
    item = enqueue(services)
    with services.database.write() as db:
        workers.beat(db, "worker_dead", utc_now() - timedelta(minutes=5))
        assert work.claim(db, item.ticket, utc_now(), "worker_dead")
    with working(services, lambda run: {"from": "the living"}):
        wait_until(lambda: now_of(services, item).state == "done")
    done = now_of(services, item)
    assert (done.result, done.attempt) == ({"from": "the living"}, 2)
    with services.database.write() as db:
        assert not work.is_owned(db, item)
        assert not work.finish(db, item, utc_now(), {"from": "the dead"})


def test_a_job_that_ended_without_a_report_is_restarted(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_SWEEP_SECONDS", 0.5)
    broken = iter([SQLAlchemyError("the database does not answer")])
    finish = work.finish

    def stumble(*arguments: Any) -> bool:
        for error in broken:
            raise error
        return finish(*arguments)

    monkeypatch.setattr(work, "finish", stumble)
    item = enqueue(services)
    with working(services, lambda run: {}):
        wait_until(lambda: now_of(services, item).state == "done")
    assert now_of(services, item).attempt == 2


def test_the_sweep_deletes_cancelled_jobs_after_their_retention(services: Services) -> None:
    old, recent = enqueue(services), enqueue(services, kind="other")
    with services.database.write() as db:
        work.cancel(db, old.id, clock=lambda: utc_now() - timedelta(days=31))
        work.cancel(db, recent.id, clock=lambda: utc_now() - timedelta(days=29))
        save_preferences(db, Preferences(keep_failed_days=0))
    sweeping.sweep_attempts(services, utc_now())
    assert now_of(services, old).state == "cancelled"
    with services.database.write() as db:
        save_preferences(db, Preferences(keep_failed_days=30))
    sweeping.sweep_attempts(services, utc_now())
    assert now_of(services, recent).state == "cancelled"
    with pytest.raises(work.WorkNotFound):
        now_of(services, old)


@on_sqlite
def test_a_job_whose_folder_cannot_be_made_waits_until_it_can(services: Services, tmp_path: Path) -> None:
    place = tmp_path / "work"
    place.write_bytes(b"a file in its place")

    def attempt(item: WorkView) -> WorkView:
        LibraryAttempt(services, item, place / item.id, Ffmpeg()).run(lambda _: {})
        return now_of(services, item)

    waiting = attempt(enqueue(services))
    assert (waiting.state, waiting.attempt) == (JobState.QUEUED, 2)
    assert "the folder work of its data directory (Not a directory). This goes on by itself" in waiting.note
    place.unlink()
    assert attempt(waiting).state == JobState.DONE
