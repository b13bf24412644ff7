"""Where the focus is while a dialog opens from a video's menu, and afterwards."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.clip_library import Registrar, unique
from tests.browser.running_app import RunningApp
from tests.browser.test_library_changes import add_titled, menu
from tests.browser.watched_page import OpenRoom

A_LATE_END = "@keyframes late { to { opacity: 0.9 } } [role=menu][data-state=closed] { animation: late 600s !important }"


def keep_menus(page: Page) -> None:
    """Keep a menu open after an item was chosen, as on a slow machine, so that the dialog opens before it closes."""
    page.add_style_tag(content=A_LATE_END)


def end_menu(page: Page) -> None:
    """Close the menu that was kept open."""
    expect(page.locator("[role=menu]")).to_have_count(1)
    page.evaluate("document.querySelector('[role=menu]').getAnimations().forEach(each => each.finish())")
    expect(page.locator("[role=menu]")).to_have_count(0)


@pytest.mark.parametrize(("action", "field"), [("Rename", "Title"), ("Tags", "Tags")])
def test_a_dialog_keeps_the_focus_when_its_menu_closes_late_and_returns_it(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom, action: str, field: str
) -> None:
    name = unique("Lapwing")
    add_titled(registrar, name)
    page = open_room(app, f"/?q={name}", reduced_motion="reduce").page
    expect(page.get_by_role("link", name=name)).to_be_visible()
    keep_menus(page)
    menu(page, name, action)
    text = page.get_by_role("dialog", name=action).get_by_role("textbox", name=field)
    expect(text).to_be_focused()
    end_menu(page)
    expect(text).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name=f"Actions for {name}")).to_be_focused()


def test_the_dialog_of_deletion_opens_with_the_focus_in_it(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    name = unique("Lapwing")
    video_id = add_titled(registrar, name)
    page = open_room(app, f"/videos/{video_id}", reduced_motion="reduce").page
    expect(page.get_by_role("tab", name="Identified")).to_be_visible()
    keep_menus(page)
    menu(page, name, "Delete")
    dialog = page.get_by_role("dialog", name="Delete")
    expect(dialog).to_be_visible()
    end_menu(page)
    page.wait_for_function("document.activeElement.closest('[role=dialog]') !== null")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name=f"Actions for {name}")).to_be_focused()


def test_a_dialog_of_several_videos_gives_the_focus_back_to_its_button(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    word = unique("Turnstone")
    names = (f"{word} one", f"{word} two")
    for name in names:
        add_titled(registrar, name)
    page = open_room(app, f"/?q={word}", reduced_motion="reduce").page
    for name in names:
        page.get_by_role("checkbox", name=f"Select {name}").check()
    button = page.get_by_role("group", name="Selected videos").get_by_role("button", name="Tag", exact=True)
    button.click()
    expect(page.get_by_role("dialog", name="Tags").get_by_role("textbox", name="Tags")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_a_menu_item_without_a_dialog_leaves_the_focus_at_the_menu(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    name = unique("Sanderling")
    video_id = add_titled(registrar, name)
    page = open_room(app, f"/videos/{video_id}", reduced_motion="reduce").page
    menu(page, name, "Archive")
    expect(page.get_by_text("Archived", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name=f"Actions for {name}")).to_be_focused()
