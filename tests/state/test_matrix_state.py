"""The state of the export matrix: loading from the address, updates, opening and queueing cells."""

from __future__ import annotations

import pytest

from clipviewer.db.models import ExportedClip, IdentifiedClip
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.services.cells import board
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.export_runs import Ticket
from clipviewer.services.room.captions import attach
from clipviewer.services.room.framings import save_framing
from clipviewer.state.exports import ExportState
from clipviewer.state.matrix import MatrixState
from clipviewer.state.matrix_rows import MatrixCell
from clipviewer.state.room import RoomState
from clipviewer.state.video_detail import VideoDetailState
from tests.conftest import Clock
from tests.state.page import Page
from tests.state.video_rows import Footage, add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def enter(page: Page, path: str) -> None:
    page.go(path)
    page.call(RoomState, "open")


@pytest.fixture
def footage(services: Services) -> Footage:
    """Candidates exported in 9:16 (the first), 1:1 (the second) and 16:9 (the third), and two ranges without a candidate."""
    with services.database.write() as db:
        return add_footage(db, exported=5, identified=3)


@pytest.fixture
def grid(page: Page, footage: Footage) -> Page:
    """The open matrix of that footage."""
    enter(page, f"{footage.path}?tab=exported&view=matrix")
    return page


def cells(page: Page, line: int = 0) -> list[MatrixCell]:
    return [cell for group in page.state(MatrixState).lines[line].groups for cell in group.cells]


def missing(footage: Footage, candidate: int, ratio: str, language: str = "original") -> str:
    return f"{footage.identified[candidate]} {ratio} {language}"


def test_the_address_determines_what_is_shown(page: Page, footage: Footage) -> None:
    enter(page, f"{footage.path}?tab=exported&view=matrix&ratio=1:1&state=done&language=tlh'")
    state = page.state(MatrixState)
    assert (state.view, state.only_ratio, state.only_language, state.only_state) == ("matrix", "1:1", "", "done")
    assert [line.title for line in state.lines] == ["Candidate 1", "Clip 4"]
    assert [clip.title for clip in page.state(VideoDetailState).exported_clips] == ["Clip 1", "Clip 4"]
    assert page.state(VideoDetailState).exported_count == 5


def test_the_list_loads_no_matrix(page: Page, footage: Footage) -> None:
    enter(page, footage.path)
    state = page.state(MatrixState)
    assert (state.view, state.lines, [choice.name for choice in state.languages]) == ("list", [], ["Original"])
    page.call(MatrixState, "set_view", "matrix")
    assert len(page.state(MatrixState).lines) == 5
    assert page.call(MatrixState, "set_view", "timeline")[0] == {"view": "list"}


def test_a_row_has_every_shape_and_a_range_without_a_candidate_its_existing_cells(grid: Page, footage: Footage) -> None:
    assert [(cell.ratio, cell.state, cell.clip) for cell in cells(grid)] == [
        ("9:16", "done", footage.exported[0]),
        ("1:1", "missing", ""),
        ("16:9", "missing", ""),
    ]
    assert [(cell.ratio, cell.state) for cell in cells(grid, 3)] == [("9:16", "done")]


def test_a_done_cell_shows_its_clip_in_the_player(grid: Page, footage: Footage) -> None:
    grid.call(MatrixState, "open_cell", footage.exported[2])
    selected = grid.state(VideoDetailState).selected_exported_clip
    assert selected is not None
    assert selected.id == footage.exported[2]
    opened = grid.state(MatrixState).opened
    assert opened is not None
    assert (opened.state, opened.title, opened.job) == ("done", "Candidate 2", "")


def test_a_clip_hidden_by_the_filters_can_still_be_shown(page: Page, footage: Footage) -> None:
    enter(page, f"{footage.path}?clip={footage.exported[0]}&ratio=1:1")
    room = page.state(VideoDetailState)
    assert room.selected_exported_clip is not None
    assert room.selected_exported_clip.id == footage.exported[0]
    assert footage.exported[0] not in [row.id for row in room.exported_clips]


def test_a_missing_cell_is_queued_and_stays_the_opened_one(grid: Page, footage: Footage, services: Services) -> None:
    key = missing(footage, 0, "1:1")
    grid.call(MatrixState, "open_cell", key)
    grid.call(MatrixState, "export_cell", key)
    (job,) = grid.state(ExportState).jobs
    assert (job.state, job.ratio, job.title) == ("queued", "1:1", "Candidate 0")
    opened = grid.state(MatrixState).opened
    assert opened is not None
    assert (opened.key, opened.state) == (job.id, "queued")
    assert [cell.state for cell in cells(grid)] == ["done", "queued", "missing"]
    _, answer = grid.call(MatrixState, "export_cell", key)
    assert "nothing was exported" in answer
    with services.database.read() as db:
        assert len(board.cells(db, footage.video_id)) == 1


