"""Clips marked by hand: snapped to whole frames and kept within the video, changed, removed and restored."""

from __future__ import annotations

import pytest
from sqlmodel import select

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.errors import ClipNotFound, Conflict, Invalid, VideoNotFound
from clipviewer.services.room import marking

VIDEO = "video_1"


@pytest.fixture
def library(database: Database) -> Database:
    with database.write() as db:
        db.add(Video(id=VIDEO, title="One", s3_key="one.mp4", duration_ms=10_010, frame_rate="30000/1001"))
        db.add(Video(id="video_2", title="Two", s3_key="two.mp4"))
    return database


def marked(database: Database, start_ms: int = 1_000, end_ms: int = 3_000, title: str = "The goal", video_id: str = VIDEO) -> str:
    with database.write() as db:
        return marking.mark_clip(db, video_id, start_ms, end_ms, title, actor="user_1")


def clip(database: Database, clip_id: str) -> IdentifiedClip:
    with database.read() as db:
        return db.get_one(IdentifiedClip, clip_id)


def test_a_marked_clip_is_snapped_to_frames_and_attributed_to_its_person(library: Database) -> None:
    found = clip(library, marked(library, 1_010, 2_990))
    assert (found.start_ms, found.end_ms) == (1_001, 3_003)
    assert (found.origin, found.title, found.score) == ("marked", "The goal", None)
    assert found.touched_at is not None


def test_a_clip_without_a_title_is_named_by_its_times(library: Database) -> None:
    assert clip(library, marked(library, 1_000, 3_000, "  ")).title == "Clip 0:01–0:03"


def test_a_clip_ends_with_its_video(library: Database) -> None:
    assert clip(library, marked(library, 9_000, 60_000)).end_ms == 10_010


@pytest.mark.parametrize(("start_ms", "end_ms"), [(-1_000, 2_000), (10_010, 12_000), (2_000, 2_100), (3_000, 2_000), (2_000, 2_000)])
def test_an_invalid_range_is_refused(library: Database, start_ms: int, end_ms: int) -> None:
    with pytest.raises(Invalid):
        marked(library, start_ms, end_ms)


def test_a_video_of_unknown_length_and_rate_accepts_any_range(library: Database) -> None:
    found = clip(library, marked(library, 1_010, 500_000, video_id="video_2"))
    assert (found.start_ms, found.end_ms) == (1_010, 500_000)


def test_changing_a_candidate_counts_as_a_decision(library: Database) -> None:
    with library.write() as db:
        db.add(IdentifiedClip(id="clip_1", video_id=VIDEO, reference="a", start_ms=1_010, end_ms=2_020, title="Was", origin="found"))
    with library.write() as db:
        marking.change_clip(db, VIDEO, "clip_1", 1_010, 2_020, "Is")
    found = clip(library, "clip_1")
    assert (found.title, found.start_ms, found.end_ms, found.origin) == ("Is", 1_010, 2_020, "found")
    assert found.touched_at is not None
    with library.write() as db:
        marking.change_clip(db, VIDEO, "clip_1", 1_500, 2_020, "Is")
    assert (clip(library, "clip_1").start_ms, clip(library, "clip_1").end_ms) == (1_502, 2_035)


def test_a_removed_clip_is_restored_with_its_crop_and_exports(library: Database) -> None:
    clip_id = marked(library)
    with library.write() as db:
        db.add(ClipFraming(identified_clip_id=clip_id, aspect_ratio="9:16", x=0.4, y=0.5))
        fields = {"s3_key": "made.mp4", "aspect_ratio": "9:16", "target_language": "original", "title": "Made"}
        db.add(ExportedClip(id="clip_made", video_id=VIDEO, identified_clip_id=clip_id, start_ms=1, end_ms=2, **fields))
    with library.write() as db:
        removed = marking.remove_clip(db, VIDEO, clip_id)
    with library.read() as db:
        assert db.get(IdentifiedClip, clip_id) is None
        assert db.get_one(ExportedClip, "clip_made").identified_clip_id is None
    with library.write() as db:
        marking.restore_clip(db, removed)
    with library.read() as db:
        assert db.get_one(IdentifiedClip, clip_id).title == "The goal"
        assert db.get_one(ExportedClip, "clip_made").identified_clip_id == clip_id
        assert db.exec(select(ClipFraming)).one().x == 0.4
    with library.write() as db, pytest.raises(Conflict):
        marking.restore_clip(db, removed)


def test_clips_of_other_videos_and_unknown_ones_are_not_found(library: Database) -> None:
    clip_id = marked(library)
    with library.write() as db:
        with pytest.raises(ClipNotFound):
            marking.remove_clip(db, "video_2", clip_id)
        with pytest.raises(ClipNotFound):
            marking.change_clip(db, VIDEO, "clip_none", 0, 1_000, "")
        with pytest.raises(VideoNotFound):
            marking.mark_clip(db, "video_9", 0, 1_000, "")
