"""A master with its index last: copied with the index first, and everything derived from it stays valid."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from clipviewer.db.clip_models import ClipLook
from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import Video, utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.job_state import JobState
from clipviewer.domain.quick_copy import Original, parse_original
from clipviewer.domain.removal import RemovalScope
from clipviewer.errors import Conflict, DiskFull, StorageUnreachable
from clipviewer.jobs import export_run
from clipviewer.jobs.export_run import STEPS, ExportRun
from clipviewer.jobs.kinds import Kind
from clipviewer.jobs.quick_start_work import make_quick_start
from clipviewer.jobs.removal_work import remove_video
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.jobs.worker import JobWorker
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled
from clipviewer.media.source.inspection import inspect
from clipviewer.services import work
from clipviewer.services.adoption.adopting import run_import
from clipviewer.services.container import Services
from clipviewer.services.exporting.choices import plan_exports
from clipviewer.services.exporting.export_runs import Order, Ticket
from clipviewer.services.library import quick_start, removal
from clipviewer.services.library.changes import delete
from clipviewer.services.library.registration import NewExportedClip, NewVideo, register_exported, register_video
from clipviewer.services.library.row_writer import Status
from clipviewer.services.room.clips import exported_clips
from tests.claims import claim_next
from tests.jobs.attempts import enqueue_export, reloaded, run_attempt, wait_until
from tests.jobs.conftest import MASTER_KEY, VIDEO_ID
from tests.preview_footage import encode

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def slow_file(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("slow") / "slow.mp4", "-i", str(footage), "-map", "0", "-c", "copy")


@pytest.fixture
def slow(room: Services, slow_file: Path) -> Services:
    """A room whose master is known to have its index last."""
    room.store.put_file(MASTER_KEY, slow_file, "video/mp4")
    stored = room.store.head(MASTER_KEY)
    with room.database.write() as db:
        video = db.get_one(Video, VIDEO_ID)
        video.etag, video.size, video.media = stored.etag, stored.size, {"slowToStart": True}
        video.previews = {"version": 1, "etag": stored.etag, "sheets": []}
    return room


def claimed(services: Services, folder: Path, stopping: Callable[[], bool] = lambda: False) -> LibraryAttempt:
    with services.database.write() as db:
        quick_start.enqueue_quick_start(db, VIDEO_ID, actor="user_1")
        item = claim_next(db, [quick_start.KIND], utc_now())
    assert item is not None
    place = folder / f"{item.id}-{item.attempt}"
    place.mkdir()
    return LibraryAttempt(services, item, place, Ffmpeg(), stopping=stopping)


def video_of(services: Services) -> Video:
    with services.database.read() as db:
        return db.get_one(Video, VIDEO_ID)


def keys(services: Services) -> set[str]:
    return {found.key for found in services.store.list("talks/")}


def exported(services: Services) -> list[tuple[str, tuple[str, ...]]]:
    with services.database.read() as db:
        return [(clip.s3_key, clip.drift) for clip in exported_clips(db, VIDEO_ID, recaptioned=["none"])]


def test_the_quick_copy_is_stored_beside_the_old_file_and_becomes_the_master(slow: Services, tmp_path: Path) -> None:
    before = video_of(slow)
    run = claimed(slow, tmp_path)
    result = make_quick_start(run)
    video = video_of(slow)
    assert keys(slow) == {MASTER_KEY, video.s3_key}
    assert result == {"s3Key": video.s3_key}
    assert video.s3_key.startswith("talks/small.quick-")
    stored = slow.store.head(video.s3_key)
    assert (video.etag, video.size, stored.content_type) == (stored.etag, stored.size, "video/mp4")
    assert parse_original(stored.key, stored.metadata) == Original(MASTER_KEY, before.etag)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(slow.store.get(video.s3_key))
    assert not inspect(str(copy), tmp_path).slow_to_start
    assert (video.media["moov"], video.media["slowToStart"]) == ("first", False)
    assert (video.duration_ms, video.frame_rate, video.title) == (before.duration_ms, before.frame_rate, before.title)
    assert video.previews == {**before.previews, "etag": stored.etag}
    assert list(run.folder.iterdir()) == [run.folder / "master.mp4"]
    with slow.database.write() as db:
        assert work.work(db, run.item.id).state == JobState.DONE
        with pytest.raises(Conflict, match="already starts quickly"):
            quick_start.enqueue_quick_start(db, VIDEO_ID)


def test_exports_and_analysed_shots_stay_valid(slow: Services, tmp_path: Path) -> None:
    job = run_attempt(slow, enqueue_export(slow), tmp_path)
    assert job.state == JobState.DONE
    waiting = enqueue_export(slow, "clip_2")
    with slow.database.write() as db:
        range_of = {"start_ms": 500, "end_ms": 1_500, "version": 1, "found": {}}
        db.add(ClipLook(identified_clip_id="clip_1", source_etag=video_of(slow).etag, **range_of))
    before = exported(slow)
    make_quick_start(claimed(slow, tmp_path))
    assert exported(slow) == before == [(before[0][0], ())]
    with slow.database.read() as db:
        planned = plan_exports(db, VIDEO_ID, ["clip_1", "clip_2"], ExportChoices([AspectRatio.PORTRAIT]))
        assert db.exec(select(ClipLook)).one().source_etag == video_of(slow).etag
    assert (len(planned.missing), len(planned.present)) == (0, 2)
    assert run_attempt(slow, waiting, tmp_path).state == JobState.DONE
    assert len(exported(slow)) == 2
    sidecars = [json.loads(slow.store.get(found.key)) for found in slow.store.list("exports/") if found.key.endswith(".json")]
    assert {sidecar["source"]["s3Key"] for sidecar in sidecars} == {MASTER_KEY, video_of(slow).s3_key}


@pytest.mark.parametrize("done", range(len(STEPS)))
def test_an_export_that_is_under_way_ends_well(slow: Services, tmp_path: Path, done: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def render(_ffmpeg: Ffmpeg, _services: Services, _order: Order, out: Path, **_: object) -> None:
        out.write_bytes(b"a clip")

    monkeypatch.setattr(export_run, "render_cell", render)
    job = enqueue_export(slow)
    run = ExportRun(slow, Ticket(job.id, 1), tmp_path, Ffmpeg())
    assert all(run.perform(step) for step in STEPS[:done])
    make_quick_start(claimed(slow, tmp_path))
    assert all(run.perform(step) for step in STEPS[done:])
    assert reloaded(slow, job).state == JobState.DONE
    ((key, drift),) = exported(slow)
    assert drift == ()
    assert slow.store.head(key).size > 0
    assert {found.key for found in slow.store.list("exports/")} == {key, key.replace(".mp4", ".json")}


def test_a_cancelled_or_failed_job_leaves_nothing(slow: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaCancelled):
        make_quick_start(claimed(slow, tmp_path, stopping=lambda: True))
    put = slow.store.send_file

    def then(happens: Callable[[], object]) -> Any:
        def send_file(*args: Any, **options: Any) -> None:
            put(*args, **options)
            happens()

        return send_file

    def call_off() -> None:
        with slow.database.write() as db:
            quick_start.cancel_quick_start(db, VIDEO_ID)

    def refuse() -> None:
        raise StorageUnreachable

    call_off()
    monkeypatch.setattr(slow.store, "send_file", then(call_off))
    with pytest.raises(MediaCancelled):
        make_quick_start(claimed(slow, tmp_path))
    monkeypatch.setattr(slow.store, "send_file", then(refuse))
    with pytest.raises(StorageUnreachable):
        make_quick_start(claimed(slow, tmp_path))
    call_off()
    monkeypatch.setattr(slow.store, "send_file", then(lambda: slow.store.put(MASTER_KEY, b"another", "video/mp4")))
    with pytest.raises(Conflict, match="replaced while"):
        make_quick_start(claimed(slow, tmp_path))
    assert keys(slow) == {MASTER_KEY}
    assert video_of(slow).s3_key == MASTER_KEY
    assert video_of(slow).media == {"slowToStart": True}


def test_sending_stops_at_once_when_it_is_cancelled(slow: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = slow.store.send_file

    def send_file(*args: Any, **options: Any) -> None:
        with slow.database.write() as db:
            quick_start.cancel_quick_start(db, VIDEO_ID)
        run._looked = 0.0
        put(*args, **options)
        pytest.fail("it was sent to the end")

    monkeypatch.setattr(slow.store, "send_file", send_file)
    run = claimed(slow, tmp_path)
    with pytest.raises(MediaCancelled):
        make_quick_start(run)
    assert keys(slow) == {MASTER_KEY}


def test_leftovers_of_a_killed_attempt_are_removed_by_the_next_one(slow: Services, tmp_path: Path) -> None:
    first = claimed(slow, tmp_path)
    slow.store.put(quick_start.quick_key(MASTER_KEY, first.item), b"half", "video/mp4")
    with slow.database.write() as db:
        work.release(db, first.item, utc_now())
    second = claimed(slow, tmp_path)
    slow.store.put(quick_start.quick_key(MASTER_KEY, second.item), b"half", "video/mp4")
    with slow.database.write() as db:
        quick_start.cancel_quick_start(db, VIDEO_ID)
    make_quick_start(claimed(slow, tmp_path))
    assert keys(slow) == {MASTER_KEY, video_of(slow).s3_key}


def test_a_full_disk_is_reported_before_anything_is_read(slow: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = claimed(slow, tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(DiskFull, match=r"has 0 MB left, and this needs about \d+ MB"):
        make_quick_start(run)
    assert list(run.folder.iterdir()) == []


def test_the_worker_runs_the_job_and_reports(slow: Services) -> None:
    with slow.database.write() as db:
        asked = quick_start.enqueue_quick_start(db, VIDEO_ID)
        assert quick_start.enqueue_quick_start(db, VIDEO_ID).id == asked.id
    worker = JobWorker(slow, {quick_start.KIND: Kind(make_quick_start)}, poll_seconds=0.05)
    worker.start()
    try:
        wait_until(lambda: work_of(slow, asked.id).state not in (JobState.QUEUED, JobState.RUNNING))
    finally:
        worker.stop()
    done = work_of(slow, asked.id)
    assert (done.state, done.note) == (JobState.DONE, "")
    assert video_of(slow).media["slowToStart"] is False


def work_of(services: Services, work_id: str) -> work.WorkView:
    with services.database.read() as db:
        return work.work(db, work_id)


def test_a_pipeline_that_names_the_old_file_means_the_same_video(slow: Services, tmp_path: Path) -> None:
    make_quick_start(claimed(slow, tmp_path))
    moved = video_of(slow)
    objects = {MASTER_KEY: slow.store.head(MASTER_KEY)}
    with slow.database.write() as db:
        again = register_video(db, NewVideo(MASTER_KEY, title="Named anew", duration_ms=5_000), objects)
        assert work.unfinished_work(db) == []
        clip = NewExportedClip(MASTER_KEY, 0, 1_000, "9:16", "en")
        (as_clip,) = register_exported(db, VIDEO_ID, [clip], objects)
    assert (again.id, again.name, again.status, as_clip.status) == (VIDEO_ID, MASTER_KEY, Status.UPDATED, Status.CONFLICT)
    video = video_of(slow)
    assert (video.s3_key, video.etag, video.title, video.duration_ms) == (moved.s3_key, moved.etag, "Named anew", 6_000)


def test_another_file_under_the_old_key_is_the_videos_new_file(slow: Services, tmp_path: Path) -> None:
    make_quick_start(claimed(slow, tmp_path))
    quick_key = video_of(slow).s3_key
    slow.store.put(MASTER_KEY, b"another film", "video/mp4")
    with slow.database.write() as db:
        again = register_video(db, NewVideo(MASTER_KEY), {MASTER_KEY: slow.store.head(MASTER_KEY)})
        assert [(item.kind, item.video_id) for item in work.unfinished_work(db)] == [("previews", VIDEO_ID)]
        assert db.exec(select(FormerMaster)).one().s3_key == quick_key
        copy = register_video(db, NewVideo(quick_key), {quick_key: slow.store.head(quick_key)})
    assert (again.id, copy.id) == (VIDEO_ID, VIDEO_ID)
    assert (video_of(slow).s3_key, video_of(slow).etag) == (MASTER_KEY, slow.store.head(MASTER_KEY).etag)


def test_importing_takes_neither_file_for_another_video(slow: Services, tmp_path: Path) -> None:
    make_quick_start(claimed(slow, tmp_path))
    quick_key = video_of(slow).s3_key
    told = run_import(slow, "talks/", actor="user_1", on_progress=lambda _: None, check=lambda: None)
    assert (told.known, told.videos, told.changed) == (2, 0, 0)
    assert video_of(slow).s3_key == quick_key
    slow.store.put(MASTER_KEY, b"another film", "video/mp4")
    told = run_import(slow, "talks/", actor="user_1", on_progress=lambda _: None, check=lambda: None)
    assert (told.known, told.videos, told.changed) == (1, 0, 1)
    assert (video_of(slow).s3_key, video_of(slow).size) == (MASTER_KEY, 12)


def test_a_video_removed_with_its_objects_leaves_neither_file(slow: Services, tmp_path: Path) -> None:
    make_quick_start(claimed(slow, tmp_path))
    with slow.database.write() as db:
        delete(db, [VIDEO_ID], RemovalScope.ALL)
        removal.enqueue_removal(db, VIDEO_ID)
        item = claim_next(db, [removal.KIND], utc_now())
    assert item is not None
    remove_video(LibraryAttempt(slow, item, tmp_path, Ffmpeg()))
    assert keys(slow) == set()


def test_previews_of_another_file_are_enqueued_again(slow: Services, tmp_path: Path) -> None:
    with slow.database.write() as db:
        db.get_one(Video, VIDEO_ID).previews = {"etag": "of another file"}
    make_quick_start(claimed(slow, tmp_path))
    with slow.database.read() as db:
        assert [item.kind for item in work.unfinished_work(db)] == ["previews"]
        assert db.get_one(Video, VIDEO_ID).previews == {"etag": "of another file"}
