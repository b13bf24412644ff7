"""The states of the library, of the corner with the name, and of the export dialog."""

from __future__ import annotations

import pytest

from clipviewer.db.models import User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.services import container
from clipviewer.services.container import Services
from clipviewer.state.exports import ExportState
from clipviewer.state.library import PAGE, AccountState, LibraryState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.footage_rows import Footage, add_footage
from tests.state.page import Page

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def page(services: Services, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The library, opened by a reviewer named Kim."""
    monkeypatch.setattr(container, "_installed", services)
    with services.database.write() as db:
        user = User(email=f"{new_id('mail')}@example.org", name="Kim", role=Role.REVIEWER, password_hash="none")
        db.add(user)
        db.flush()
        token = services.sessions.start(db, user.id).token
    return Page(token, "/")


@pytest.fixture
def room(page: Page, services: Services) -> tuple[Page, Footage]:
    """A clip room with two ticked candidates, the first of which is exported in 9:16, the second in 1:1."""
    with services.database.write() as db:
        footage = add_footage(db, exported=2, identified=3)
    page.go(footage.path)
    page.call(VideoDetailState, "fetch_video_details")
    for clip in footage.identified[:2]:
        page.call(VideoDetailState, "toggle_clip_selection", clip)
    return page, footage


def add_videos(services: Services, count: int, title: str = "Harbour") -> None:
    with services.database.write() as db:
        for number in range(count):
            add_footage(db, f"{title} {number}", exported=0, identified=1)


def test_an_empty_library_is_ready_and_has_nothing(page: Page) -> None:
    page.call(LibraryState, "load")
    state = page.state(LibraryState)
    assert (state.phase, state.videos, state.total) == ("ready", [], 0)


def test_the_first_page_comes_first_and_more_on_demand(page: Page, services: Services) -> None:
    add_videos(services, PAGE + 5)
    delta, _ = page.call(LibraryState, "load")
    assert (len(delta["videos"]), delta["total"]) == (PAGE, PAGE + 5)
    assert {(card.identified, card.exported, card.poster) for card in delta["videos"]} == {(1, 0, "")}
    delta, _ = page.call(LibraryState, "show_more")
    assert len(delta["videos"]) == PAGE + 5


def test_loading_what_is_there_already_sends_no_list(page: Page, services: Services) -> None:
    add_videos(services, 3)
    page.call(LibraryState, "load")
    assert "videos" not in page.call(LibraryState, "load")[0]


def test_a_search_shows_what_it_finds_and_is_kept_short(page: Page, services: Services) -> None:
    add_videos(services, 2, "Harbour")
    add_videos(services, 1, "Lighthouse")
    delta, _ = page.call(LibraryState, "set_search", "light")
    assert ([card.title for card in delta["videos"]], delta["total"]) == (["Lighthouse 0"], 1)
    page.call(LibraryState, "set_search", "x" * 1500)
    state = page.state(LibraryState)
    assert (len(state.search), state.total) == (200, 0)


def test_the_corner_shows_who_is_signed_in(page: Page) -> None:
    delta, _ = page.call(AccountState, "load")
    assert delta["name"] == "Kim"


def test_the_plan_counts_what_is_new_and_what_is_there(room: tuple[Page, Footage]) -> None:
    page, _ = room
    delta, _ = page.call(ExportState, "plan")
    assert delta == {"summary": "2 clips × 1 aspect ratio × 1 language: 1 new, 1 already there.", "missing": 1}
    delta, _ = page.call(ExportState, "toggle_ratio", "1:1")
    assert delta["summary"] == "2 clips × 2 aspect ratios × 1 language: 2 new, 2 already there."


def test_the_plan_without_an_aspect_ratio_says_what_to_do(room: tuple[Page, Footage]) -> None:
    page, _ = room
    delta, _ = page.call(ExportState, "toggle_ratio", "9:16")
    assert delta == {"ratios": [], "summary": "Choose at least one aspect ratio.", "missing": 0}


def test_aspect_ratios_keep_their_order_and_unknown_ones_are_left_out(room: tuple[Page, Footage]) -> None:
    page, _ = room
    for ratio in ("16:9", "1:1", "4:3", "", "9:16 "):
        page.call(ExportState, "toggle_ratio", ratio)
    assert page.state(ExportState).ratios == ["9:16", "1:1", "16:9"]


def test_the_plan_of_a_page_without_a_video_is_empty(page: Page) -> None:
    assert page.call(ExportState, "plan") == ({}, "")


def test_export_queues_what_is_missing_and_shows_it_on_its_way(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportState, "handle_export_clips")
    (job,) = page.state(ExportState).jobs
    assert (job.state, job.ratio, job.title) == ("queued", "9:16", "Candidate 1")
    assert page.state(ExportState).busy
    assert not page.state(VideoDetailState).export_open


def test_exporting_the_same_again_makes_nothing_new(room: tuple[Page, Footage]) -> None:
    page, _ = room
    for _ in range(2):
        page.call(ExportState, "handle_export_clips")
    assert len(page.state(ExportState).jobs) == 1


def test_a_cancelled_export_leaves_the_page(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportState, "handle_export_clips")
    page.call(ExportState, "cancel_export", page.state(ExportState).jobs[0].id)
    assert page.state(ExportState).jobs == []
    assert not page.state(ExportState).busy


def test_nothing_is_sent_while_nothing_changes(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportState, "handle_export_clips")
    assert page.call(ExportState, "follow") == ({}, "")


def test_an_unknown_framing_is_refused(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportState, "set_framing", "tracking")
    assert page.state(ExportState).framing == "centre"
