"""Queued exports are rendered, published once and reported by the product's worker."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from clipviewer.db.models import AuditEntry, ExportedClip, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.job_state import JobState
from clipviewer.domain.language import ORIGINAL
from clipviewer.jobs import export_run, queueing, worker
from clipviewer.jobs.kinds import Kind
from clipviewer.jobs.worker import JobWorker
from clipviewer.services.cells.board import CellView, cell, cells
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.exports import cancel, request_exports
from clipviewer.storage.s3 import ObjectStore
from tests.footage import frame_numbers
from tests.jobs.attempts import wait_until
from tests.jobs.conftest import MASTER_KEY, VIDEO_ID

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@contextmanager
def working(services: Services, kinds: Mapping[str, Kind] | None = None) -> Iterator[JobWorker]:
    running = JobWorker(services, kinds, poll_seconds=0.1)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def ask(services: Services, *clips: str, ratios: tuple[AspectRatio, ...] = (AspectRatio.PORTRAIT,)) -> list[CellView]:
    with services.database.write() as db:
        return request_exports(db, VIDEO_ID, clips, ExportChoices(ratios), actor="user_anna")


def now(services: Services, job_id: str) -> CellView:
    with services.database.read() as db:
        return cell(db, job_id)


def board(services: Services) -> list[CellView]:
    with services.database.read() as db:
        return cells(db, VIDEO_ID)


def exported(store: ObjectStore) -> list[str]:
    return [item.key for item in store.list("exports/")]


def test_an_export_becomes_one_object_one_sidecar_and_one_clip(room: Services, tmp_path_factory: pytest.TempPathFactory) -> None:
    with working(room):
        (job,) = ask(room, "clip_1")
        assert (job.state, job.progress) == (JobState.QUEUED, 0)
        wait_until(lambda: now(room, job.id).state not in (JobState.QUEUED, JobState.RUNNING))
    done = now(room, job.id)
    assert (done.state, done.progress, done.reason) == (JobState.DONE, 1.0, "")
    with room.database.read() as db:
        (clip,) = db.exec(select(ExportedClip))
        (entry,) = db.exec(select(AuditEntry).where(AuditEntry.action == "exported"))
    assert (clip.id, clip.identified_clip_id, clip.start_ms, clip.end_ms) == (done.exported_clip_id, "clip_1", 500, 1_500)
    assert (clip.aspect_ratio, clip.target_language, clip.title) == ("9:16", ORIGINAL, "Clip 1")
    assert (entry.actor, entry.subject) == ("user_anna", clip.s3_key)
    assert exported(room.store) == [clip.s3_key.replace(".mp4", ".json"), clip.s3_key]
    stored = room.store.head(clip.s3_key)
    assert (stored.size, stored.etag, stored.content_type) == (clip.size, clip.etag, "video/mp4")
    path = tmp_path_factory.mktemp("made") / "made.mp4"
    path.write_bytes(room.store.get(clip.s3_key))
    assert frame_numbers(path) == list(range(12, 36))
    sidecar = json.loads(room.store.get(clip.s3_key.replace(".mp4", ".json")))
    assert sidecar["source"]["s3Key"] == MASTER_KEY
    assert sidecar["source"]["etag"] == room.store.head(MASTER_KEY).etag
    assert (sidecar["clip"]["start"], sidecar["clip"]["end"], sidecar["clip"]["reference"]) == ("0.500", "1.500", "1")
    assert (sidecar["identity"], sidecar["export"]["etag"]) == (done.identity, clip.etag)
    assert list((room.settings.data_dir / "exports").iterdir()) == []


@on_sqlite
def test_fifty_simultaneous_identical_requests_make_one_render(room: Services) -> None:
    found: list[str] = []
    barrier = threading.Barrier(50)

    def press() -> None:
        barrier.wait(timeout=30)
        found.extend(job.id for job in ask(room, "clip_1", "clip_2"))

    people = [threading.Thread(target=press) for _ in range(50)]
    with working(room):
        for person in people:
            person.start()
        for person in people:
            person.join()
        wait_until(lambda: all(now(room, job).state == JobState.DONE for job in set(found)))
    assert (len(found), len(set(found))) == (100, 2)
    assert len(exported(room.store)) == 4


@on_sqlite
def test_a_cancelled_render_stops_within_a_second_and_leaves_nothing(room: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    started, ended = threading.Event(), threading.Event()

    def endless(*_: object, cancelled: Callable[[], bool], **__: object) -> None:
        started.set()
        wait_until(cancelled)
        ended.set()
        raise export_run.MediaCancelled

    monkeypatch.setattr(export_run, "render_cell", endless)
    with working(room):
        (job,) = ask(room, "clip_1")
        assert started.wait(20)
        with room.database.write() as db:
            assert cancel(db, job.id).state == JobState.CANCELLED
        assert ended.wait(1)
    assert now(room, job.id).state == JobState.CANCELLED
    assert exported(room.store) == []


@on_sqlite
def test_stopping_the_process_requeues_the_job_and_the_next_start_finishes_it(room: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    started = threading.Event()

    def endless(*_: object, cancelled: Callable[[], bool], **__: object) -> None:
        started.set()
        wait_until(cancelled)
        raise export_run.MediaCancelled

    with monkeypatch.context() as patched:
        patched.setattr(export_run, "render_cell", endless)
        with working(room):
            (job,) = ask(room, "clip_1")
            assert started.wait(20)
    assert (now(room, job.id).state, now(room, job.id).attempt) == (JobState.QUEUED, 2)
    with working(room):
        wait_until(lambda: now(room, job.id).state == JobState.DONE)
    assert len(exported(room.store)) == 2


def test_the_worker_deletes_ended_attempts_and_continues(room: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_SWEEP_SECONDS", 0.5)
    with working(room):
        for clip in ("clip_1", "clip_2"):
            (job,) = ask(room, clip)
            wait_until(lambda job=job: now(room, job.id).state == JobState.DONE)
        wait_until(lambda: not DBOS.list_workflows(load_input=False, load_output=False))
        assert len(exported(room.store)) == 4


def test_the_worker_deletes_failed_exports_after_their_retention(room: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_SWEEP_SECONDS", 0.5)
    old, recent = ask(room, "clip_1", "clip_2")
    with room.database.write() as db:
        cancel(db, old.id, clock=lambda: utc_now() - timedelta(days=31))
        cancel(db, recent.id, clock=lambda: utc_now() - timedelta(days=29))
    with working(room):
        wait_until(lambda: [job.id for job in board(room)] == [recent.id])


@on_sqlite
def test_an_attempt_that_could_not_start_is_started_again(room: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_SWEEP_SECONDS", 0.5)
    lost = iter([SQLAlchemyError("the database does not answer")] * 2)

    def claim(*arguments: Any) -> bool:
        for error in lost:
            raise error
        return real(*arguments)

    real = export_runs.claim
    monkeypatch.setattr(export_runs, "claim", claim)
    monkeypatch.setattr(export_runs, "fail", lambda *_: claim())
    with working(room):
        (job,) = ask(room, "clip_1")
        wait_until(lambda: now(room, job.id).state == JobState.DONE)


@on_sqlite
def test_exports_are_rendered_in_the_order_in_which_they_were_enqueued(room: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "renders_at_once", lambda: 1)
    asked = ask(room, "clip_2", "clip_1", ratios=(AspectRatio.SQUARE, AspectRatio.PORTRAIT))
    with working(room):
        wait_until(lambda: all(now(room, job.id).state == JobState.DONE for job in asked))
    with room.database.read() as db:
        assert [job.id for job in cells(db, VIDEO_ID)] == [job.id for job in asked]
        finished = sorted(cells(db, VIDEO_ID), key=lambda job: job.updated_at)
    assert [job.id for job in finished] == [job.id for job in asked]
