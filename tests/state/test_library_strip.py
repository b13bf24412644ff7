"""The status strip above the library."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clipviewer.db.models import Video
from clipviewer.domain.job_state import JobState
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.state.library_page import LibraryPageState
from clipviewer.state.library_strip import SHOWN, LibraryStripState
from tests.claims import claim_next
from tests.state.page import Page
from tests.state.video_rows import add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_nothing_runs_in_an_empty_library(page: Page) -> None:
    page.call(LibraryPageState, "follow", of=LibraryStripState)
    state = page.state(LibraryStripState)
    assert (state.running, state.more, state.busy, state.failed) == ([], 0, False, 0)


def test_running_jobs_come_before_queued_ones_and_can_be_cancelled(page: Page, services: Services) -> None:
    with services.database.write() as db:
        footage = add_footage(db, ordered=True)
        asked = work.enqueue(db, "find", footage.video_id, video_id=footage.video_id)
        under_way = claim_next(db, ["find"], datetime.now(UTC))
        assert under_way is not None
        work.report(db, under_way, datetime.now(UTC), progress=0.42)
    page.call(LibraryPageState, "follow", of=LibraryStripState)
    rows = page.state(LibraryStripState).running
    assert [(row.what, row.waits, row.percent) for row in rows] == [
        ("Finding clips", False, 42),
        ("Candidate 0 · 16:9", True, 0),
        ("Candidate 1 · 16:9", True, 0),
    ]
    assert {row.title for row in rows} == {"Harbour"}
    page.call(LibraryStripState, "cancel", asked.id)
    page.call(LibraryStripState, "cancel", footage.jobs[0])
    assert [row.what for row in page.state(LibraryStripState).running] == ["Candidate 1 · 16:9"]
    with services.database.read() as db:
        assert work.work(db, asked.id).state == JobState.CANCELLED
    assert "already finished" in page.call(LibraryStripState, "cancel", asked.id)[1]


def test_only_the_first_jobs_are_named(page: Page, services: Services) -> None:
    with services.database.write() as db:
        for number in range(SHOWN + 3):
            work.enqueue(db, "adopt", f"prefix/{number}/")
    page.call(LibraryPageState, "follow", of=LibraryStripState)
    state = page.state(LibraryStripState)
    assert ([row.title for row in state.running], state.more) == ([f"prefix/{number}/" for number in range(SHOWN)], 3)


def test_missing_videos_are_counted(page: Page, services: Services) -> None:
    with services.database.write() as db:
        db.add(Video(title="Gone", s3_key="gone.mp4", missing_at=datetime.now(UTC)))
    page.call(LibraryPageState, "follow", of=LibraryStripState)
    assert page.state(LibraryStripState).missing == 1
