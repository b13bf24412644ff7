"""A video that is deleted while people have it open, and restored."""

from __future__ import annotations

from playwright.sync_api import expect

from clipviewer.domain.removal import RemovalScope
from clipviewer.services.library import changes
from tests.browser.clip_library import Registrar
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


def test_a_room_says_that_its_video_was_deleted_and_an_admin_restores_it(
    app: RunningApp, registrar: Registrar, viewer: str, open_room: OpenRoom
) -> None:
    video = registrar.four_shapes("avocet", "Avocet")
    watching = open_room(app, f"{video.path}?tab=identified", email=viewer)
    room = open_room(app, f"{video.path}?tab=identified")
    for each in (watching, room):
        each.playing()
    with app.database.write() as db:
        changes.delete(db, [video.id], RemovalScope.KEEP)
    for each in (watching, room):
        expect(each.page.get_by_text("This video was deleted")).to_be_visible()
        expect(each.video).to_have_count(0)
    expect(watching.page.get_by_role("button", name="Restore")).to_have_count(0)
    room.page.get_by_role("button", name="Restore").click()
    room.playing()
    expect(room.page.get_by_role("group", name="Timeline")).to_be_visible()
    watching.page.reload()
    watching.playing()
