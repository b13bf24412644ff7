"""A storage that is away, refuses, or loses something: jobs wait for it or say why they fail, and go on by themselves once they can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clipviewer.domain.job_state import JobState
from clipviewer.errors import StorageClock, StorageCredentials, StorageDenied, StorageError, StorageUnreachable
from clipviewer.jobs.export_run import STEPS, ExportRun
from clipviewer.jobs.mending import retry_after_checks, retry_mended
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services import work
from clipviewer.services.cells.board import CellView
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs, exports
from clipviewer.services.workers import MAX_ATTEMPTS, Ticket
from clipviewer.storage.findings import Finding, Verdict
from clipviewer.storage.s3_errors import from_client_error
from tests.conftest import Clock
from tests.faults.conftest import Scene
from tests.faults.job_process import VIDEO_ID

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Refusing:
    """A store that answers everything with one error."""

    def __init__(self, error: StorageError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: Any, **__: Any) -> Any:
            raise self._error

        return refuse


@pytest.fixture
def services(scene: Scene) -> Services:
    (scene.folder / "exports").mkdir(parents=True)
    return scene.services()


def attempt(services: Services, scene: Scene, job: CellView, clock: Clock, error: StorageError | None = None) -> CellView:
    """Make the job's current attempt; with ``error``, the store answers with that."""
    now = scene.job(job.id)
    given = services if error is None else replace(services, store=Refusing(error))  # type: ignore[arg-type]
    run = ExportRun(given, Ticket(now.id, now.attempt), scene.folder / "exports", Ffmpeg(), patience=(), clock=clock)
    try:
        all(run.perform(step) for step in STEPS)
    finally:
        run.clean_up()
    return scene.job(job.id)


def due(services: Services, clock: Clock) -> list[Ticket]:
    with services.database.read() as db:
        return export_runs.queued(db, 10, clock=clock)


@on_sqlite
def test_an_export_waits_longer_and_longer_for_a_storage_that_is_away_and_then_ends(
    services: Services, scene: Scene, job: CellView, clock: Clock
) -> None:
    waiting = attempt(services, scene, job, clock, StorageUnreachable())
    assert waiting.state == JobState.QUEUED
    assert waiting.reason == "The storage cannot be reached. Trying again by itself until 13:00 UTC."
    assert due(services, clock) == []
    clock.pass_time(seconds=15)
    assert due(services, clock) == [Ticket(job.id, 2)]
    attempt(services, scene, job, clock, StorageUnreachable())
    clock.pass_time(seconds=15)
    assert due(services, clock) == []
    clock.pass_time(seconds=15)
    done = attempt(services, scene, job, clock)
    assert (done.state, done.reason) == (JobState.DONE, "")


@on_sqlite
def test_an_export_gives_up_after_an_hour_and_a_retry_begins_anew(services: Services, scene: Scene, job: CellView, clock: Clock) -> None:
    tries = 0
    while (state := attempt(services, scene, job, clock, StorageUnreachable()).state) == JobState.QUEUED:
        tries += 1
        clock.pass_time(minutes=5)
    assert (state, tries > MAX_ATTEMPTS, clock.now.hour) == (JobState.FAILED, True, 13)
    with services.database.write() as db:
        assert exports.retry(db, job.id).reason == ""
    assert attempt(services, scene, job, clock, StorageUnreachable()).reason.endswith("until 14:00 UTC.")


@on_sqlite
def test_a_library_job_waits_for_a_storage_that_is_away(services: Services, scene: Scene, clock: Clock) -> None:
    with services.database.write() as db:
        item = work.enqueue(db, "previews", VIDEO_ID, video_id=VIDEO_ID)

    def fail(_: LibraryAttempt) -> dict[str, Any]:
        raise StorageUnreachable

    LibraryAttempt(services, item, scene.folder / "work", Ffmpeg(), clock=clock).run(fail)
    with services.database.read() as db:
        found = work.work(db, item.id)
        assert (found.state, found.attempt) == ("queued", 2)
        assert "Trying again by itself until 13:00 UTC" in found.note
        assert work.queued(db, ["previews"], 1, clock=clock) == []
        clock.pass_time(seconds=15)
        assert [one.id for one in work.queued(db, ["previews"], 1, clock=clock)] == [item.id]


@on_sqlite
@pytest.mark.parametrize("error", [StorageDenied(), StorageCredentials(), StorageClock()])
def test_what_the_storage_refuses_fails_at_once_and_goes_on_when_the_doctor_is_content(
    error: StorageError, services: Services, scene: Scene, job: CellView, clock: Clock
) -> None:
    failed = attempt(services, scene, job, clock, error)
    assert (failed.state, failed.reason) == (JobState.FAILED, error.detail)
    checks = ("credentials", "server", "clock", "list", "put", "get", "delete")
    assert retry_after_checks(services, [Finding(check, Verdict.FAILED, "no") for check in checks], clock.now) == 0
    assert retry_after_checks(services, [Finding(check, Verdict.OK, "yes") for check in checks], clock.now) == 1
    assert scene.job(job.id).state == JobState.QUEUED
    assert attempt(services, scene, job, clock).state == JobState.DONE


@on_sqlite
def test_a_refused_job_is_started_again_without_anybody_looking_but_ever_more_rarely(
    services: Services, scene: Scene, job: CellView, clock: Clock
) -> None:
    for pause in (1, 2, 4):
        attempt(services, scene, job, clock, StorageDenied())
        assert retry_mended(services, clock.now + timedelta(minutes=pause, seconds=-1)) == 0
        assert retry_mended(services, clock.now + timedelta(minutes=pause)) == 1
    assert retry_mended(services, clock.now + timedelta(days=2)) == 0


@on_sqlite
def test_an_export_of_a_missing_video_goes_on_once_the_video_is_back(services: Services, scene: Scene, job: CellView, clock: Clock) -> None:
    master = scene.store.get("small.mp4")
    scene.store.delete("small.mp4")
    failed = attempt(services, scene, job, clock)
    assert (failed.state, "missing from the bucket" in failed.reason) == (JobState.FAILED, True)
    clock.pass_time(minutes=1)
    assert retry_mended(services, clock.now) == 0
    scene.store.put("small.mp4", master, "video/mp4")
    assert retry_mended(services, clock.now) == 1
    assert attempt(services, scene, job, clock).state == JobState.DONE


@pytest.mark.parametrize(
    ("code", "status", "ahead", "told"),
    [
        ("SignatureDoesNotMatch", 403, 0, "check the credentials"),
        ("SignatureDoesNotMatch", 403, 20, "clock is 20 minutes ahead of the storage's"),
        ("AccessDenied", 403, -20, "clock is 20 minutes behind the storage's"),
        ("RequestTimeTooSkewed", 403, 0, "set the server's clock"),
        ("", 403, 30, "clock is 30 minutes ahead"),
        ("AccessDenied", 403, 0, "check the bucket policy"),
    ],
)
def test_a_wrong_clock_is_told_from_a_wrong_key_by_the_storages_date(code: str, status: int, ahead: int, told: str) -> None:
    date = (datetime.now(UTC) - timedelta(minutes=ahead)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {"date": date}}
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": metadata}, "HeadObject")  # type: ignore[typeddict-item]
    assert told in from_client_error(error).detail


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500), ("", 429), ("RequestTimeout", 400)])
def test_a_busy_storage_counts_as_away(code: str, status: int) -> None:
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")  # type: ignore[typeddict-item]
    assert isinstance(from_client_error(error), StorageUnreachable)
