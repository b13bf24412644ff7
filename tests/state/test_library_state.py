"""The states of the library and of the account menu."""

from __future__ import annotations

import pytest

from clipviewer.services.container import Services
from clipviewer.state import library
from clipviewer.state.account import AccountState
from clipviewer.state.library import PAGE, LibraryState
from clipviewer.state.library_page import LibraryPageState
from tests.state.page import Page
from tests.state.video_rows import add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


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


def test_a_full_page_is_followed_by_the_next_one(page: Page, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "MOST", PAGE)
    add_videos(services, PAGE + 5)
    page.go("/?sort=title")
    page.call(LibraryState, "load")
    first = [video.title for video in page.state(LibraryState).videos]
    page.call(LibraryState, "show_more")
    assert len(page.state(LibraryState).videos) == PAGE
    delta, events = page.call(LibraryState, "show_from", PAGE)
    assert (len(delta["videos"]), delta["first"]) == (5, PAGE)
    assert not {video.title for video in delta["videos"]} & set(first)
    assert f"/?sort=title&from={PAGE}" in events
    page.go("/?sort=title&from=100000")
    page.call(LibraryState, "load")
    state = page.state(LibraryState)
    assert (state.first, len(state.videos)) == (PAGE, 5)
    page.call(LibraryState, "set_search", "Harbour 1")
    assert page.state(LibraryState).first == 0


@pytest.mark.parametrize("asked", ["-1", "x", "1e3", "", "²", "99999999999"])
def test_an_invalid_page_number_shows_the_first_page(page: Page, services: Services, asked: str) -> None:
    add_videos(services, 1)
    page.go(f"/?from={asked}")
    page.call(LibraryState, "load")
    assert page.state(LibraryState).first == 0


def test_loading_an_unchanged_list_sends_no_list(page: Page, services: Services) -> None:
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


def test_the_address_says_what_is_listed(page: Page, services: Services) -> None:
    add_videos(services, 2, "Harbour")
    add_videos(services, 1, "Lighthouse")
    page.go("/?q=harb&sort=title&view=table")
    delta, _ = page.call(LibraryState, "load")
    assert [card.title for card in delta["videos"]] == ["Harbour 0", "Harbour 1"]
    state = page.state(LibraryState)
    assert (state.search, state.sort, state.shown, state.view, state.entered) == ("harb", "title", "all", "table", 1)
    page.go("/?sort=nonsense&filter=' OR 1&view=x")
    page.call(LibraryState, "load")
    state = page.state(LibraryState)
    assert (state.search, state.sort, state.shown, state.view, state.total) == ("", "newest", "all", "grid", 3)


@pytest.mark.parametrize(
    ("handler", "given", "address"),
    [
        ("set_sort", "title", "/?q=a+%26+b&sort=title"),
        ("set_sort", "nonsense", "/?q=a+%26+b"),
        ("set_filter", "running", "/?q=a+%26+b&filter=running"),
        ("set_view", "table", "/?q=a+%26+b&view=table"),
    ],
)
def test_a_choice_goes_into_the_address(page: Page, handler: str, given: str, address: str) -> None:
    page.go("/?q=a+%26+b")
    page.call(LibraryState, "load")
    _, events = page.call(LibraryState, handler, given)
    assert f"'{address}'" in events or f'"{address}"' in events, events


def test_a_choice_made_before_the_page_has_loaded_keeps_the_rest_of_the_address(page: Page) -> None:
    page.go("/?q=a+%26+b")
    _, events = page.call(LibraryState, "set_view", "table")
    assert "/?q=a+%26+b&view=table" in events, events


def test_the_account_menu_shows_who_is_signed_in(page: Page) -> None:
    delta, _ = page.call(LibraryPageState, "open", of=AccountState)
    assert delta["name"] == "Kim"
