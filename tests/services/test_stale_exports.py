"""What distinguishes exports in the list, and why an export is stale."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_identity import RECIPE_VERSION
from clipviewer.services.cells.drift import Drift
from clipviewer.services.cells.filters import ExportFilters, export_filters
from clipviewer.services.exporting.matrix import matrix
from clipviewer.services.room.captions import attach, captions_of_cell, find_track, remove
from clipviewer.services.room.clip_room import exported_window
from clipviewer.services.room.clips import count_exported, exported_clip, exported_clips, exported_position
from clipviewer.services.room.recaptioned import recaptioned_jobs

NOON = datetime(2025, 10, 5, 12, tzinfo=UTC)
VIDEO = "video_1"


def add_file(db: Session, clip_id: str, candidate: str | None = "clip_c", start_ms: int = 1000, end_ms: int = 3000, **values: Any) -> None:
    given = {"title": clip_id, "s3_key": f"{clip_id}.mp4", "aspect_ratio": "9:16", "target_language": "original", "created_at": NOON}
    db.add(ExportedClip(id=clip_id, video_id=VIDEO, identified_clip_id=candidate, start_ms=start_ms, end_ms=end_ms, **given | values))
    db.flush()


def add_job(db: Session, clip_id: str | None, **values: Any) -> None:
    given: dict[str, Any] = {
        "id": f"job_{clip_id}", "identity": f"i_{clip_id}", "video_id": VIDEO, "identified_clip_id": "clip_c", "start_ms": 1000,
        "end_ms": 3000, "title": "", "source_etag": "e1", "aspect_ratio": "9:16", "target_language": "original", "recipe": RECIPE_VERSION,
        "framing": {"mode": "centre", "x": 0.5, "y": 0.5}, "state": "done", "number": 1, "revision": 1, "created_at": NOON,
    }  # fmt: skip
    db.add(ExportJob(exported_clip_id=clip_id, **given | values))
    db.flush()


@pytest.fixture
def footage(database: Database) -> Database:
    """A candidate from 1 to 3 s; ``clip_made`` was exported from it here, ``clip_given`` was delivered by a pipeline."""
    with database.write() as db:
        db.add(Video(id=VIDEO, title="Talk", s3_key="talk.mp4", etag="e1"))
        db.flush()
        db.add(IdentifiedClip(id="clip_c", video_id=VIDEO, reference="c", start_ms=1000, end_ms=3000, title="C"))
        db.flush()
        add_file(db, "clip_given", aspect_ratio="1:1", target_language="en")
        add_file(db, "clip_made")
        add_job(db, "clip_made")
    return database


def drift_of(database: Database) -> dict[str, tuple[Drift, ...]]:
    with database.read() as db:
        return {clip.id: clip.drift for clip in exported_clips(db, VIDEO)}


def save_crop(db: Session, x: float, at: datetime = NOON + timedelta(hours=1)) -> None:
    db.add(ClipFraming(identified_clip_id="clip_c", aspect_ratio="9:16", x=x, y=0.5, chosen_at=at))


def by_hand(db: Session, x: float) -> None:
    db.get_one(ExportJob, "job_clip_made").framing = {"mode": "manual", "x": x, "y": 0.5}
    db.flush()


def fitted(db: Session) -> None:
    db.get_one(ExportJob, "job_clip_made").framing = {"mode": "fit", "x": 0.5, "y": 0.5}
    db.flush()


def test_an_unchanged_export_is_not_stale(footage: Database) -> None:
    assert drift_of(footage) == {"clip_given": (), "clip_made": ()}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda db: setattr(db.get_one(Video, VIDEO), "etag", "e2"), (Drift.SOURCE,)),
        (lambda db: setattr(db.get_one(IdentifiedClip, "clip_c"), "end_ms", 3001), (Drift.RANGE,)),
        (lambda db: setattr(db.get_one(ExportJob, "job_clip_made"), "recipe", RECIPE_VERSION - 1), (Drift.RECIPE,)),
        (lambda db: save_crop(db, 0.25), (Drift.CROP,)),
        (lambda db: (save_crop(db, 0.25), by_hand(db, 0.75)), (Drift.CROP,)),
        (lambda db: (save_crop(db, 0.25), by_hand(db, 0.25)), ()),
        (lambda db: save_crop(db, 0.25, NOON - timedelta(hours=1)), ()),
        (lambda db: save_crop(db, 0.5), ()),
        (lambda db: (save_crop(db, 0.25), fitted(db)), ()),
        (lambda db: setattr(db.get_one(Video, VIDEO), "etag", ""), ()),
        (lambda db: db.delete(db.get_one(IdentifiedClip, "clip_c")), ()),
    ],
    ids=[
        "the video was replaced", "the range was changed", "an older recipe", "a crop was chosen since", "the crop was moved since",
        "the crop is the chosen one", "the centre was wanted although a crop was there", "the chosen crop is the centre",
        "fit looks at no crop", "what the video is now is not known", "its candidate is gone",
    ],
)  # fmt: skip
def test_a_change_is_found_in_what_was_made_here(footage: Database, change: Callable[[Session], object], found: tuple[Drift, ...]) -> None:
    with footage.write() as db:
        change(db)
    assert drift_of(footage)["clip_made"] == found


VTT = "WEBVTT\n\n00:00:01.200 --> 00:00:02.000\n{}\n\n00:01:00.000 --> 00:01:02.000\n{}\n"


@pytest.mark.parametrize(
    ("inside", "outside", "stale"), [("Hello", "There", False), ("Hello", "Elsewhere", False), ("Good day", "There", True)]
)
def test_captions_count_as_changed_only_where_the_clip_is(footage: Database, inside: str, outside: str, stale: bool) -> None:
    def at(hours: int) -> Callable[[], datetime]:
        return lambda: NOON + timedelta(hours=hours)

    with footage.write() as db:
        attach(db, VIDEO, "de", VTT.format("Hello", "There").encode(), "a.vtt", clock=at(0))
        add_file(db, "clip_german", target_language="de")
        add_job(db, "clip_german", target_language="de", captions=soft_captions(db), created_at=at(1)())
        assert recaptioned_jobs(db, VIDEO) == []
        attach(db, VIDEO, "de", VTT.format(inside, outside).encode(), "b.vtt", clock=at(2))
        assert recaptioned_jobs(db, VIDEO) == (["job_clip_german"] if stale else [])
    with footage.read() as db:
        drift = {clip.id: clip.drift for clip in exported_window(db, VIDEO, 0).items}
        stale_clips = [clip.id for clip in exported_window(db, VIDEO, 0, ExportFilters(state="stale")).items]
        (row,) = matrix(db, VIDEO, filters=ExportFilters(language="de")).rows
    assert drift["clip_german"] == ((Drift.CAPTIONS,) if stale else ())
    assert stale_clips == (["clip_german"] if stale else [])
    assert {entry.exported_clip_id: entry.state for entry in row.entries}["clip_german"] == ("stale" if stale else "done")


def test_removed_captions_make_nothing_stale(footage: Database) -> None:
    with footage.write() as db:
        attach(db, VIDEO, "de", VTT.format("Hello", "There").encode(), "a.vtt", clock=lambda: NOON)
        add_file(db, "clip_german", target_language="de")
        add_job(db, "clip_german", target_language="de", captions=soft_captions(db))
        remove(db, VIDEO, "de")
        assert recaptioned_jobs(db, VIDEO) == []


def soft_captions(db: Session) -> str:
    return captions_of_cell(find_track(db, VIDEO, "de"), "de", CaptionMode.SOFT, 1000, 3000)


def test_only_the_range_of_a_pipelines_file_is_compared_with_a_tolerance(footage: Database) -> None:
    with footage.write() as db:
        db.get_one(Video, VIDEO).etag = "e2"
        db.get_one(IdentifiedClip, "clip_c").start_ms = 900
    assert drift_of(footage)["clip_given"] == ()
    with footage.write() as db:
        db.get_one(IdentifiedClip, "clip_c").start_ms = 899
    assert drift_of(footage)["clip_given"] == (Drift.RANGE,)


def test_the_list_distinguishes_framing_and_captions(footage: Database) -> None:
    with footage.write() as db:
        add_file(db, "clip_soft", target_language="de", captions_key="soft.vtt")
        add_job(db, "clip_soft", captions="soft:0123456789abcdef", framing={"mode": "fit", "x": 0.5, "y": 0.5})
    with footage.read() as db:
        told = {clip.id: (clip.framing, clip.captions, clip.captions_key) for clip in exported_clips(db, VIDEO)}
        assert told == {"clip_given": ("", "", None), "clip_made": ("centre", "", None), "clip_soft": ("fit", "soft", "soft.vtt")}
        assert exported_clip(db, VIDEO, "clip_soft").captions_key == "soft.vtt"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (ExportFilters(), ["clip_given", "clip_made", "clip_old"]),
        (ExportFilters(ratio="9:16"), ["clip_made", "clip_old"]),
        (ExportFilters(language="en"), ["clip_given"]),
        (ExportFilters(ratio="9:16", language="en"), []),
        (ExportFilters(state="stale"), ["clip_old"]),
        (ExportFilters(state="done"), ["clip_given", "clip_made"]),
        (ExportFilters(ratio="9:16", state="done"), ["clip_made"]),
        (ExportFilters(state="queued"), []),
    ],
)
def test_the_list_counts_and_finds_only_filtered_clips(footage: Database, filters: ExportFilters, found: list[str]) -> None:
    with footage.write() as db:
        add_file(db, "clip_old", start_ms=1001)
        add_job(db, "clip_old", start_ms=1001)
    with footage.read() as db:
        listed = [clip.id for clip in exported_clips(db, VIDEO, filters=filters)]
        assert listed == found
        assert count_exported(db, VIDEO, filters) == len(found)
        assert [exported_position(db, VIDEO, clip_id, filters) for clip_id in found] == list(range(len(found)))
        assert [clip.id for clip in exported_clips(db, VIDEO, offset=1, limit=1, filters=filters)] == found[1:2]


def test_unknown_filters_in_an_address_are_ignored() -> None:
    assert export_filters({"ratio": "1:1", "language": "pt-BR", "state": "stale"}) == ExportFilters("1:1", "pt-BR", "stale")
    assert export_filters({"ratio": "4:3", "language": "'; --", "state": "lost", "clip": "x"}) == ExportFilters()
