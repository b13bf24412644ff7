"""The export matrix: every state of a cell, which export a cell shows, filters, pages, and a video of very many clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, text
from sqlmodel import Session

from clipviewer.db.clip_models import ClipFraming, VideoCaptions
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.export_identity import RECIPE_VERSION
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.language import ORIGINAL
from clipviewer.errors import VideoNotFound
from clipviewer.services.cells import board
from clipviewer.services.cells.board import CellView
from clipviewer.services.cells.drift import Drift
from clipviewer.services.cells.filters import ExportFilters
from clipviewer.services.exporting import export_runs, exports
from clipviewer.services.exporting.export_runs import Ticket
from clipviewer.services.exporting.matrix import MAX_ROWS, MatrixPage, matrix
from clipviewer.services.library.registration import NewExportedClip, NewIdentifiedClip, register_exported, register_identified
from clipviewer.services.library.row_writer import Status
from clipviewer.storage.s3 import StoredObject
from tests.conftest import Clock

VIDEO = "video_1"
PORTRAIT = AspectRatio.PORTRAIT
FIT = Framing(FramingMode.FIT)


@pytest.fixture
def footage(database: Database) -> Database:
    """Candidates at 1, 2 and 3 s, each half a second long."""
    with database.write() as db:
        db.add(Video(id=VIDEO, title="Talk", s3_key="talk.mp4", etag="e1"))
        db.flush()
        for number in (1, 2, 3):
            clip = {"id": f"clip_{number}", "reference": str(number), "start_ms": number * 1000, "end_ms": number * 1000 + 500}
            db.add(IdentifiedClip(video_id=VIDEO, title=f"Clip {number}", **clip))
    return database


def ask(db: Session, clip: str = "clip_1", ratio: AspectRatio = PORTRAIT, framing: Framing | None = None) -> CellView:
    (cell,) = exports.request_exports(db, VIDEO, [clip], ExportChoices([ratio], framings={ratio: framing}), clock=Clock())
    return cell


def claim(db: Session, cell: CellView) -> Ticket:
    ticket = Ticket(cell.id, board.cell(db, cell.id).attempt)
    assert export_runs.claim(db, ticket, Clock().now)
    return ticket


def finish(db: Session, cell: CellView) -> str:
    order = export_runs.order_of(db, claim(db, cell))
    assert order is not None
    published = export_runs.publish(db, order, StoredObject(f"{cell.id}.mp4", 7, "etag", "video/mp4", Clock().now), Clock().now)
    assert published is not None
    return published


def deliver(db: Session, clip_id: str, start_ms: int, end_ms: int, **values: Any) -> None:
    """Register an export as a pipeline does."""
    given = {"title": clip_id, "s3_key": f"{clip_id}.mp4", "aspect_ratio": "9:16", "target_language": ORIGINAL, "created_at": Clock().now}
    db.add(ExportedClip(id=clip_id, video_id=VIDEO, start_ms=start_ms, end_ms=end_ms, **given | values))
    db.flush()


def states(page: MatrixPage) -> dict[str, list[tuple[str, str]]]:
    """Return the cells that are not missing, by title: ratio and state."""
    return {row.title: [(entry.ratio, entry.state) for entry in row.entries] for row in page.rows}


def look(db: Session, **filters: str) -> dict[str, list[tuple[str, str]]]:
    return states(matrix(db, VIDEO, filters=ExportFilters(**filters)))


def test_every_state_of_a_cell(footage: Database) -> None:
    with footage.write() as db:
        queued, running, done = (ask(db, "clip_1", ratio) for ratio in AspectRatio)
        failed, cancelled = (ask(db, "clip_2", ratio) for ratio in (PORTRAIT, AspectRatio.SQUARE))
        export_runs.report(db, claim(db, running), Clock().now, progress=0.25)
        clip_id = finish(db, done)
        export_runs.fail(db, claim(db, failed), Clock().now, "The picture is damaged.", "moov atom not found")
        exports.cancel(db, cancelled.id)
        assert look(db) == {
            "Clip 1": [("9:16", "queued"), ("1:1", "running"), ("16:9", "done")],
            "Clip 2": [("9:16", "failed")],
            "Clip 3": [],
        }
        first, second, _ = matrix(db, VIDEO).rows
        assert [(entry.job_id, entry.exported_clip_id, entry.progress) for entry in first.entries] == [
            (queued.id, "", 0),
            (running.id, "", 0.25),
            (done.id, clip_id, 1),
        ]
        assert second.entries[0].reason == "The picture is damaged."
        db.get_one(Video, VIDEO).etag = "e2"
        db.flush()
        assert look(db)["Clip 1"] == [("9:16", "queued"), ("1:1", "running"), ("16:9", "stale")]
        assert matrix(db, VIDEO).rows[0].entries[2].drift == (Drift.SOURCE,)


def test_a_file_that_was_deleted_leaves_its_cell_missing(footage: Database) -> None:
    with footage.write() as db:
        db.delete(db.get_one(ExportedClip, finish(db, ask(db))))
        db.flush()
        assert look(db)["Clip 1"] == []


@pytest.mark.parametrize("reason", [Drift.RANGE, Drift.RECIPE, Drift.CROP])
def test_a_stale_cell_is_replaced_by_its_new_export(footage: Database, reason: Drift) -> None:
    with footage.write() as db:
        old = ask(db)
        finish(db, old)
        framing = None
        if reason == Drift.RANGE:
            db.get_one(IdentifiedClip, "clip_1").end_ms = 1600
        elif reason == Drift.RECIPE:
            row = db.get_one(ExportJob, old.id)
            row.recipe, row.identity = RECIPE_VERSION - 1, "an older one"
        else:
            later = Clock().now + timedelta(seconds=1)
            db.add(ClipFraming(identified_clip_id="clip_1", aspect_ratio="9:16", x=0.2, y=0.5, chosen_at=later))
            framing = Framing(FramingMode.MANUAL, 0.2, 0.5)
        db.flush()
        (entry,) = matrix(db, VIDEO).rows[0].entries
        assert (entry.state, entry.drift) == ("stale", (reason,))
        new = ask(db, framing=framing)
        (entry,) = matrix(db, VIDEO).rows[0].entries
        assert (entry.job_id, entry.state) == (new.id, "queued")
        export_runs.fail(db, claim(db, new), Clock().now, "No.")
        assert look(db)["Clip 1"] == [("9:16", "stale"), ("9:16", "failed")]
        finish(db, exports.retry(db, new.id))
        assert look(db, state="stale") == {}
        assert look(db)["Clip 1"] == [("9:16", "done")]


def test_two_framings_of_one_cell_are_two_entries(footage: Database) -> None:
    with footage.write() as db:
        finish(db, ask(db))
        ask(db, framing=FIT)
        entries = matrix(db, VIDEO).rows[0].entries
    assert [(entry.ratio, entry.framing, entry.state) for entry in entries] == [("9:16", "centre", "done"), ("9:16", "fit", "queued")]


def test_a_pipelines_files_are_matched_to_a_candidate_by_name_or_range_or_listed_below(footage: Database) -> None:
    with footage.write() as db:
        deliver(db, "clip_named", 1000, 1500, identified_clip_id="clip_1", aspect_ratio="1:1")
        deliver(db, "clip_moved", 2000, 2700, identified_clip_id="clip_2")
        deliver(db, "clip_ranged", 3000, 3500)
        deliver(db, "clip_alone", 500, 900, title="Alone")
        deliver(db, "clip_again", 500, 900, title="Alone", target_language="de")
        page = matrix(db, VIDEO)
        assert page.languages == [ORIGINAL, "de"]
        assert page.total == 4
        assert states(page) == {
            "Clip 1": [("1:1", "done")],
            "Clip 2": [("9:16", "stale")],
            "Clip 3": [("9:16", "done")],
            "Alone": [("9:16", "done"), ("9:16", "done")],
        }
        assert [(row.clip_id, [entry.language for entry in row.entries]) for row in page.rows][-1] == ("", [ORIGINAL, "de"])
        assert {entry.framing for row in page.rows for entry in row.entries} == {""}
        assert look(db, state="stale") == {"Clip 2": [("9:16", "stale")]}


def test_the_languages_are_those_of_captions_and_of_exports(footage: Database) -> None:
    with footage.write() as db:
        deliver(db, "clip_given", 1000, 1500, target_language="fr")
        for language in (ORIGINAL, "de"):
            db.add(VideoCaptions(video_id=VIDEO, language=language, name="a.vtt", origin="uploaded", webvtt="", digest="", cues=0))
        db.flush()
        assert matrix(db, VIDEO).languages == [ORIGINAL, "de", "fr"]


@pytest.fixture
def mixed(footage: Database) -> Database:
    """Clip 1 complete, clip 2 with a stale square cell, clip 3 with a failed one and a German one; and a range without a candidate."""
    with footage.write() as db:
        for ratio in AspectRatio:
            finish(db, ask(db, "clip_1", ratio))
        finish(db, ask(db, "clip_2", AspectRatio.SQUARE))
        db.get_one(IdentifiedClip, "clip_2").end_ms = 2600
        export_runs.fail(db, claim(db, ask(db, "clip_3")), Clock().now, "No.")
        deliver(db, "clip_german", 3000, 3500, identified_clip_id="clip_3", target_language="de")
        deliver(db, "clip_alone", 500, 900, title="Alone")
    return footage


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ({}, ["Clip 1", "Clip 2", "Clip 3", "Alone"]),
        ({"state": "done"}, ["Clip 1", "Clip 3", "Alone"]),
        ({"state": "done", "language": "original"}, ["Clip 1", "Alone"]),
        ({"state": "stale"}, ["Clip 2"]),
        ({"state": "stale", "ratio": "9:16"}, []),
        ({"state": "failed"}, ["Clip 3"]),
        ({"state": "queued"}, []),
        ({"state": "missing"}, ["Clip 2", "Clip 3"]),
        ({"state": "missing", "language": "original"}, ["Clip 2", "Clip 3"]),
        ({"state": "missing", "language": "original", "ratio": "1:1"}, ["Clip 3"]),
        ({"state": "missing", "language": "de", "ratio": "9:16"}, []),
        ({"language": "de"}, ["Clip 1", "Clip 2", "Clip 3"]),
        ({"ratio": "9:16"}, ["Clip 1", "Clip 2", "Clip 3", "Alone"]),
        ({"ratio": "1:1"}, ["Clip 1", "Clip 2", "Clip 3"]),
    ],
    ids=str,
)
def test_filters_keep_the_rows_with_a_matching_cell(mixed: Database, filters: dict[str, str], titles: list[str]) -> None:
    with mixed.read() as db:
        page = matrix(db, VIDEO, filters=ExportFilters(**filters))
    assert ([row.title for row in page.rows], page.total) == (titles, len(titles))


def test_pages_meet_without_a_gap_or_an_overlap(mixed: Database) -> None:
    with mixed.read() as db:
        pages = [matrix(db, VIDEO, offset=offset, limit=2) for offset in (0, 1, 2, 3, 4, -5, 99)]
    found = [[row.title for row in page.rows] for page in pages]
    assert found == [["Clip 1", "Clip 2"], ["Clip 2", "Clip 3"], ["Clip 3", "Alone"], ["Alone"], [], ["Clip 1", "Clip 2"], []]
    assert {page.total for page in pages} == {4}


def test_an_unknown_video_has_no_matrix(footage: Database) -> None:
    with footage.read() as db, pytest.raises(VideoNotFound):
        matrix(db, "video_none")


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Count the statements sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def statements(database: Database, filters: ExportFilters, offset: int) -> tuple[int, int]:
    """Return the number of rows of a matrix page, and the number of statements it takes."""
    with database.read() as db, counted(database) as sent:
        return len(matrix(db, VIDEO, offset=offset, filters=filters).rows), len(sent)


def test_many_clips_take_as_many_statements_as_three(footage: Database) -> None:
    filters = [ExportFilters(state=state) for state in ("", "missing", "stale")]
    with footage.write() as db:
        deliver(db, "clip_moved", 2000, 2700, identified_clip_id="clip_2")
    few = [statements(footage, each, 0)[1] for each in filters]
    register_many(footage, clips=200, files=100)
    for each, before in zip(filters, few, strict=True):
        lines, sent = statements(footage, each, 30)
        assert lines == MAX_ROWS
        assert sent <= max(before, 9)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_first_video_of_many_clips_among_small_ones_is_filtered_within_seconds(footage: Database) -> None:
    """PostgreSQL plans by what its tables were like: one clip a video, each file without a candidate."""
    with footage.write() as db:
        db.execute(delete(IdentifiedClip))
        for at in range(300):
            of_video = {"video_id": f"video_{at}x", "start_ms": 0, "end_ms": 500, "title": "", "created_at": Clock().now}
            db.add(Video(id=of_video["video_id"], title="", s3_key=f"{at}"))
            db.flush()
            db.add(IdentifiedClip(reference="1", **of_video))
            db.add(ExportedClip(s3_key=f"{at}.mp4", etag="", size=0, aspect_ratio="9:16", target_language=ORIGINAL, **of_video))
        db.flush()
        db.execute(text("ANALYZE"))
    register_many(footage, clips=10_000, files=5_000)
    for state in ("missing", "stale"):
        with footage.read() as db:
            db.execute(text("SET LOCAL statement_timeout = '10s'"))
            assert matrix(db, VIDEO, filters=ExportFilters(state=state)).total == {"missing": 10_000, "stale": 5_000}[state]


def register_many(database: Database, *, clips: int, files: int) -> None:
    """Register candidates as a pipeline does, and for the first ones an export that begins a second early."""
    ranges = [(9000 + at, 9900 + at) for at in range(clips)]
    with database.write() as db:
        made = register_identified(db, VIDEO, [NewIdentifiedClip(start, end) for start, end in ranges])
    new = [
        NewExportedClip(f"{result.id}.mp4", start - 1000, end, "9:16", ORIGINAL, identified_clip_id=result.id)
        for result, (start, end) in zip(made[:files], ranges, strict=False)
    ]
    objects = {item.s3_key: StoredObject(item.s3_key, 7, "etag", "video/mp4", Clock().now) for item in new}
    with database.write() as db:
        assert {result.status for result in register_exported(db, VIDEO, new, objects)} == {Status.CREATED}
