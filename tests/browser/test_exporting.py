"""From ticked candidates to a finished clip in the list, without leaving the page."""

from __future__ import annotations

import json

from tests.browser.clip_library import Registrar
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room


def ask_for_export(room: Room, title: str) -> None:
    room.page.get_by_role("tab", name="Identified").click()
    box = room.page.get_by_role("checkbox", name=f"Select {title}")
    box.check()
    room.page.get_by_role("button", name="Generate Shorts").click()


def test_a_ticked_clip_is_rendered_and_appears_in_every_open_room(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    video_id = registrar.video("export", "To be exported")
    registrar.identified(video_id, [("The landing", 3, 5)])
    other = open_room(app, f"/videos/{video_id}?tab=exported")
    room = open_room(app, f"/videos/{video_id}?tab=identified")
    ask_for_export(room, "The landing")
    dialog = room.page.get_by_role("dialog", name="Export clips")
    dialog.get_by_text("1 clip × 1 aspect ratio × 1 language: 1 new, about").wait_for()
    dialog.get_by_role("button", name="Export", exact=True).click()
    room.page.get_by_text("Exported: The landing 9:16").wait_for(timeout=90_000)
    room.page.get_by_role("tab", name="Exported").click()
    room.playing()
    assert room.page.get_by_role("option").count() == 1
    other.page.get_by_role("option", name="The landing").wait_for()
    keys = [stored.key for stored in app.store.list(f"exports/{video_id}/")]
    (sidecar,) = [key for key in keys if key.endswith(".json")]
    assert len(keys) == 2
    assert json.loads(app.store.get(sidecar))["source"]["s3Key"] == app.master_key(video_id)


def test_an_existing_export_is_not_rendered_again(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    video_id = registrar.video("twice", "Asked for twice")
    registrar.identified(video_id, [("Once", 6, 7)])
    room = open_room(app, f"/videos/{video_id}?tab=identified")
    ask_for_export(room, "Once")
    dialog = room.page.get_by_role("dialog", name="Export clips")
    dialog.get_by_role("button", name="Export", exact=True).click()
    room.page.get_by_text("Exported: Once 9:16").wait_for(timeout=90_000)
    room.page.get_by_role("button", name="Generate Shorts").click()
    dialog.get_by_text("0 new, 1 already there.").wait_for()
    assert dialog.get_by_role("button", name="Export", exact=True).is_disabled()


def test_a_missing_source_fails_with_its_reason_and_can_be_retried(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    video_id = registrar.video("nowhere", "Its master is gone")
    registrar.identified(video_id, [("Nothing", 1, 2)])
    app.wait_for_previews(app.master_key(video_id))
    app.store.delete(app.master_key(video_id))
    room = open_room(app, f"/videos/{video_id}?tab=identified")
    room.announce("refused: 404", "console error: Failed to load resource")
    ask_for_export(room, "Nothing")
    room.page.get_by_role("button", name="Export", exact=True).click()
    room.page.get_by_role("list", name="Exports in progress").get_by_role("button", name="Retry").wait_for(timeout=60_000)
    assert [stored.key for stored in app.store.list(f"exports/{video_id}/")] == []
