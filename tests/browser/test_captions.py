"""Captions in the room: attached from a file, shown in the player, included in exports, removed and restored."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.clip_library import Registrar, Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room

GERMAN = "WEBVTT\n\n00:02.000 --> 00:04.000\nDie Boote laufen aus\n\n00:05.000 --> 00:06.000\nBis morgen\n"


@pytest.fixture
def subtitles(tmp_path: Path) -> Path:
    path = tmp_path / "harbour.de.vtt"
    path.write_text(GERMAN)
    return path


def open_captions(room: Room) -> Locator:
    room.page.get_by_role("banner").get_by_role("button", name="Captions").click()
    return room.page.get_by_role("dialog", name="Captions")


def attach(room: Room, path: Path) -> Locator:
    dialog = open_captions(room)
    dialog.get_by_label("File").set_input_files(path)
    dialog.get_by_role("button", name="Attach").click()
    return dialog


def a_video(registrar: Registrar, name: str) -> Video:
    video_id = registrar.video(name, "Harbour")
    return Video(video_id, "Harbour", (), registrar.identified(video_id, [("The landing", 3, 5)]))


def cues_of_the_track_in_the_player(room: Room) -> list[str]:
    """Turn the captions on, wait until the browser has loaded them, and return the cues."""
    room.page.wait_for_function("() => document.querySelector('video')?.textTracks.length === 1")
    room.media("video.textTracks[0].mode = 'showing'")
    room.wait_for("video => video.textTracks[0].cues?.length > 0")
    cues: list[str] = room.media("[...video.textTracks[0].cues].map(cue => `${cue.startTime} ${cue.text}`)")
    return cues


def test_the_language_of_a_caption_file_is_proposed_from_its_name(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom, subtitles: Path
) -> None:
    room = open_room(app, f"{a_video(registrar, 'attach').path}?tab=identified")
    dialog = attach(room, subtitles)
    track = dialog.get_by_role("list", name="Caption tracks").get_by_role("listitem")
    expect(track).to_have_text("German2 captions · harbour.de.vtt")
    dialog.get_by_role("button", name="Done").click()
    assert cues_of_the_track_in_the_player(room) == ["2 Die Boote laufen aus", "5 Bis morgen"]


def test_an_invalid_caption_file_is_refused_with_advice(app: RunningApp, registrar: Registrar, open_room: OpenRoom, tmp_path: Path) -> None:
    notes = tmp_path / "notes.srt"
    notes.write_text("buy milk")
    room = open_room(app, f"{a_video(registrar, 'refused').path}?tab=identified")
    room.announce("refused: 422", "console error: Failed to load resource")
    dialog = attach(room, notes)
    expect(dialog.get_by_role("alert")).to_have_text(
        "“notes.srt” is neither WebVTT nor SubRip: save the captions as .vtt or .srt and try again."
    )
    expect(dialog.get_by_text("This video has no captions yet.")).to_be_visible()


def test_the_dialog_gives_the_focus_back_to_its_button(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    button = room.page.get_by_role("button", name="Captions")
    button.press("Enter")
    expect(room.page.get_by_role("dialog", name="Captions")).to_be_visible()
    room.page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_captions_removed_by_mistake_are_restored(app: RunningApp, registrar: Registrar, open_room: OpenRoom, subtitles: Path) -> None:
    room = open_room(app, f"{a_video(registrar, 'undone').path}?tab=identified")
    dialog = attach(room, subtitles)
    dialog.get_by_role("button", name="Remove the captions in German").click()
    expect(dialog.get_by_role("listitem")).to_have_count(0)
    dialog.get_by_role("button", name="Done").click()
    room.page.get_by_role("button", name="Undo").click()
    expect(open_captions(room).get_by_role("listitem")).to_have_count(1)


def test_an_export_in_another_language_has_its_captions_as_a_track_of_the_player(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom, subtitles: Path
) -> None:
    video = a_video(registrar, "german")
    room = open_room(app, f"{video.path}?tab=identified")
    room.page.get_by_role("checkbox", name="Select The landing").check()
    room.page.get_by_role("button", name="Generate Shorts").click()
    dialog = room.page.get_by_role("dialog", name="Export clips")
    dialog.get_by_role("button", name="Add captions").click()
    captions = room.page.get_by_role("dialog", name="Captions")
    captions.get_by_label("File").set_input_files(subtitles)
    captions.get_by_role("button", name="Attach").click()
    expect(captions.get_by_role("listitem")).to_have_count(1)
    captions.get_by_role("button", name="Done").click()
    dialog.get_by_label("Original").uncheck()
    dialog.get_by_label("German").check()
    expect(dialog.get_by_label("Soft")).to_be_checked()
    dialog.get_by_label("Framing, portrait").select_option(label="Fit with a blurred background")
    dialog.get_by_role("button", name="Export", exact=True).click()
    room.page.get_by_text("Exported: The landing 9:16").wait_for(timeout=90_000)
    room.page.get_by_role("tab", name="Exported").click()
    room.playing()
    expect(room.option("The landing")).to_contain_text("Fit · soft captions")
    assert cues_of_the_track_in_the_player(room) == ["0 Die Boote laufen aus"]
    assert sorted(Path(stored.key).suffix for stored in app.store.list(f"exports/{video.id}/")) == [".json", ".mp4", ".vtt"]
