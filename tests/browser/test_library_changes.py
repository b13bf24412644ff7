"""Renaming, tagging, archiving and deleting in the library, and undo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from clipviewer.db.models import ExportedClip
from clipviewer.db.models import Video as Row
from clipviewer.services import work
from tests.browser.clip_library import Registrar, unique
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room

PATIENCE = 60_000


def add_titled(registrar: Registrar, title: str) -> str:
    """Register a video with that title; return its id."""
    return registrar.video("named", title)


def menu(page: Page, title: str, action: str) -> None:
    """Choose an item of a video's menu."""
    page.get_by_role("button", name=f"Actions for {title}").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def undo(page: Page, done: str) -> None:
    """Press Undo. With reduced motion the toast stays until it is dismissed."""
    page.get_by_role("status").filter(has_text=done).get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").filter(has_text="Undone")).to_be_visible()


@pytest.mark.parametrize("width", [375, 1440])
def test_a_video_is_renamed_by_keyboard_and_gets_its_old_name_back(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom, width: int
) -> None:
    name = unique("Sparrow")
    add_titled(registrar, name)
    page = open_room(app, f"/?q={name}", reduced_motion="reduce", viewport={"width": width, "height": 800}).page
    page.get_by_role("button", name=f"Actions for {name}").press("Enter")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("Enter")
    field = page.get_by_role("dialog", name="Rename").get_by_role("textbox", name="Title")
    expect(field).to_have_value(name)
    field.fill(" ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="The title must have 1 to 300 characters.")).to_be_visible()
    field.fill(f"{name} at rest")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name=f"{name} at rest")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    undo(page, f"Renamed: {name}")
    expect(page.get_by_role("link", name=f"{name} at rest")).to_have_count(0)
    expect(page.get_by_role("link", name=name)).to_be_visible()


def test_tags_are_on_the_card_and_link_to_all_videos_with_them(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    word, bird, motion = unique("Swift"), unique("birds"), unique("motion")
    one, two = f"{word} one", f"{word} two"
    for title in (one, two):
        add_titled(registrar, title)
    room = open_room(app, f"/?q={word}", reduced_motion="reduce")
    page = room.page
    menu(page, one, "Tags")
    page.get_by_role("textbox", name="Tags").fill(f"{bird.capitalize()}, slow  {motion.capitalize()}")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name=f"slow {motion}", exact=True).click()
    expect(page.get_by_role("link", name=two)).to_have_count(0)
    page.wait_for_url(f"**/?q={word}&tag=slow+{motion}")
    page.reload()
    expect(page.get_by_label("Tag", exact=True)).to_have_value(f"slow {motion}")
    expect(page.get_by_text("1 video", exact=True)).to_be_visible()
    page.get_by_label("Tag", exact=True).select_option(label="Any tag")
    page.wait_for_url(f"**/?q={word}")
    menu(page, two, "Tags")
    page.get_by_role("group", name="Known tags").get_by_role("button", name=bird).click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name=bird, exact=True)).to_have_count(2)
    undo(page, f"Tagged: {two}")
    expect(page.get_by_role("button", name=bird, exact=True)).to_have_count(1)
    menu(page, one, "Tags")
    page.get_by_role("textbox", name="Tags").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name=bird, exact=True)).to_have_count(0)


def test_an_archived_video_has_a_filter_and_a_badge_and_still_works(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    rook = unique("Rook")
    video_id = add_titled(registrar, rook)
    room = open_room(app, f"/?q={rook}", reduced_motion="reduce")
    page = room.page
    menu(page, rook, "Archive")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(page.get_by_role("link", name=rook)).to_have_count(0)
    undo(page, "Archived: 1 video")
    expect(page.get_by_role("link", name=rook)).to_be_visible()
    menu(page, rook, "Archive")
    page.get_by_label("Show", exact=True).select_option(label="Archived")
    expect(page.get_by_role("link", name=rook)).to_contain_text("Archived")
    room.open(f"/videos/{video_id}")
    expect(page.get_by_text("Archived", exact=True)).to_be_visible()
    expect(page.get_by_role("tab", name="Identified")).to_be_visible()
    menu(page, rook, "Restore from archive")
    expect(page.get_by_text("Archived", exact=True)).to_have_count(0)


@pytest.mark.parametrize(("choice", "left"), [("Keep everything", 5), ("Delete the exports", 1), ("Delete everything", 0)])
def test_a_deleted_video_is_removed_permanently_with_the_chosen_objects(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom, choice: str, left: int
) -> None:
    video = registrar.four_shapes("heron", unique("Heron"))
    folder = app.master_key(video.id).removesuffix("master.mp4")
    page = open_room(app, f"/?q={video.word}", reduced_motion="reduce").page
    menu(page, video.title, "Delete")
    dialog = page.get_by_role("dialog", name="Delete")
    expect(dialog).to_contain_text("4 exports")
    expect(dialog.get_by_role("radio", checked=True)).to_have_count(0)
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_role("radio", name=choice).check()
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("link", name=video.title)).to_have_count(0)
    page.get_by_label("Show", exact=True).select_option(label="Recently deleted")
    expect(page.get_by_role("link", name=video.title)).to_contain_text("Deleted")
    menu(page, video.title, "Remove permanently")
    page.get_by_role("dialog", name="Remove permanently").get_by_role("button", name="Remove permanently").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name=video.title)).to_have_count(0, timeout=PATIENCE)
    with app.database.read() as db:
        assert db.get(Row, video.id) is None
        assert db.exec(select(ExportedClip).where(ExportedClip.video_id == video.id)).all() == []
    masters_and_exports = [found.key for found in app.store.list(folder)]
    assert len(masters_and_exports) == left, masters_and_exports


def test_a_deletion_is_undone_and_a_deleted_room_says_how_to_bring_it_back(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom
) -> None:
    bittern = unique("Bittern")
    video_id = add_titled(registrar, bittern)
    room = open_room(app, f"/?q={bittern}", reduced_motion="reduce")
    page = room.page
    delete(room, bittern)
    undo(page, f"Deleted: {bittern}")
    expect(page.get_by_role("link", name=bittern)).to_be_visible()
    delete(room, bittern)
    room.open(f"/videos/{video_id}")
    expect(page.get_by_text("This video was deleted")).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("tab", name="Identified")).to_be_visible()
    with app.database.read() as db:
        assert db.get_one(Row, video_id).deleted_at is None
        assert not [item for item in work.unfinished_work(db) if item.kind == "remove"]


def delete(room: Room, title: str) -> None:
    menu(room.page, title, "Delete")
    room.page.get_by_role("radio", name="Keep everything").check()
    room.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(room.page.get_by_role("dialog")).to_have_count(0)
    expect(room.page.get_by_role("link", name=title)).to_have_count(0)
