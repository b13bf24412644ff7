"""The clip room without a mouse."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom

FOCUS_RING = "() => { const style = getComputedStyle(document.activeElement); return style.outlineStyle !== 'none' && style.outlineWidth; }"


def tab_to(page: Page, selector: str, most: int = 14) -> None:
    """Press Tab until ``selector`` has the focus."""
    page.locator(selector).first.wait_for()
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached with {most} tabs")


def test_the_list_is_reached_with_tab_and_navigated_with_arrows(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    room.playing(sample_video.exported[0].key)
    tab_to(room.page, "[role=option]")
    assert float(room.page.evaluate(FOCUS_RING).removesuffix("px")) >= 2
    for key, at in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", 3), ("ArrowDown", 3), ("Home", 0)):
        room.page.keyboard.press(key)
        room.shown(sample_video.exported[at].title)
        expect(room.option(sample_video.exported[at].title)).to_be_focused()
        room.playing(sample_video.exported[at].key)


def test_enter_and_space_open_the_focused_row_and_the_list_is_one_tab_stop(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, sample_video.path)
    for key, at in (("Enter", 2), ("Space", 1)):
        room.option(sample_video.exported[at].title).focus()
        room.page.keyboard.press(key)
        room.shown(sample_video.exported[at].title)
        room.playing(sample_video.exported[at].key)
    expect(room.page.locator("[role=option][tabindex='0']")).to_have_count(1)
    expect(room.page.locator("[role=option][tabindex='0']")).to_contain_text("Gulls")


def test_the_tabs_are_navigated_with_arrows(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    tab_to(room.page, "[role=tab]")
    room.page.keyboard.press("ArrowLeft")
    room.shown("Opening")


def test_a_checkbox_ticks_without_opening_its_clip_and_arrows_on_it_move_through_the_list(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    room.shown("Opening")
    box = room.page.get_by_role("checkbox", name="Select Middle")
    box.check()
    expect(box).to_be_checked()
    room.shown("Opening")
    box.press("Space")
    expect(box).not_to_be_checked()
    room.shown("Opening")
    expect(room.page.get_by_text("0 ticked")).to_be_visible()
    room.page.get_by_role("checkbox", name="Select Opening").focus()
    room.page.keyboard.press("ArrowDown")
    room.shown("Middle")


def test_generate_shorts_opens_the_dialog_for_the_ticked_clips_and_escape_closes_it(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    button = room.page.get_by_role("button", name="Generate Shorts")
    expect(button).to_be_disabled()
    for title in ("Opening", "Late"):
        room.page.get_by_role("checkbox", name=f"Select {title}").check()
    button.click()
    dialog = room.page.get_by_role("dialog", name="Export clips")
    expect(dialog).to_be_visible()
    ratios = dialog.get_by_role("group", name="Aspect ratio")
    expect(ratios.get_by_role("checkbox")).to_have_count(3)
    expect(dialog.get_by_role("group", name="Language")).to_be_visible()
    expect(dialog.get_by_role("button", name="Export", exact=True)).to_be_visible()
    expect(dialog).to_contain_text("2 clips × 1 aspect ratio × 1 language: 2 new, about")
    ratios.get_by_role("checkbox").nth(1).check()
    expect(dialog).to_contain_text("2 clips × 2 aspect ratios × 1 language: 4 new, about")
    room.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    expect(room.page.get_by_text("2 ticked")).to_be_visible()
