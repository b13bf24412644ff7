"""A clip room that is open while its video is deleted: nothing more is signed, and the page says so."""

from __future__ import annotations

import pytest

from clipviewer.db.models import Video
from clipviewer.domain.removal import RemovalScope
from clipviewer.services.container import Services
from clipviewer.services.library import changes
from clipviewer.state.captions import CaptionsState
from clipviewer.state.framing import FramingState
from clipviewer.state.library import LibraryState
from clipviewer.state.room import RoomState
from clipviewer.state.timeline import TimelineState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.page import Page
from tests.state.video_rows import Footage, add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def long_video(page: Page, services: Services) -> Footage:
    """An open room with a long list."""
    with services.database.write() as db:
        footage = add_footage(db, exported=300)
        sheets = [{"key": "previews/sheet.webp", "columns": 10, "count": 100}]
        db.get_one(Video, footage.video_id).previews = {"sheets": sheets, "picture": {"width": 160, "height": 90}}
        db.get_one(Video, footage.video_id).poster_key = "previews/poster.webp"
    page.go(footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    return footage


def delete(services: Services, footage: Footage) -> None:
    with services.database.write() as db:
        changes.delete(db, [footage.video_id], RemovalScope.KEEP)


@pytest.mark.parametrize(("handler", "given"), [("show_range", (280, 290)), ("open", ())])
def test_nothing_is_signed_any_more(page: Page, services: Services, long_video: Footage, handler: str, given: tuple[object, ...]) -> None:
    assert page.state(VideoDetailState).clip_video_urls
    delete(services, long_video)
    page.call(RoomState if handler == "open" else VideoDetailState, handler, *given)
    room = page.state(VideoDetailState)
    assert (room.phase, room.clip_video_urls, room.video, room.exported_clips) == ("deleted", {}, None, [])
    assert room.deleted is not None
    assert room.deleted.title == "Harbour"


def test_the_room_soon_shows_that_its_video_is_deleted_without_errors(page: Page, services: Services, long_video: Footage) -> None:
    assert page.call(RoomState, "follow")[1] == ""
    assert page.state(TimelineState).timeline.sheets
    delete(services, long_video)
    assert page.call(RoomState, "follow")[1] == ""
    assert page.state(VideoDetailState).phase == "deleted"
    assert not page.state(TimelineState).timeline.sheets
    for kind, handler in ((RoomState, "follow"), (RoomState, "open"), (CaptionsState, "load")):
        assert page.call(kind, handler)[1] == ""
    assert page.state(VideoDetailState).phase == "deleted"


def test_the_picture_of_a_deleted_video_is_not_analysed(page: Page, services: Services, long_video: Footage) -> None:
    delete(services, long_video)
    assert "Clip not found" in page.call(FramingState, "open_clip", long_video.identified[0])[1]


def test_the_card_of_a_deleted_video_shows_no_pictures(page: Page, services: Services, long_video: Footage) -> None:
    page.go("/")
    page.call(LibraryState, "load")
    (card,) = page.state(LibraryState).videos
    assert (bool(card.poster), card.strip) == (True, True)
    delete(services, long_video)
    page.go("/?filter=deleted")
    page.call(LibraryState, "load")
    (card,) = page.state(LibraryState).videos
    assert (card.poster, card.strip, card.deleted) == ("", False, True)
