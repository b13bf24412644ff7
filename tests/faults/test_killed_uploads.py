"""A server that is killed while it completes an upload: the upload ends without the sender, exactly once."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlmodel import select

from clipviewer.db.models import Video, utc_now
from clipviewer.db.upload_models import VideoUpload
from clipviewer.jobs.kinds import KINDS
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services import work
from clipviewer.services.library import uploads
from clipviewer.services.library.uploading import Uploading
from clipviewer.services.library.uploads import State, UploadView
from tests.faults.conftest import ROOT, Scene
from tests.services.upload_steps import ANNA, begin, no_audit, row, send

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LATER = timedelta(minutes=2)


@pytest.fixture
def uploading(scene: Scene) -> Uploading:
    return Uploading(scene.services())


@pytest.fixture
def sent(uploading: Uploading, scene: Scene) -> UploadView:
    """An upload whose parts are all stored."""
    data = scene.store.get("small.mp4")
    found = begin(uploading, "talk.mp4", data)
    send(uploading, found, data)
    return found


def killed_request(scene: Scene, found: UploadView, step: str) -> int:
    command = [sys.executable, "-m", "tests.faults.upload_process", *scene.arguments(), found.id, step]
    return subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode


def perform_job(scene: Scene) -> None:
    """Do the upload's job as the next worker does."""
    with scene.database.read() as db:
        (item,) = work.queued(db, [uploads.KIND], 10)
    LibraryAttempt(scene.services(), item, scene.folder / "work", Ffmpeg()).run(KINDS[uploads.KIND].perform)


def assert_added_once(scene: Scene, uploading: Uploading, found: UploadView) -> None:
    assert row(uploading, found).state == State.DONE
    with scene.database.read() as db:
        (video,) = db.exec(select(Video).where(Video.s3_key == found.s3_key)).all()
        assert not [item for item in work.recent_work(db, "upload") if item.state != "done"]
    assert (video.id, scene.store.head(found.s3_key).size) == (found.video_id, found.size)
    assert uploading.complete(found.id, ANNA, no_audit).video_id == video.id


@pytest.mark.parametrize("step", ["before the parts are joined", "after the parts are joined", "before it is a video"])
def test_an_upload_is_completed_although_its_request_was_killed(step: str, scene: Scene, uploading: Uploading, sent: UploadView) -> None:
    assert killed_request(scene, sent, step) == -signal.SIGKILL
    assert row(uploading, sent).state == State.CHECKING
    perform_job(scene)
    assert_added_once(scene, uploading, sent)


def test_an_upload_that_was_sent_whole_is_completed_although_nobody_asks(scene: Scene, uploading: Uploading, sent: UploadView) -> None:
    assert killed_request(scene, sent, "before it is recorded") == -signal.SIGKILL
    assert row(uploading, sent).state == State.OPEN
    uploading.resume_idle(utc_now() + LATER)
    perform_job(scene)
    assert_added_once(scene, uploading, sent)


def test_an_upload_with_missing_parts_waits_for_its_sender(scene: Scene, uploading: Uploading) -> None:
    begin(uploading, "talk.mp4", scene.store.get("small.mp4"))
    uploading.resume_idle(utc_now() + LATER)
    with scene.database.read() as db:
        assert work.recent_work(db) == []


def test_a_request_and_a_job_that_complete_the_same_upload_add_one_video(scene: Scene, uploading: Uploading, sent: UploadView) -> None:
    """A request may take longer than the time after which its job starts."""

    class Interrupted(Uploading):
        def _look_into(self, found: UploadView):  # type: ignore[no-untyped-def]
            assert uploading.finish(found.id, ANNA) == found.video_id
            return super()._look_into(found)

    assert Interrupted(scene.services()).complete(sent.id, ANNA, no_audit).state == State.DONE
    assert_added_once(scene, uploading, sent)
    with scene.database.read() as db:
        assert [upload.note for upload in db.exec(select(VideoUpload))] == [""]