def test_the_default_is_the_chosen_crop_and_captions_in_every_other_language(grid: Page, footage: Footage, services: Services) -> None:
    with services.database.write() as db:
        attach(db, footage.video_id, "de", b"WEBVTT\n\n00:00:00.000 --> 00:00:09.000\nHallo\n", "a.vtt")
        save_framing(db, footage.video_id, footage.identified[0], AspectRatio.SQUARE, 0.25, 0.5)
    grid.call(MatrixState, "refresh")
    assert [group.language for group in grid.state(MatrixState).lines[0].groups] == ["Original", "German"]
    grid.call(MatrixState, "export_cell", missing(footage, 0, "1:1", "de"))
    grid.call(MatrixState, "export_cell", missing(footage, 1, "9:16"))
    with services.database.read() as db:
        german, plain = board.cells(db, footage.video_id)
    assert (german.framing["mode"], german.framing["x"], german.captions.partition(":")[0]) == ("manual", 0.25, "soft")
    assert (plain.framing["mode"], plain.captions) == ("centre", "")
    assert [cell.note for cell in cells(grid)][-2:] == ["By hand", ""]


def test_a_pipelines_file_of_another_range_is_stale_and_exported_again(grid: Page, footage: Footage, services: Services) -> None:
    with services.database.write() as db:
        db.get_one(IdentifiedClip, footage.identified[0]).end_ms += 500
    grid.call(MatrixState, "refresh")
    grid.call(MatrixState, "open_cell", footage.exported[0])
    opened = grid.state(MatrixState).opened
    assert opened is not None
    assert (opened.state, opened.text, opened.exportable) == ("stale", "The clip's range was changed.", True)
    grid.call(MatrixState, "export_cell", footage.exported[0])
    assert [cell.state for cell in cells(grid)] == ["queued", "missing", "missing"]


def test_a_failed_cell_tells_why(grid: Page, footage: Footage, services: Services) -> None:
    grid.call(MatrixState, "export_cell", missing(footage, 0, "1:1"))
    (job,) = grid.state(ExportState).jobs
    with services.database.write() as db:
        export_runs.claim(db, Ticket(job.id, 1), Clock().now)
        export_runs.report(db, Ticket(job.id, 1), Clock().now, progress=0.4)
    grid.call(RoomState, "follow", of=MatrixState)
    assert grid.state(MatrixState).progress == {job.id: 40}
    lines = grid.state(MatrixState).lines
    with services.database.write() as db:
        export_runs.report(db, Ticket(job.id, 1), Clock().now, progress=0.6)
    delta, _ = grid.call(RoomState, "follow", of=MatrixState)
    assert delta == {"progress": {job.id: 60}}
    assert grid.state(MatrixState).lines == lines
    with services.database.write() as db:
        export_runs.fail(db, Ticket(job.id, 1), Clock().now, "The picture is damaged.", "moov atom not found")
    grid.call(RoomState, "follow", of=MatrixState)
    opened = grid.state(MatrixState).opened
    assert opened is not None
    assert (opened.state, opened.text, opened.log) == ("failed", "The picture is damaged.", "moov atom not found")


def test_nothing_is_sent_while_nothing_changes(grid: Page) -> None:
    assert grid.call(RoomState, "follow", of=MatrixState) == ({}, "")
    assert grid.call(MatrixState, "refresh") == ({}, "")


def test_filters_apply_to_the_list_too_and_are_cleared_together(page: Page, footage: Footage) -> None:
    enter(page, footage.path)
    page.call(MatrixState, "set_filter", "ratio", "9:16")
    page.call(MatrixState, "set_filter", "state", "done")
    room = page.state(VideoDetailState)
    assert ([row.title for row in room.exported_clips], room.exported_total, room.exported_count) == (["Clip 0", "Clip 3"], 2, 5)
    page.call(MatrixState, "set_filter", "state", "queued")
    assert page.state(VideoDetailState).exported_total == 0
    page.call(MatrixState, "clear_filters")
    assert page.state(VideoDetailState).exported_total == 5
    assert page.state(MatrixState).only_ratio == ""


def test_an_unknown_filter_changes_nothing(page: Page, footage: Footage) -> None:
    enter(page, footage.path)
    for name, value in (("ratio", "4:3"), ("owner", "me"), ("state", "lost"), ("language", "';")):
        page.call(MatrixState, "set_filter", name, value)
    assert page.state(VideoDetailState).exported_total == 5


def test_far_down_a_long_matrix_only_a_window_is_loaded(page: Page, services: Services) -> None:
    with services.database.write() as db:
        footage = add_footage(db, exported=0, identified=200)
    enter(page, f"{footage.path}?tab=exported&view=matrix")
    state = page.state(MatrixState)
    assert (len(state.lines), state.total) == (60, 200)
    page.call(MatrixState, "show_lines", 150, 158)
    state = page.state(MatrixState)
    assert (state.offset, len(state.lines), state.lines[0].title) == (124, 60, "Candidate 124")
    page.call(MatrixState, "show_lines", 190, 199)
    assert page.state(MatrixState).offset == 140
    assert page.call(MatrixState, "show_lines", 150, 158) == ({}, "")


def test_a_cell_whose_file_was_deleted_goes_back_to_missing(grid: Page, footage: Footage, services: Services) -> None:
    grid.call(MatrixState, "open_cell", footage.exported[0])
    with services.database.write() as db:
        db.delete(db.get_one(ExportedClip, footage.exported[0]))
    grid.call(MatrixState, "refresh")
    assert [cell.state for cell in cells(grid)] == ["missing", "missing", "missing"]
