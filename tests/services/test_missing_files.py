"""Check whether a file is in the bucket now."""

from __future__ import annotations

import dataclasses

import pytest
from sqlmodel import select

from clipviewer.db.models import ExportedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.language import ORIGINAL
from clipviewer.services.adoption.missing_files import check_file
from clipviewer.services.cells.drift import Drift
from clipviewer.services.container import Services
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.exporting.matrix import matrix
from clipviewer.services.library.videos import video_details
from clipviewer.services.room.clips import exported_clips
from clipviewer.storage.s3 import ObjectStore
from tests.exported_library import MASTER, finish, make_library


@pytest.fixture
def team(services: Services, bucket: ObjectStore) -> Services:
    with services.database.write() as db:
        make_library(db, bucket)
    return dataclasses.replace(services, store=bucket)


def original(services: Services) -> ExportedClip:
    with services.database.read() as db:
        return db.exec(select(ExportedClip).where(ExportedClip.target_language == ORIGINAL)).one()


def test_a_video_whose_file_went_away_is_missing_until_it_is_back(team: Services, bucket: ObjectStore) -> None:
    assert check_file(team, "video_1")
    master = bucket.get(MASTER)
    bucket.delete(MASTER)
    assert not check_file(team, "video_1")
    with team.database.read() as db:
        assert video_details(db, "video_1").missing_at is not None
    bucket.put(MASTER, master, "video/mp4")
    assert check_file(team, "video_1")
    with team.database.read() as db:
        assert video_details(db, "video_1").missing_at is None


def test_a_missing_export_is_shown_in_list_and_matrix_and_rendered_again(team: Services, bucket: ObjectStore) -> None:
    clip = original(team)
    bucket.delete(clip.s3_key)
    assert not check_file(team, "video_1", clip.id)
    with team.database.write() as db:
        assert [one.drift for one in exported_clips(db, "video_1") if one.id == clip.id] == [(Drift.MISSING,)]
        (entry,) = [entry for row in matrix(db, "video_1").rows for entry in row.entries if entry.language == ORIGINAL]
        assert (entry.state, entry.drift) == ("stale", (Drift.MISSING,))
        (job,) = request_exports(db, "video_1", ["clip_1"], ExportChoices([AspectRatio.PORTRAIT]))
        assert job.state == "queued"
        finish(db, bucket, job)
        assert [(one.id != clip.id, one.drift) for one in exported_clips(db, "video_1") if one.target_language == ORIGINAL] == [(True, ())]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_checking_does_not_change_existing_files(team: Services) -> None:
    with team.database.read() as db:
        before = db.exec(select(Video)).one()
    assert check_file(team, "video_1", original(team).id)
    with team.database.read() as db:
        assert db.exec(select(Video)).one() == before
