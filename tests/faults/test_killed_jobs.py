"""A worker that is killed during a library job: the next worker does the job, exactly once."""

from __future__ import annotations

import signal

import pytest

from clipviewer.db.models import Video
from clipviewer.jobs.landmarks import OF_LIBRARY
from clipviewer.services import work
from clipviewer.services.work import WorkView
from tests.faults.conftest import Scene
from tests.faults.job_process import VIDEO_ID


@pytest.fixture
def previews(scene: Scene) -> WorkView:
    with scene.database.write() as db:
        return work.enqueue(db, "previews", VIDEO_ID, video_id=VIDEO_ID)


def assert_done(scene: Scene, job: WorkView, attempt: int) -> None:
    """Check that this attempt finished the job, and that only the files named by the video exist."""
    with scene.database.read() as db:
        done, made = work.work(db, job.id), db.get_one(Video, VIDEO_ID).previews
        assert (done.state, done.attempt, work.unfinished_work(db)) == ("done", attempt, [])
    named = {made["posterKey"], made["filmstripKey"], made["peaksKey"], *(sheet["key"] for sheet in made["sheets"])}
    assert {found.key for found in scene.store.list("previews/")} == named
    assert list((scene.folder / "work").iterdir()) == []


@pytest.mark.parametrize("landmark", OF_LIBRARY)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_job_survives_a_kill_at(landmark: str, scene: Scene, previews: WorkView) -> None:
    assert scene.work(kill_at=landmark) == -signal.SIGKILL
    assert scene.work() == 0
    assert_done(scene, previews, attempt=1)


@pytest.mark.parametrize(("landmark", "attempt"), [("handed over", 1), ("taken", 1), ("performed", 2)])
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_job_of_a_dead_worker_is_done_by_another(landmark: str, attempt: int, scene: Scene, previews: WorkView) -> None:
    assert scene.work(kill_at=landmark) == -signal.SIGKILL
    assert scene.work(lease_seconds=8) == 0
    assert scene.work() == 0, "what the dead one has left on the disk goes with the next start"
    assert_done(scene, previews, attempt)
