"""Changes to the library: the dialogs, and undo."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from clipviewer.db.models import User, Video, utc_now
from clipviewer.domain.permissions import Role
from clipviewer.services import work
from clipviewer.services.container import Services
from clipviewer.state.library import LibraryState
from clipviewer.state.library_changes import ChangeDialog, LibraryChangesState
from clipviewer.state.room import RoomState
from clipviewer.state.timeline import TimelineState
from clipviewer.state.video_detail import VideoDetailState
from tests.claims import claim_next
from tests.state.page import Page
from tests.state.video_rows import Footage, add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def footage(page: Page, services: Services) -> Footage:
    """Kim as an admin, with two videos."""
    with services.database.write() as db:
        db.exec(select(User)).one().role = Role.ADMIN
        footage = add_footage(db, "Harbour")
        add_footage(db, "Quay")
    page.go("/?sort=title")
    page.call(LibraryState, "load")
    return footage


def shown(page: Page) -> list[str]:
    return [video.title for video in page.state(LibraryState).videos]


def test_a_title_is_edited_saved_and_undone(page: Page, footage: Footage) -> None:
    page.call(LibraryChangesState, "ask_title", footage.video_id)
    state = page.state(LibraryChangesState)
    assert (state.dialog.kind, state.dialog.text) == ("rename", "Harbour")
    page.call(LibraryChangesState, "save_title", {"title": " "})
    assert page.state(LibraryChangesState).dialog.problem == "The title must have 1 to 300 characters."
    page.call(LibraryChangesState, "save_title", {"title": "Pier"})
    state = page.state(LibraryChangesState)
    assert (shown(page), state.dialog, state.done, state.undoable) == (["Pier", "Quay"], ChangeDialog(), "Renamed: Harbour", True)
    page.call(LibraryChangesState, "undo")
    assert (shown(page), page.state(LibraryChangesState).undoable) == (["Harbour", "Quay"], False)


def test_tags_of_one_video_are_replaced_and_those_of_several_added_to(page: Page, footage: Footage) -> None:
    page.call(LibraryChangesState, "ask_tags", [footage.video_id])
    page.call(LibraryChangesState, "save_tags", {"tags": "Boats, dawn,, boats "})
    assert page.state(LibraryState).tags == ["boats", "dawn"]
    ids = [video.id for video in page.state(LibraryState).videos]
    page.call(LibraryChangesState, "ask_tags", ids)
    assert page.state(LibraryChangesState).dialog.known == ("boats", "dawn")
    page.call(LibraryChangesState, "save_tags", {"tags": "sea"})
    assert [video.tags for video in page.state(LibraryState).videos] == [["boats", "dawn", "sea"], ["sea"]]
    _, events = page.call(LibraryState, "set_tag", "boats")
    assert "/?sort=title&tag=boats" in events
    assert shown(page) == ["Harbour"]


def test_nothing_is_deleted_before_the_objects_fate_is_chosen(page: Page, footage: Footage, services: Services) -> None:
    page.call(LibraryChangesState, "ask_objects", [footage.video_id])
    dialog = page.state(LibraryChangesState).dialog
    assert (dialog.objects, dialog.exports, dialog.everything) == ("", "3 exports", "3 exports and the master with previews")
    page.call(LibraryChangesState, "delete")
    assert "Choose" in page.state(LibraryChangesState).dialog.problem
    assert shown(page) == ["Harbour", "Quay"]
    page.call(LibraryChangesState, "choose_objects", "some")
    page.call(LibraryChangesState, "choose_objects", "all")
    page.call(LibraryChangesState, "delete")
    assert shown(page) == ["Quay"]
    with services.database.read() as db:
        assert db.get_one(Video, footage.video_id).removal == "all"
    page.call(LibraryChangesState, "undo")
    assert shown(page) == ["Harbour", "Quay"]


def test_a_deleted_video_is_removed_for_good_once_that_is_confirmed(page: Page, footage: Footage, services: Services) -> None:
    for step in (("ask_objects", [footage.video_id]), ("choose_objects", "exports"), ("delete",), ("ask_removal", [footage.video_id])):
        page.call(LibraryChangesState, *step)
    assert page.state(LibraryChangesState).dialog.text == "Deleted from the bucket: 3 exports."
    page.call(LibraryChangesState, "remove")
    with services.database.write() as db:
        assert [(item.kind, item.subject) for item in work.unfinished_work(db)] == [("remove", footage.video_id)]
        item = claim_next(db, ["remove"], utc_now())
        assert item is not None
        work.fail(db, item, utc_now(), "The storage cannot be reached")
    page.call(LibraryChangesState, "ask_removal", [footage.video_id])
    assert page.state(LibraryChangesState).dialog.problem == "The last attempt failed: The storage cannot be reached"


@pytest.mark.parametrize(
    ("hours", "state"), [(0.1, "Deleted · 24 h left"), (0.5, "Deleted · 24 h left"), (23.5, "Deleted · 1 h left"), (25, "Deleted")]
)
def test_a_deleted_card_says_how_long_it_can_be_restored(page: Page, services: Services, hours: float, state: str) -> None:
    with services.database.write() as db:
        add_footage(db, "Harbour")
        db.exec(select(Video)).one().deleted_at = utc_now() - timedelta(hours=hours)
    page.go("/?filter=deleted")
    page.call(LibraryState, "load")
    assert [video.state for video in page.state(LibraryState).videos] == [state]


def test_the_room_of_a_deleted_video_says_so_until_it_is_restored(page: Page, footage: Footage) -> None:
    for step in (("ask_objects", [footage.video_id]), ("choose_objects", "keep"), ("delete",)):
        page.call(LibraryChangesState, *step)
    page.go(footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    room = page.state(VideoDetailState)
    assert (room.phase, room.deleted.title, room.video, room.exported_clips) == ("deleted", "Harbour", None, [])
    page.call(LibraryChangesState, "restore", [footage.video_id])
    assert page.state(VideoDetailState).phase == "ready"
    assert page.state(TimelineState).timeline.video_id == footage.video_id


@pytest.mark.parametrize("asked", ["ask_tags", "ask_objects", "ask_removal"])
@pytest.mark.parametrize("ids", [[], ["video_1\ud800", "video_2"], ["clip_1", "video_1"], ["video_1"] * 1_001])
def test_a_dialog_opens_for_videos_only(page: Page, footage: Footage, asked: str, ids: list[str]) -> None:
    _, events = page.call(LibraryChangesState, asked, ids)
    assert "Video not found" in events
    assert page.state(LibraryChangesState).dialog == ChangeDialog()
