"""An export attempt under faults: it waits or fails with a reason, and leaves nothing behind."""

from __future__ import annotations

import dataclasses
import errno
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from clipviewer.db.export_models import ExportUpload
from clipviewer.db.models import Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.job_state import JobState
from clipviewer.errors import StorageCredentials, StorageUnreachable
from clipviewer.jobs import export_run
from clipviewer.jobs.export_run import STEPS, ExportRun
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.services.cells.board import CellView, cell
from clipviewer.services.container import Services
from clipviewer.services.exporting.export_runs import Order, Ticket
from clipviewer.services.exporting.exports import cancel, request_exports, retry
from clipviewer.storage.s3 import ObjectStore
from tests.jobs.conftest import MASTER_KEY, VIDEO_ID

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Faulty:
    """The store, but the next calls of ``method`` raise ``errors``, one each."""

    def __init__(self, store: ObjectStore, method: str, *errors: Exception) -> None:
        self._store, self._method, self._errors = store, method, list(errors)

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self._errors:
            error = self._errors.pop(0)

            def refuse(*_: object, **__: object) -> None:
                raise error

            return refuse
        return getattr(self._store, name)


@pytest.fixture
def job(room: Services) -> CellView:
    with room.database.write() as db:
        return request_exports(db, VIDEO_ID, ["clip_1"], ExportChoices([AspectRatio.PORTRAIT]))[0]


@pytest.fixture(autouse=True)
def quick_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renderer that writes a few bytes; ``test_worker`` uses the real one."""

    def render(_ffmpeg: Ffmpeg, _services: Services, _order: Order, out: Path, **_: object) -> None:
        out.write_bytes(b"a clip")

    monkeypatch.setattr(export_run, "render_cell", render)


def attempt(room: Services, job: CellView, folder: Path) -> CellView:
    """Run the job's current attempt to its end."""
    run = ExportRun(room, Ticket(job.id, job.attempt), folder, Ffmpeg(), patience=(0.01, 0.01))
    all(run.perform(step) for step in STEPS)
    run.clean_up()
    return now(room, job)


def now(room: Services, job: CellView) -> CellView:
    with room.database.read() as db:
        return cell(db, job.id)


def again(room: Services, job: CellView) -> CellView:
    with room.database.write() as db:
        return retry(db, job.id)


def with_faults(room: Services, method: str, *errors: Exception) -> Services:
    return dataclasses.replace(room, store=Faulty(room.store, method, *errors))  # type: ignore[arg-type]


def exported(room: Services) -> list[str]:
    return [item.key for item in room.store.list("exports/")]


@pytest.mark.parametrize("method", ["head", "put_file", "put"])
def test_a_brief_outage_of_the_storage_is_waited_out(method: str, room: Services, job: CellView, tmp_path: Path) -> None:
    faulty = with_faults(room, method, StorageUnreachable(), StorageUnreachable())
    assert attempt(faulty, job, tmp_path).state == JobState.DONE
    assert len(exported(room)) == 2


@pytest.mark.parametrize("method", ["head", "put_file", "put"])
@pytest.mark.parametrize("error", [StorageUnreachable, StorageCredentials])
def test_a_lasting_outage_of_the_storage_fails_the_export_and_a_retry_finishes_it(
    method: str, error: type[Exception], room: Services, job: CellView, tmp_path: Path
) -> None:
    failed = attempt(with_faults(room, method, error(), error(), error()), job, tmp_path)
    assert failed.reason.startswith(str(error()))
    assert exported(room) == []
    assert attempt(room, again(room, job), tmp_path).state == JobState.DONE
    assert len(exported(room)) == 2


def test_an_object_that_cannot_be_removed_now_stays_announced(room: Services, job: CellView, tmp_path: Path) -> None:
    away = with_faults(with_faults(room, "delete", StorageUnreachable()), "put", StorageCredentials())
    assert attempt(away, job, tmp_path).state == JobState.FAILED
    with room.database.read() as db:
        announced = {upload.s3_key for upload in db.exec(select(ExportUpload))}
    assert len(exported(room)) == 1
    assert announced > set(exported(room))


