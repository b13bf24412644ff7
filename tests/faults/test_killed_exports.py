"""A worker that is killed anywhere, then restarted: the export ends with exactly one object, its two sidecars and one row."""

from __future__ import annotations

import signal

import pytest
from sqlmodel import select

from clipviewer.db.export_models import ExportUpload
from clipviewer.db.models import ExportedClip
from clipviewer.domain.job_state import JobState
from clipviewer.jobs.landmarks import LANDMARKS
from clipviewer.services.cells.board import CellView
from clipviewer.services.exporting.exports import cancel
from tests.faults.conftest import Scene

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def files_of(clip: ExportedClip) -> list[str]:
    """Return the sorted keys of an export and of its sidecars."""
    return [clip.s3_key.replace(".mp4", ".json"), clip.s3_key, clip.s3_key.replace(".mp4", ".vtt")]


@on_sqlite
@pytest.mark.parametrize("landmark", LANDMARKS)
def test_an_export_survives_a_kill_at(landmark: str, scene: Scene, job: CellView) -> None:
    assert scene.work(kill_at=landmark) == -signal.SIGKILL
    assert scene.work() == 0
    done = scene.job(job.id)
    assert (done.state, done.attempt) == (JobState.DONE, 1)
    with scene.database.read() as db:
        (clip,) = db.exec(select(ExportedClip))
        assert db.exec(select(ExportUpload)).all() == []
    assert scene.exported() == files_of(clip)
    assert scene.store.head(clip.s3_key).etag == clip.etag
    assert list((scene.folder / "exports").iterdir()) == []


@on_sqlite
@pytest.mark.parametrize("landmark", ["announced", "captions uploaded", "object uploaded", "sidecar uploaded"])
def test_leftovers_of_a_killed_and_cancelled_export_are_swept_at_the_next_start(landmark: str, scene: Scene, job: CellView) -> None:
    assert scene.work(kill_at=landmark) == -signal.SIGKILL
    with scene.database.write() as db:
        cancel(db, job.id)
    assert scene.work() == 0
    assert scene.exported() == []
    assert list((scene.folder / "exports").iterdir()) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_export_of_a_dead_worker_is_taken_over_by_another(scene: Scene, job: CellView) -> None:
    assert scene.work(kill_at="object uploaded") == -signal.SIGKILL
    assert scene.work(lease_seconds=8) == 0
    done = scene.job(job.id)
    assert (done.state, done.attempt) == (JobState.DONE, 2)
    with scene.database.read() as db:
        (clip,) = db.exec(select(ExportedClip))
    assert set(files_of(clip)) <= set(scene.exported())
    assert scene.work() == 0
    assert scene.exported() == files_of(clip)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_export_claimed_but_never_started_is_taken_over_by_another(scene: Scene, job: CellView) -> None:
    assert scene.work(kill_at="taken") == -signal.SIGKILL
    assert scene.work(lease_seconds=8) == 0
    done = scene.job(job.id)
    assert (done.state, done.attempt) == (JobState.DONE, 1)
    with scene.database.read() as db:
        (clip,) = db.exec(select(ExportedClip))
    assert scene.exported() == files_of(clip)
