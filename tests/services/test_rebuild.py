"""An empty database recovers its library from the bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, select

from clipviewer.db.adoption_models import PreviewsDue
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.errors import Conflict
from clipviewer.services.adoption.rebuild import Rebuilt, read_sidecars, rebuild
from clipviewer.services.cells.board import CellView, cells
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.library.changes import rename
from clipviewer.services.library.registration import NewIdentifiedClip, register_identified
from clipviewer.services.library.row_writer import Status
from clipviewer.services.room.captions import attach, captions_of
from clipviewer.services.room.marking import change_clip
from clipviewer.storage.s3 import ObjectStore
from tests.exported_library import MASTER, finish


def make_library(db: Session, store: ObjectStore) -> None:
    """Create a video with two clips, the first exported twice, and once more with captions."""
    db.add(
        Video(id="video_1", title="Talk", s3_key="talk.mp4", etag="e", size=9, duration_ms=60_000, width=64, height=36, frame_rate="25/1")
    )
    db.flush()
    for number in (1, 2):
        clip = IdentifiedClip(id=f"clip_{number}", video_id="video_1", reference=f"r{number}", start_ms=0, end_ms=1_500, title="Ü", score=7)
        db.add(clip)
    db.flush()
    attach(db, "video_1", "de", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n", "a.vtt")
    for job in ask(db):
        finish(db, store, job)


def ask(db: Session) -> list[CellView]:
    jobs = request_exports(db, "video_1", ["clip_1"], ExportChoices([AspectRatio.PORTRAIT, AspectRatio.SQUARE]))
    return [*jobs, *request_exports(db, "video_1", ["clip_1"], ExportChoices([AspectRatio.PORTRAIT], ["de"], captions=CaptionMode.BURNED))]


def contents(db: Session) -> list[dict[str, object]]:
    """Return what a rebuild must recover."""
    exports = [row.model_dump(exclude={"id"}) for row in db.exec(select(ExportedClip).order_by("s3_key"))]
    videos = [row.model_dump(exclude={"created_at"}) for row in db.exec(select(Video))]
    clips = [row.model_dump(exclude={"created_at"}) for row in db.exec(select(IdentifiedClip)) if row.id == "clip_1"]
    return [*videos, *clips, *exports]


@pytest.fixture
def empty(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "empty.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    database.dispose()


def test_videos_clips_and_exports_are_recovered_unchanged(database: Database, empty: Database, bucket: ObjectStore) -> None:
    with database.write() as db:
        make_library(db, bucket)
    found = Rebuilt()
    sidecars = read_sidecars(bucket, "", found)
    with empty.write() as db:
        rebuild(db, sidecars, [], found)
    assert (found.videos, found.clips, found.exports, found.unusable) == (1, 1, 3, 0)
    with database.read() as before, empty.read() as after:
        assert contents(after) == contents(before)
        cells_before, cells_after = cells(before, "video_1"), cells(after, "video_1")
        assert [due.video_id for due in after.exec(select(PreviewsDue))] == ["video_1"]
    assert {(cell.identity, cell.captions, cell.state) for cell in cells_after} == {
        (cell.identity, cell.captions, "done") for cell in cells_before
    }
    with empty.write() as db:
        assert captions_of(db, "video_1") == []
        attach(db, "video_1", "de", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n", "a.vtt")
        assert {cell.id for cell in ask(db)} == {cell.id for cell in cells_after}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_person_who_changed_a_title_keeps_it_in_a_rebuilt_library(database: Database, empty: Database, bucket: ObjectStore) -> None:
    with database.write() as db:
        db.add(Video(id="video_1", title="Talk", s3_key=MASTER, etag="e"))
        db.flush()
        (clip,) = register_identified(db, "video_1", [NewIdentifiedClip(0, 1_500, "Sent", "r")])
        change_clip(db, "video_1", clip.id, title="Mine")
        rename(db, "video_1", "My talk")
        (job,) = request_exports(db, "video_1", [clip.id], ExportChoices([AspectRatio.PORTRAIT]))
        finish(db, bucket, job)
    sidecars = read_sidecars(bucket, "", Rebuilt())
    with empty.write() as db:
        rebuild(db, sidecars, [], Rebuilt())
        assert register_identified(db, "video_1", [NewIdentifiedClip(0, 1_400, "Sent", "r")])[0].status is Status.KEPT
        assert [(row.title, row.end_ms) for row in db.exec(select(IdentifiedClip))] == [("Mine", 1_400)]
        assert db.get_one(Video, "video_1").sent == {}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_damaged_sidecar_or_one_without_its_file_is_skipped(database: Database, empty: Database, bucket: ObjectStore) -> None:
    with database.write() as db:
        make_library(db, bucket)
    first, second, third = (item.key for item in bucket.list("exports/") if item.key.endswith(".json"))
    bucket.delete(first.replace(".json", ".mp4"))
    bucket.put(third, bucket.get(third).replace(b"clipviewer.export/1", b"clipviewer.export/9"), "application/json")
    document = json.loads(bucket.get(second))
    document["clip"]["end"] = "-1"
    bucket.put(second, json.dumps(document).encode(), "application/json")
    bucket.put("exports/other.json", b"{", "application/json")
    found = Rebuilt()
    sidecars = read_sidecars(bucket, "", found)
    with empty.write() as db:
        rebuild(db, sidecars, [], found)
        assert (found.exports, found.unusable, contents(db)) == (0, 4, [])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_export_without_its_captions_file_is_recovered_without_captions(
    database: Database, empty: Database, bucket: ObjectStore
) -> None:
    with database.write() as db:
        make_library(db, bucket)
    for item in list(bucket.list("exports/")):
        if item.key.endswith(".vtt"):
            bucket.delete(item.key)
    found = Rebuilt()
    sidecars = read_sidecars(bucket, "", found)
    with empty.write() as db:
        rebuild(db, sidecars, [], found)
        assert (found.exports, found.unusable) == (3, 0)
        assert {clip.captions_key for clip in db.exec(select(ExportedClip))} == {None}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_library_that_is_not_empty_is_left_alone(database: Database, bucket: ObjectStore) -> None:
    with database.write() as db:
        make_library(db, bucket)
        before = contents(db)
        with pytest.raises(Conflict, match="not empty"):
            rebuild(db, read_sidecars(bucket, "", Rebuilt()), [], Rebuilt())
        assert contents(db) == before