def test_a_replaced_video_fails_the_export_and_a_retry_uses_the_new_one(room: Services, job: CellView, tmp_path: Path) -> None:
    room.store.put(MASTER_KEY, b"another video", "video/mp4")
    failed = attempt(room, job, tmp_path)
    assert failed.state == JobState.FAILED
    assert "was replaced" in failed.reason
    with room.database.read() as db:
        assert db.get_one(Video, VIDEO_ID).etag == room.store.head(MASTER_KEY).etag
    renewed = again(room, job)
    assert renewed.identity != job.identity
    assert attempt(room, renewed, tmp_path).state == JobState.DONE


def test_a_missing_video_fails_with_what_to_do(room: Services, job: CellView, tmp_path: Path) -> None:
    room.store.delete(MASTER_KEY)
    assert (
        attempt(room, job, tmp_path).reason == "The video is missing from the bucket. Upload it again under the same key, then press Retry."
    )


def test_a_full_disk_fails_with_what_to_do(room: Services, job: CellView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export_run, "render_cell", full)
    assert attempt(room, job, tmp_path).reason.startswith("The server's disk is full")


def test_a_job_cancelled_before_its_turn_is_not_touched(room: Services, job: CellView, tmp_path: Path) -> None:
    with room.database.write() as db:
        before = cancel(db, job.id)
    assert attempt(room, job, tmp_path) == before


def test_a_job_cancelled_while_it_is_uploaded_leaves_nothing_in_the_bucket(room: Services, job: CellView, tmp_path: Path) -> None:
    run = ExportRun(room, Ticket(job.id, 1), tmp_path, Ffmpeg())
    assert all(run.perform(step) for step in STEPS[:-1])
    assert len(exported(room)) == 1
    with room.database.write() as db:
        cancel(db, job.id)
    assert not run.perform("publish")
    assert exported(room) == []
    assert now(room, job).state == JobState.CANCELLED


def test_a_file_lost_between_two_steps_is_rendered_again(room: Services, job: CellView, tmp_path: Path) -> None:
    run = ExportRun(room, Ticket(job.id, 1), tmp_path, Ffmpeg())
    assert all(run.perform(step) for step in STEPS[:3])
    run.clean_up()
    assert all(run.perform(step) for step in STEPS[3:])
    assert now(room, job).state == JobState.DONE


def block(folder: Path) -> None:
    folder.rmdir()
    folder.write_bytes(b"a file in its place")


@pytest.mark.parametrize("broken", [True, False], ids=["said by a tool", "said by the system"])
def test_a_folder_that_cannot_be_used_lets_the_export_wait_and_go_on(
    room: Services, job: CellView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()

    def render(_ffmpeg: Ffmpeg, _services: Services, _order: Order, out: Path, **_: object) -> None:
        block(folder)
        if broken:
            raise MediaError("ffmpeg failed", "out.mp4: Not a directory")
        out.write_bytes(b"a clip")

    with monkeypatch.context() as blocked:
        blocked.setattr(export_run, "render_cell", render)
        waiting = attempt(room, job, folder)
    assert (waiting.state, waiting.attempt) == (JobState.QUEUED, 2)
    assert waiting.reason == (
        "The server cannot use the folder exports of its data directory (Not a directory). This goes on by itself once it can."
    )
    folder.unlink()
    folder.mkdir()
    assert attempt(room, waiting, folder).state == JobState.DONE


def test_a_tool_that_is_missing_is_no_fault_of_the_folder(
    room: Services, job: CellView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(*_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "ffmpeg")

    monkeypatch.setattr(export_run, "render_cell", render)
    assert attempt(room, job, tmp_path).state == JobState.FAILED
