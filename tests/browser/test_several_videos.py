"""Several videos of the library at once: selected by pointer and by keys, tagged, archived, deleted and restored."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.clip_library import Registrar, unique
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


class FourVideos(NamedTuple):
    """The titles of four videos, and the word they share."""

    word: str
    titles: tuple[str, ...]


@pytest.fixture(scope="module")
def four_videos(registrar: Registrar) -> FourVideos:
    """Four videos whose titles share a word."""
    word = unique("Plover")
    titles = tuple(f"{word} {letter}" for letter in "abcd")
    for title in titles:
        registrar.video("plover", title)
    return FourVideos(word, titles)


def box(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=f"Select {name}")


def bar(page: Page) -> Locator:
    return page.get_by_role("group", name="Selected videos")


def listed(page: Page, *names: str) -> None:
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Plover")).to_have_count(len(names))
    for name in names:
        expect(page.get_by_role("link", name=name)).to_be_visible()


@pytest.mark.parametrize(("width", "view"), [(375, "table"), (1440, "grid")])
def test_shift_selects_a_range_and_escape_clears_it(
    app: RunningApp, four_videos: FourVideos, open_room: OpenRoom, width: int, view: str
) -> None:
    page = open_room(
        app, f"/?q={four_videos.word}&sort=title&view={view}", reduced_motion="reduce", viewport={"width": width, "height": 800}
    ).page
    expect(bar(page)).to_have_count(0)
    box(page, four_videos.titles[1]).check()
    expect(bar(page)).to_contain_text("1 selected")
    box(page, four_videos.titles[3]).click(modifiers=["Shift"])
    expect(bar(page)).to_contain_text("3 selected")
    expect(box(page, four_videos.titles[2])).to_be_checked()
    box(page, four_videos.titles[2]).focus()
    page.keyboard.press("Space")
    expect(bar(page)).to_contain_text("2 selected")
    bar(page).get_by_role("button", name="Select all").click()
    expect(bar(page)).to_contain_text("4 selected")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Escape")
    expect(bar(page)).to_have_count(0)
    for name in four_videos.titles:
        expect(box(page, name)).not_to_be_checked()


def test_selected_videos_are_tagged_archived_deleted_and_restored(app: RunningApp, four_videos: FourVideos, open_room: OpenRoom) -> None:
    page = open_room(app, f"/?q={four_videos.word}&sort=title", reduced_motion="reduce").page
    done, waders = page.get_by_role("status"), unique("waders")
    box(page, four_videos.titles[0]).check()
    box(page, four_videos.titles[1]).check()
    bar(page).get_by_role("button", name="Tag").click()
    page.get_by_role("textbox", name="Tags").fill(waders)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=waders, exact=True)).to_have_count(2)
    expect(bar(page)).to_contain_text("2 selected")
    bar(page).get_by_role("button", name="Archive").click()
    listed(page, *four_videos.titles[2:])
    expect(bar(page)).to_have_count(0)
    done.filter(has_text="Archived: 2 videos").get_by_role("button", name="Undo").click()
    listed(page, *four_videos.titles)
    box(page, four_videos.titles[1]).check()
    box(page, four_videos.titles[2]).check()
    bar(page).get_by_role("button", name="Delete").click()
    page.get_by_role("radio", name="Delete everything").check()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    listed(page, four_videos.titles[0], four_videos.titles[3])
    page.get_by_label("Show", exact=True).select_option(label="Recently deleted")
    listed(page, *four_videos.titles[1:3])
    box(page, four_videos.titles[1]).check()
    box(page, four_videos.titles[2]).check()
    bar(page).get_by_role("button", name="Restore").click()
    listed(page)
    page.get_by_label("Show", exact=True).select_option(label="All videos")
    listed(page, *four_videos.titles)
