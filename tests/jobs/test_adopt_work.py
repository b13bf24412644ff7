"""Importing as a library job: run by a worker, with its result, cancelled, and while the other worker is busy."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from clipviewer.db.models import Video
from clipviewer.errors import Invalid
from clipviewer.jobs import export_run
from clipviewer.jobs.kinds import KINDS, Kind
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.services import work
from clipviewer.services.adoption import adopting
from clipviewer.services.container import Services
from clipviewer.services.library.activity import EXPORT, running
from clipviewer.services.work import WorkView
from clipviewer.storage.s3 import ObjectStore, StoredObject
from tests.api.stores import running_bucket
from tests.jobs.attempts import enqueue_export as request
from tests.jobs.attempts import wait_until
from tests.jobs.test_worker import working

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        yield store


@pytest.fixture
def team(services: Services, store: ObjectStore) -> Services:
    return dataclasses.replace(services, store=store)


def now_of(services: Services, item: WorkView) -> WorkView:
    with services.database.read() as db:
        return work.work(db, item.id)


def enqueue_export(services: Services, prefix: str = "") -> WorkView:
    with services.database.write() as db:
        return adopting.enqueue_import(db, "", prefix, actor="user_1")


def test_a_worker_imports_and_stores_a_result(team: Services, store: ObjectStore) -> None:
    store.put("talks/a.mp4", b"a film", "video/mp4")
    item = enqueue_export(team)
    with working(team):
        wait_until(lambda: now_of(team, item).state == "done")
    result = now_of(team, item).result
    assert (result["videos"], result["objects"], result["complete"]) == (1, 1, True)
    with team.database.read() as db:
        assert db.exec(select(Video.s3_key)).all() == ["talks/a.mp4"]


def test_an_unreachable_store_is_what_the_job_waits_for(services: Services) -> None:
    item = enqueue_export(services)
    with working(services):
        wait_until(lambda: now_of(services, item).attempt > 1)
    assert now_of(services, item).note.startswith("The storage cannot be reached. Trying again by itself until")


class Endless:
    """A store whose listing has no end until the test ends it."""

    def __init__(self, store: ObjectStore, one: StoredObject) -> None:
        self._store, self._one = store, one

    def list(self, prefix: str) -> Iterator[StoredObject]:
        number = 0
        while not prefix:
            number += 1
            yield dataclasses.replace(self._one, key=f"{number}.mp4")

    def get(self, key: str) -> bytes:
        return self._store.get(key)


def test_a_cancelled_import_stops_and_keeps_what_it_has_imported(team: Services, store: ObjectStore) -> None:
    store.put("0.mp4", b"a film", "video/mp4")
    endless = dataclasses.replace(team, store=Endless(store, store.head("0.mp4")))  # type: ignore[arg-type]
    item = enqueue_export(team)
    with working(endless):
        wait_until(lambda: now_of(team, item).note.endswith("000 objects seen"))
        with team.database.write() as db:
            work.cancel(db, item.id)
        folder = team.settings.data_dir / "work"
        wait_until(lambda: list(folder.iterdir()) == [])
    assert now_of(team, item).state == "cancelled"
    with team.database.read() as db:
        assert len(db.exec(select(Video.id)).all()) >= 1_000


def test_an_import_continues_while_the_other_worker_is_busy(team: Services, store: ObjectStore) -> None:
    released, begun = threading.Event(), threading.Event()

    def busy(_run: LibraryAttempt) -> dict[str, int]:
        begun.set()
        released.wait(20)
        return {}

    with team.database.write() as db:
        work.enqueue(db, "busy", "a subject")
    with working(team, {**KINDS, "busy": Kind(busy)}):
        assert begun.wait(10)
        item = enqueue_export(team)
        wait_until(lambda: now_of(team, item).state == "done")
        released.set()


def test_imported_videos_get_their_previews_one_after_the_other(team: Services, store: ObjectStore) -> None:
    made: list[str] = []
    waiting: list[int] = []

    def note(run: LibraryAttempt) -> dict[str, int]:
        made.append(run.item.subject)
        with run.services.database.read() as db:
            waiting.append(len(work.unfinished_work(db)))
        return {}

    for name in ("a", "b", "c"):
        store.put(f"{name}.mp4", b"a film", "video/mp4")
    adopting.run_import(team, "", on_progress=lambda _: None, check=lambda: None)
    with working(team, {"previews": Kind(note)}):
        wait_until(lambda: len(made) == 3)
    with team.database.read() as db:
        assert made == list(db.exec(select(Video.id).order_by(Video.s3_key)))
    assert waiting == [1, 1, 1]


def test_previews_that_nobody_waits_for_are_made_when_no_export_waits(
    room: Services, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[int] = []

    def note(run: LibraryAttempt) -> dict[str, int]:
        with run.services.database.read() as db:
            waiting.append(len([job for job in running(db)[0] if job.kind == EXPORT]))
        return {}

    def render(*_: object, **__: object) -> None:
        raise Invalid("It is not about this.")

    monkeypatch.setattr(export_run, "render_cell", render)
    team = dataclasses.replace(room, store=store)
    for name in ("a", "b"):
        store.put(f"{name}.mp4", b"a film", "video/mp4")
    adopting.run_import(team, "", on_progress=lambda _: None, check=lambda: None)
    request(room, "clip_1")
    request(room, "clip_2")
    with working(room, {"previews": Kind(note)}):
        wait_until(lambda: len(waiting) == 2)
    assert waiting == [0, 0]
