"""The worker for the library's background work: what is asked for gets done once, and nothing is lost when a worker goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from clipviewer.db.models import utc_now
from clipviewer.domain.preferences import Preferences
from clipviewer.errors import Conflict, Invalid
from clipviewer.jobs.work_desk import Kind, WorkDesk, WorkRun
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.services.prefs import save_preferences
from clipviewer.services.work import WorkView
from tests.jobs.attempts import wait_until


@contextmanager
def desk(services: Services, kinds: Mapping[str, Kind], **options: Any) -> Iterator[WorkDesk]:
    running = WorkDesk(services, kinds, poll_seconds=0.02, **options)
    running.start()
    yield running
    running.stop()


def ask(services: Services, kind: str = "count", **options: Any) -> WorkView:
    with services.database.write() as db:
        return work.ask(db, kind, "a subject", **options)


def now_of(services: Services, item: WorkView) -> WorkView:
    with services.database.read() as db:
        return work.work(db, item.id)


def test_work_is_done_and_its_result_is_kept(services: Services) -> None:
    def count(run: WorkRun) -> Mapping[str, Any]:
        (run.folder / "scrap").write_text("left behind")
        run.report(0.5, "half of it")
        return {"counted": run.item.given["to"]}

    item = ask(services, given={"to": 3})
    with desk(services, {"count": count}):
        wait_until(lambda: now_of(services, item).state == "done")
    done = now_of(services, item)
    assert (done.result, done.progress, done.note) == ({"counted": 3}, 1.0, "")
    assert list((services.settings.data_dir / "work").iterdir()) == []


def test_the_same_is_asked_for_once_while_it_is_unfinished_and_anew_afterwards(services: Services) -> None:
    first, second = ask(services), ask(services)
    assert first.id == second.id
    with desk(services, {"count": lambda run: {}}):
        wait_until(lambda: now_of(services, first).state == "done")
    assert ask(services).id != first.id


def test_two_workers_never_do_the_same(services: Services) -> None:
    done: list[str] = []

    def note(run: WorkRun) -> Mapping[str, Any]:
        done.append(run.item.id)
        return {}

    with services.database.write() as db:
        items = [work.ask(db, "count", f"subject {number}") for number in range(20)]
    with desk(services, {"count": note}), desk(services, {"count": note}):
        wait_until(lambda: all(now_of(services, item).state == "done" for item in items), 30)
    assert sorted(done) == sorted(item.id for item in items)


def test_a_failure_keeps_its_reason_and_can_be_tried_again(services: Services) -> None:
    def refuse(run: WorkRun) -> Mapping[str, Any]:
        raise Invalid("Choose another file.")

    item = ask(services)
    with desk(services, {"count": refuse}):
        wait_until(lambda: now_of(services, item).state == "failed")
        assert now_of(services, item).note == "Choose another file."
        with services.database.write() as db:
            again = work.retry(db, item.id)
        assert again.id != item.id
        wait_until(lambda: now_of(services, again).state == "failed")


def test_an_unexpected_failure_tells_people_nothing_of_its_inside(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    def break_down(run: WorkRun) -> Mapping[str, Any]:
        raise RuntimeError("a secret path")

    item = ask(services)
    with desk(services, {"count": break_down}):
        wait_until(lambda: now_of(services, item).state == "failed")
    assert "secret" not in now_of(services, item).note
    assert "a secret path" in caplog.text


def test_work_that_is_called_off_stops_within_a_second_and_stays_called_off(services: Services) -> None:
    started, stopped = threading.Event(), threading.Event()

    def take_long(run: WorkRun) -> Mapping[str, Any]:
        started.set()
        while True:
            time.sleep(0.01)
            try:
                run.check()
            except Exception:
                stopped.set()
                raise

    item = ask(services)
    with desk(services, {"count": take_long}):
        assert started.wait(10)
        with services.database.write() as db:
            work.cancel(db, item.id)
        assert stopped.wait(1)
        with services.database.write() as db, pytest.raises(Conflict):
            work.cancel(db, item.id)
    assert now_of(services, item).state == "cancelled"


def test_work_waits_again_when_its_worker_stops(services: Services) -> None:
    started = threading.Event()

    def take_long(run: WorkRun) -> Mapping[str, Any]:
        started.set()
        while True:
            time.sleep(0.01)
            run.check()

    item = ask(services)
    with desk(services, {"count": take_long}):
        assert started.wait(10)
    waiting = now_of(services, item)
    assert (waiting.state, waiting.attempt) == ("queued", 2)
    with desk(services, {"count": lambda run: {}}):
        wait_until(lambda: now_of(services, item).state == "done")


def test_work_of_a_worker_that_died_is_taken_back_and_the_dead_one_can_write_nothing_more(services: Services) -> None:
    item = ask(services)
    with services.database.write() as db:
        claimed = work.claim_next(db, ["count"], utc_now() - timedelta(minutes=5))
    assert claimed is not None
    with services.database.write() as db:
        (lost,) = work.lost(db, utc_now() - timedelta(minutes=1))
        work.give_back(db, lost, utc_now())
    with services.database.write() as db:
        assert not work.finish(db, claimed, utc_now(), {"from": "the dead"})
        assert not work.is_owned(db, claimed)
    with desk(services, {"count": lambda run: {"from": "the living"}}):
        wait_until(lambda: now_of(services, item).state == "done")
    assert now_of(services, item).result == {"from": "the living"}


def test_the_desk_forgets_what_was_called_off_longer_ago_than_the_team_keeps_it(services: Services) -> None:
    old, recent = ask(services), ask(services, kind="other")
    with services.database.write() as db:
        work.cancel(db, old.id, clock=lambda: utc_now() - timedelta(days=31))
        work.cancel(db, recent.id, clock=lambda: utc_now() - timedelta(days=29))
        save_preferences(db, Preferences(keep_failed_days=0))
    idle = WorkDesk(services, {})
    idle.sweep()
    assert now_of(services, old).state == "cancelled"
    with services.database.write() as db:
        save_preferences(db, Preferences(keep_failed_days=30))
    idle.sweep()
    assert now_of(services, recent).state == "cancelled"
    with pytest.raises(work.WorkNotFound):
        now_of(services, old)
