"""Hourly garbage collection: removes what is no longer needed; one failing step does not stop the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from clipviewer.db.models import Video, utc_now
from clipviewer.domain.removal import KEPT_FOR, RemovalScope
from clipviewer.jobs.sweeping import tidy_up
from clipviewer.services import work
from clipviewer.services.bucket.browser_probe import upload_probe
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.services.library import uploads
from clipviewer.services.library.changes import delete
from clipviewer.services.library.uploading import Uploading
from tests.api.stores import running_bucket

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def team(services: Services, tmp_path: Path) -> Iterator[Services]:
    """The services over a running store."""
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        settings = dataclasses.replace(services.settings, s3_prefix="team/")
        yield dataclasses.replace(services, settings=settings, store=store, signer=signer_for(settings, store))


def deleted_video(services: Services) -> None:
    with services.database.write() as db:
        db.add(Video(id="video_1", title="Gone", s3_key="gone.mp4"))
        db.flush()
        delete(db, ["video_1"], RemovalScope.KEEP)


def removals(services: Services) -> list[str]:
    with services.database.read() as db:
        return [item.subject for item in work.unfinished_work(db) if item.kind == "remove"]


def test_leftovers_of_a_storage_check_are_removed_after_an_hour(team: Services) -> None:
    others = {"team/exports/.doctorate.mp4", "team/exports/a.mp4", "team/.doctor-a", "exports/.doctor-a"}
    for key in ("team/exports/.doctor-0123456789abcdef", *others):
        team.store.put(key, b"x", "video/mp4")
    upload_probe(team, "user_1", "http://clips.test")
    tidy_up(team, utc_now() + timedelta(minutes=59))
    assert len(list(team.store.list(""))) == len(others) + 2
    tidy_up(team, utc_now() + timedelta(minutes=61))
    assert {found.key for found in team.store.list("")} == others


def test_deleted_videos_and_abandoned_uploads_are_removed_after_their_retention(team: Services, services: Services) -> None:
    deleted_video(team)
    team.settings.data_dir.mkdir()
    upload, _ = Uploading(team).begin("a.mp4", 9, "", "user_1", lambda _db, _upload: None)
    tidy_up(team, utc_now())
    assert removals(team) == []
    tidy_up(team, utc_now() + KEPT_FOR)
    assert removals(team) == ["video_1"]
    assert state_of(team, upload.id) == uploads.State.OPEN
    tidy_up(team, utc_now() + uploads.ABANDONED)
    assert state_of(team, upload.id) == uploads.State.CANCELLED


def state_of(services: Services, upload_id: str) -> str:
    with services.database.read() as db:
        return uploads.require_upload(db, upload_id, "user_1").state


def test_an_unreachable_store_does_not_keep_deleted_videos_from_being_removed(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    deleted_video(services)
    tidy_up(services, utc_now() + KEPT_FOR)
    assert removals(services) == ["video_1"]
    assert "leftovers of storage checks" in caplog.text
