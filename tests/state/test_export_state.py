"""The states of the export dialog, of unfinished exports and of captions."""

from __future__ import annotations

import pytest

from clipviewer.db.models import utc_now
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.preferences import preferences_of
from clipviewer.services.cells.board import cells
from clipviewer.services.container import Services
from clipviewer.services.exporting.export_runs import Ticket, claim, order_of, publish
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.prefs import save_preferences
from clipviewer.services.room.captions import attach
from clipviewer.services.room.framings import save_framing
from clipviewer.services.workers import beat
from clipviewer.state.captions import CaptionsState
from clipviewer.state.export_dialog import ExportDialogState
from clipviewer.state.exports import ExportState
from clipviewer.state.room import RoomState
from clipviewer.state.video_detail import VideoDetailState
from clipviewer.storage.s3 import StoredObject
from tests.state.page import Page
from tests.state.video_rows import Footage, add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def room(page: Page, services: Services) -> tuple[Page, Footage]:
    """A clip room with two ticked candidates; the first is exported in 9:16, the second in 1:1."""
    with services.database.write() as db:
        footage = add_footage(db, exported=2, identified=3)
    page.go(footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    for clip in footage.identified[:2]:
        page.call(VideoDetailState, "toggle_clip_selection", clip)
    return page, footage


def test_the_plan_counts_what_is_new_and_what_is_there(room: tuple[Page, Footage]) -> None:
    page, _ = room
    delta, _ = page.call(ExportDialogState, "plan")
    assert delta["summary"] == "2 clips × 1 aspect ratio × 1 language: 1 new, 1 already there, about 5 s."
    assert delta["missing"] == 1
    delta, _ = page.call(ExportDialogState, "toggle_ratio", "1:1")
    assert delta["summary"] == "2 clips × 2 aspect ratios × 1 language: 2 new, 2 already there, about 5 s."


def test_the_plan_without_an_aspect_ratio_says_what_to_do(room: tuple[Page, Footage]) -> None:
    page, _ = room
    delta, _ = page.call(ExportDialogState, "toggle_ratio", "9:16")
    assert (delta["ratios"], delta["summary"], delta["missing"]) == ([], "Choose at least one aspect ratio.", 0)


def test_aspect_ratios_keep_their_order_and_unknown_ones_are_ignored(room: tuple[Page, Footage]) -> None:
    page, _ = room
    for ratio in ("16:9", "1:1", "4:3", "", "9:16 "):
        page.call(ExportDialogState, "toggle_ratio", ratio)
    assert page.state(ExportDialogState).ratios == ["9:16", "1:1", "16:9"]


def test_the_plan_of_a_page_without_a_video_is_empty(page: Page) -> None:
    assert page.call(ExportDialogState, "plan") == ({}, "")


def test_export_queues_missing_cells_and_shows_their_progress(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportDialogState, "handle_export_clips")
    (job,) = page.state(ExportState).jobs
    assert (job.state, job.ratio, job.title) == ("queued", "9:16", "Candidate 1")
    assert page.state(ExportState).busy
    assert not page.state(VideoDetailState).export_open


def test_a_room_says_why_its_exports_do_not_move(room: tuple[Page, Footage], services: Services) -> None:
    page, _ = room
    page.call(ExportDialogState, "handle_export_clips")
    assert page.state(ExportState).paused == ""
    with services.database.write() as db:
        beat(db, "app", utc_now(), "the job queues cannot be used.")
    page.call(RoomState, "follow")
    assert page.state(ExportState).paused == "Exports are paused: the job queues cannot be used."
    with services.database.write() as db:
        beat(db, "app", utc_now())
    page.call(RoomState, "follow")
    assert page.state(ExportState).paused == ""


def test_exporting_the_same_again_enqueues_nothing(room: tuple[Page, Footage]) -> None:
    page, _ = room
    for _ in range(2):
        page.call(ExportDialogState, "handle_export_clips")
    assert len(page.state(ExportState).jobs) == 1


def test_a_cancelled_export_leaves_the_page(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportDialogState, "handle_export_clips")
    page.call(ExportState, "cancel_export", page.state(ExportState).jobs[0].id)
    assert page.state(ExportState).jobs == []
    assert not page.state(ExportState).busy


def test_nothing_is_sent_while_nothing_changes(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportDialogState, "handle_export_clips")
    assert page.call(RoomState, "follow", of=ExportState) == ({}, "")


def test_an_export_queued_and_finished_between_two_refreshes_joins_the_list(room: tuple[Page, Footage], services: Services) -> None:
    page, footage = room
    page.call(RoomState, "follow", of=ExportState)
    now = utc_now()
    with services.database.write() as db:
        (cell,) = request_exports(db, footage.video_id, [footage.identified[2]], ExportChoices([AspectRatio.SQUARE]))
        ticket = Ticket(cell.id, cell.attempt)
        claim(db, ticket, now)
        order = order_of(db, ticket)
        assert order is not None
        publish(db, order, StoredObject("exports/quick.mp4", 1_000, "etag", "video/mp4", now), now)
    page.call(RoomState, "follow", of=ExportState)
    assert page.state(VideoDetailState).exported_total == len(footage.exported) + 1


def test_an_unknown_framing_or_caption_mode_is_refused(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportDialogState, "set_framing", "9:16", "tracking")
    page.call(ExportDialogState, "set_framing", "4:3", "fit")
    page.call(ExportDialogState, "set_captions", "dubbed")
    state = page.state(ExportDialogState)
    assert (set(state.framings.values()), state.framings.keys(), state.captions) == ({"centre"}, set(AspectRatio), "off")


def test_clips_framed_by_hand_are_exported_so_by_default(room: tuple[Page, Footage], services: Services) -> None:
    page, footage = room
    with services.database.write() as db:
        save_framing(db, footage.video_id, footage.identified[0], AspectRatio.PORTRAIT, 0.2, 0.5)
    page.call(ExportDialogState, "plan")
    state = page.state(ExportDialogState)
    assert (state.framed["9:16"], state.framings["9:16"], state.framings["1:1"]) == (1, "manual", "centre")
    page.call(ExportDialogState, "set_framing", "9:16", "fit")
    page.call(ExportDialogState, "plan")
    assert page.state(ExportDialogState).framings["9:16"] == "fit"


def test_by_hand_means_each_clips_own_crop_and_the_centre_for_the_others(room: tuple[Page, Footage], services: Services) -> None:
    page, footage = room
    with services.database.write() as db:
        save_framing(db, footage.video_id, footage.identified[1], AspectRatio.LANDSCAPE, 0.2, 0.5)
    for ratio in ("9:16", "16:9"):
        page.call(ExportDialogState, "toggle_ratio", ratio)
    page.call(ExportDialogState, "handle_export_clips")
    with services.database.read() as db:
        framings = {cell.identified_clip_id: cell.framing for cell in cells(db, footage.video_id)}
    assert framings == {
        footage.identified[0]: {"mode": "centre", "x": 0.5, "y": 0.5},
        footage.identified[1]: {"mode": "manual", "x": 0.2, "y": 0.5},
    }


def test_another_language_is_offered_once_it_has_captions_and_comes_with_them(room: tuple[Page, Footage], services: Services) -> None:
    page, footage = room
    page.call(ExportDialogState, "plan")
    assert [row.tag for row in page.state(ExportDialogState).offered] == ["original"]
    with services.database.write() as db:
        attach(db, footage.video_id, "de", b"WEBVTT\n\n00:01.000 --> 00:03.000\nMoin\n", "harbour.de.vtt")
    page.call(ExportDialogState, "plan")
    page.call(ExportDialogState, "toggle_language", "de")
    state = page.state(ExportDialogState)
    assert ([row.name for row in state.offered], state.languages, state.captions) == (["Original", "German"], ["original", "de"], "soft")
    assert state.missing == 3
    page.call(ExportDialogState, "set_captions", "off")
    assert page.state(ExportDialogState).languages == ["original"]


def test_an_unavailable_language_is_not_selected(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportDialogState, "plan")
    page.call(ExportDialogState, "toggle_language", "fr")
    assert page.state(ExportDialogState).languages == ["original"]


def test_without_a_language_the_plan_says_what_to_do(room: tuple[Page, Footage]) -> None:
    page, _ = room
    page.call(ExportDialogState, "plan")
    page.call(ExportDialogState, "toggle_language", "original")
    state = page.state(ExportDialogState)
    assert (state.summary, state.missing) == ("Choose at least one language.", 0)


def test_removed_captions_can_be_restored(room: tuple[Page, Footage], services: Services) -> None:
    page, footage = room
    with services.database.write() as db:
        attach(db, footage.video_id, "de", b"WEBVTT\n\n00:01.000 --> 00:03.000\nMoin\n", "harbour.de.vtt")
    page.call(CaptionsState, "load")
    (before,) = page.state(CaptionsState).tracks
    assert before.note == "1 caption · harbour.de.vtt"
    page.call(CaptionsState, "remove", "de")
    assert page.state(CaptionsState).tracks == []
    page.call(CaptionsState, "put_back")
    assert page.state(CaptionsState).tracks == [before]


def prefer(services: Services, **wanted: object) -> None:
    with services.database.write() as db:
        save_preferences(db, preferences_of(wanted))


def chosen(page: Page) -> tuple[list[str], list[str], str, str]:
    state = page.state(ExportDialogState)
    return state.ratios, state.languages, state.captions, state.framings["1:1"]


def test_the_dialog_starts_with_the_team_preferences_available_for_the_video(room: tuple[Page, Footage], services: Services) -> None:
    page, footage = room
    prefer(services, ratios=["1:1", "16:9"], languages=["de"], captions="burned", framing="fit")
    page.call(ExportDialogState, "plan")
    assert chosen(page) == (["1:1", "16:9"], ["original"], "burned", "fit")
    with services.database.write() as db:
        attach(db, footage.video_id, "de", b"WEBVTT\n\n00:01.000 --> 00:03.000\nMoin\n", "harbour.de.vtt")
    page.call(ExportDialogState, "plan")
    assert chosen(page) == (["1:1", "16:9"], ["de"], "burned", "fit")


def test_a_persons_choices_override_the_team_preferences(room: tuple[Page, Footage], services: Services) -> None:
    page, _ = room
    page.call(ExportDialogState, "plan")
    page.call(ExportDialogState, "toggle_ratio", "16:9")
    page.call(ExportDialogState, "set_captions", "soft")
    page.call(ExportDialogState, "set_framing", "1:1", "auto")
    prefer(services, ratios=["1:1"], languages=["original"], captions="burned", framing="fit")
    page.call(ExportDialogState, "plan")
    assert chosen(page) == (["9:16", "16:9"], ["original"], "soft", "auto")
    assert page.state(ExportDialogState).framings["9:16"] == "fit"
    with services.database.write() as db:
        another = add_footage(db, "Pier", exported=1, identified=2)
    page.go(another.path)
    page.call(RoomState, "open", of=VideoDetailState)
    page.call(VideoDetailState, "toggle_clip_selection", another.identified[0])
    page.call(ExportDialogState, "plan")
    assert chosen(page) == (["9:16", "16:9"], ["original"], "soft", "auto")


def test_the_choice_of_manual_crops_does_not_carry_over_to_a_video_without_any(room: tuple[Page, Footage], services: Services) -> None:
    page, footage = room
    with services.database.write() as db:
        save_framing(db, footage.video_id, footage.identified[0], AspectRatio.PORTRAIT, 0.2, 0.5)
        another = add_footage(db, "Pier", exported=1, identified=2)
    page.call(ExportDialogState, "plan")
    page.call(ExportDialogState, "set_framing", "9:16", "manual")
    page.go(another.path)
    page.call(RoomState, "open", of=VideoDetailState)
    page.call(ExportDialogState, "plan")
    assert page.state(ExportDialogState).framings["9:16"] == "centre"


def test_languages_that_need_captions_get_them_even_if_the_team_turns_them_off_meanwhile(
    room: tuple[Page, Footage], services: Services
) -> None:
    page, footage = room
    prefer(services, captions="burned")
    with services.database.write() as db:
        attach(db, footage.video_id, "de", b"WEBVTT\n\n00:01.000 --> 00:03.000\nMoin\n", "harbour.de.vtt")
    page.call(ExportDialogState, "plan")
    page.call(ExportDialogState, "toggle_language", "de")
    prefer(services, captions="off")
    page.call(ExportDialogState, "plan")
    assert chosen(page)[1:3] == (["original", "de"], "soft")
