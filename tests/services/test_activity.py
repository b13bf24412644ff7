"""Jobs of every kind in one list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clipviewer.db.models import IdentifiedClip, Video, utc_now
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.services import work
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.library.activity import job, recent
from clipviewer.services.work import WorkNotFound

NOW = utc_now()


@pytest.fixture
def footage(database: Database) -> Database:
    """An export of one clip in two ratios is queued; an import was queued before it and a search for clips after it."""
    with database.write() as db:
        work.enqueue(db, "adopt", "talks/", clock=lambda: NOW - timedelta(minutes=2))
        db.add(Video(id="video_1", title="Talk", s3_key="talk.mp4", etag="e1", size=10))
        db.flush()
        db.add(IdentifiedClip(id="clip_1", video_id="video_1", reference="1", start_ms=0, end_ms=900, title="Goal"))
        db.flush()
        choices = ExportChoices([AspectRatio.PORTRAIT, AspectRatio.SQUARE], ["original"])
        request_exports(db, "video_1", ["clip_1"], choices, clock=lambda: NOW - timedelta(minutes=1))
        work.enqueue(db, "find", "video_1", video_id="video_1", clock=lambda: NOW)
    return database


def test_jobs_of_all_kinds_are_listed_together_the_newest_first(footage: Database) -> None:
    with footage.read() as db:
        found = recent(db, limit=10)
        first = recent(db, limit=2)
    assert [(item.kind, item.subject, item.title, item.state) for item in found] == [
        ("find", "video_1", "Talk", "queued"),
        ("export", "Goal · 1:1 · original", "Talk", "queued"),
        ("export", "Goal · 9:16 · original", "Talk", "queued"),
        ("adopt", "talks/", "talks/", "queued"),
    ]
    assert first == found[:2]


def test_each_job_is_found_by_its_id(footage: Database) -> None:
    with footage.read() as db:
        for item in recent(db, limit=10):
            assert job(db, item.id) == item
        for unknown in ("job_none", "work_none", "video_1"):
            with pytest.raises(WorkNotFound):
                job(db, unknown)


def test_a_result_is_returned_with_its_job(footage: Database) -> None:
    with footage.write() as db:
        (search,) = work.queued(db, ["find"], 1)
        assert work.claim(db, search.ticket, NOW)
        work.finish(db, search, NOW, {"added": 3})
        (export,) = [item for item in recent(db, limit=10) if item.ratio == "9:16"]
        assert (job(db, search.id).result, job(db, search.id).state, export.result) == ({"added": 3}, "done", None)
