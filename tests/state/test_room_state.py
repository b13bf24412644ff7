"""A clip room as a whole: one event opens it, and one pulse sends its parts what has changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clipviewer.db.models import Video
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.services.library import quick_start, video_previews
from clipviewer.services.room import finding, marking
from clipviewer.services.work import WorkView
from clipviewer.state.captions import CaptionsState
from clipviewer.state.exports import ExportState
from clipviewer.state.finding import FindingState
from clipviewer.state.library_changes import LibraryChangesState
from clipviewer.state.matrix import MatrixState
from clipviewer.state.quick_start import QuickStartState
from clipviewer.state.room import RoomState
from clipviewer.state.timeline import TimelineState
from clipviewer.state.video_detail import VideoDetailState
from tests.claims import claim_next
from tests.state.page import Page
from tests.state.video_rows import Footage, add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def footage(services: Services) -> Footage:
    with services.database.write() as db:
        footage = add_footage(db, ordered=True)
        db.get_one(Video, footage.video_id).media = {"slowToStart": True}
    return footage


@pytest.fixture
def room(page: Page, footage: Footage) -> Page:
    """An open room that has refreshed once."""
    page.go(footage.path)
    page.call(RoomState, "open")
    page.call(RoomState, "follow")
    return page


def claimed(services: Services, kind: str) -> WorkView:
    with services.database.write() as db:
        item = claim_next(db, [kind], datetime.now(UTC))
    assert item is not None
    return item


def report(services: Services, item: WorkView, progress: float) -> None:
    with services.database.write() as db:
        work.report(db, item, datetime.now(UTC), progress=progress)


def test_one_event_opens_all_parts_of_a_room(page: Page, footage: Footage) -> None:
    page.go(f"{footage.path}?tab=exported&view=matrix")
    assert page.call(RoomState, "open")[1] == ""
    assert page.state(VideoDetailState).phase == "ready"
    assert [track.tag for track in page.state(CaptionsState).tracks] == ["de"]
    assert [job.id for job in page.state(ExportState).jobs] == list(footage.jobs)
    assert (page.state(MatrixState).phase, len(page.state(MatrixState).lines)) == ("ready", 3)
    assert (page.state(FindingState).search.video_id, page.state(FindingState).search.may_find) == (footage.video_id, True)
    assert (page.state(TimelineState).timeline.video_id, page.state(TimelineState).timeline.may_mark) == (footage.video_id, True)
    assert (page.state(QuickStartState).quick_start.state, page.state(QuickStartState).quick_start.may_mend) == ("slow", True)
    assert page.state(LibraryChangesState).may_change


def test_a_pulse_sends_nothing_while_nothing_changes(room: Page) -> None:
    assert room.call(RoomState, "follow") == ({}, "")
    assert room.sent == {}


def test_a_pulse_sends_no_more_than_what_has_changed(room: Page, services: Services, footage: Footage) -> None:
    with services.database.write() as db:
        finding.enqueue_search(db, footage.video_id)
    room.call(RoomState, "follow")
    assert {name.rpartition(".")[2]: set(values) for name, values in room.sent.items()} == {
        "clipviewer___state___finding____finding_state": {"search_rx_state_"}
    }


@pytest.mark.parametrize("tab", ["exported", "identified"])
def test_a_candidate_that_somebody_else_marks_joins_the_list(room: Page, services: Services, footage: Footage, tab: str) -> None:
    room.call(VideoDetailState, "set_tab", tab)
    with services.database.write() as db:
        marked = marking.mark_clip(db, footage.video_id, 60_000, 70_000, "Gulls")
    room.call(RoomState, "follow")
    assert marked in [row.id for row in room.state(VideoDetailState).identified_clips]
    assert room.state(VideoDetailState).tab == tab


def test_previews_started_by_somebody_else_are_followed_to_their_end(room: Page, services: Services, footage: Footage) -> None:
    with services.database.write() as db:
        video_previews.enqueue_previews(db, footage.video_id)
    room.call(RoomState, "follow")
    assert room.state(TimelineState).timeline.state == "making"
    item = claimed(services, video_previews.KIND)
    report(services, item, 0.4)
    room.call(RoomState, "follow")
    assert room.state(TimelineState).timeline.percent == 40
    with services.database.write() as db:
        db.get_one(Video, footage.video_id).previews = {"etag": "e1", "sheets": [{"key": "previews/sheet.webp", "columns": 5}]}
        work.finish(db, item, datetime.now(UTC), {})
    room.call(RoomState, "follow")
    view = room.state(TimelineState).timeline
    assert (view.state, view.edition, view.columns, len(view.sheets)) == ("", "e1", 5, 1)


def test_a_quick_copy_started_by_somebody_else_is_followed_to_its_end(room: Page, services: Services, footage: Footage) -> None:
    with services.database.write() as db:
        quick_start.enqueue_quick_start(db, footage.video_id)
    item = claimed(services, quick_start.KIND)
    room.call(RoomState, "follow")
    assert room.state(QuickStartState).quick_start.state == "running"
    with services.database.write() as db:
        video = db.get_one(Video, footage.video_id)
        video.media, video.s3_key = {}, "masters/quick.mp4"
        work.finish(db, item, datetime.now(UTC), {})
    _, answer = room.call(RoomState, "follow")
    assert "The video starts quickly now" in answer
    shown = room.state(VideoDetailState).video
    assert shown is not None
    assert shown.s3_key == "masters/quick.mp4"


def test_another_room_is_followed_from_its_own_beginning(room: Page, services: Services) -> None:
    with services.database.write() as db:
        other = add_footage(db, "Pier", ordered=True)
    room.go(other.path)
    room.call(RoomState, "follow")
    assert room.sent == {}
    room.call(RoomState, "open")
    assert [job.id for job in room.state(ExportState).jobs] == list(other.jobs)
    room.call(RoomState, "follow")
    assert room.sent == {}
