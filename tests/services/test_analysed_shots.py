"""A clip's analysed shots are valid as long as its picture is the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session, select

from clipviewer.db.clip_models import ClipLook
from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Rect, Shot
from clipviewer.errors import ClipNotFound
from clipviewer.media.framing.reframe import PictureAnalysis
from clipviewer.services.room import looks
from clipviewer.services.room.looks import AnalysisTarget, analysis_target, find_analysis, store_analysis
from tests.conftest import Clock

SEEN = PictureAnalysis(
    1280,
    720,
    Rect(0, 94, 1280, 532),
    {AspectRatio.PORTRAIT: (Shot(0, 0.25, 0.5), Shot(1_200, 0.7, 0.5, True)), AspectRatio.SQUARE: (Shot(0, 0.5, 0.5),)},
)


@pytest.fixture
def footage(database: Database) -> Database:
    """A video with ``clip_a`` (1–3 s), and another one."""
    with database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4", etag="e1"))
        db.add(Video(id="video_2", title="Two", s3_key="two.mp4", etag="e2"))
        db.flush()
        db.add(IdentifiedClip(id="clip_a", video_id="video_1", reference="a", start_ms=1_000, end_ms=3_000, title="A"))
    return database


def look(database: Database) -> None:
    with database.write() as db:
        store_analysis(db, analysis_target(db, "video_1", "clip_a"), SEEN)


def known(database: Database, video: str = "video_1", clip: str = "clip_a") -> PictureAnalysis | None:
    with database.read() as db:
        return find_analysis(db, video, clip)


def test_analysed_shots_are_stored(footage: Database, clock: Clock) -> None:
    assert known(footage) is None
    with footage.write() as db:
        sight = analysis_target(db, "video_1", "clip_a")
        assert sight == AnalysisTarget("clip_a", "one.mp4", "e1", 1_000, 3_000)
        store_analysis(db, sight, SEEN, clock=clock)
    assert known(footage) == SEEN
    with footage.read() as db:
        assert db.get_one(ClipLook, "clip_a").looked_at == clock.now


def trimmed(db: Session) -> None:
    db.get_one(IdentifiedClip, "clip_a").end_ms = 2_900


def moved(db: Session) -> None:
    db.get_one(IdentifiedClip, "clip_a").start_ms = 1_040


def replaced(db: Session) -> None:
    db.get_one(Video, "video_1").etag = "e9"


@pytest.mark.parametrize("change", [trimmed, moved, replaced])
def test_a_changed_picture_is_analysed_again(footage: Database, change: Callable[[Session], None]) -> None:
    look(footage)
    with footage.write() as db:
        change(db)
    assert known(footage) is None
    look(footage)
    assert known(footage) == SEEN


def test_a_newer_method_analyses_again(footage: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    look(footage)
    with footage.write() as db:
        db.get_one(ClipLook, "clip_a").version = looks.LOOK_VERSION - 1
    assert known(footage) is None


def test_shots_of_the_former_picture_do_not_apply_to_the_new_one(footage: Database) -> None:
    with footage.read() as db:
        sight = analysis_target(db, "video_1", "clip_a")
    with footage.write() as db:
        replaced(db)
    with footage.write() as db:
        store_analysis(db, sight, SEEN)
    assert known(footage) is None


def test_a_clip_removed_during_its_analysis_leaves_nothing(footage: Database) -> None:
    with footage.read() as db:
        sight = analysis_target(db, "video_1", "clip_a")
    with footage.write() as db:
        db.delete(db.get_one(IdentifiedClip, "clip_a"))
    with footage.write() as db:
        store_analysis(db, sight, SEEN)
        assert db.exec(select(ClipLook)).all() == []


@pytest.mark.parametrize(("video", "clip"), [("video_2", "clip_a"), ("video_1", "clip_b"), ("", "clip_a"), ("video_1", "\ud800")])
def test_a_clip_of_another_video_has_no_picture(footage: Database, video: str, clip: str) -> None:
    look(footage)
    assert known(footage, video, clip) is None
    with footage.read() as db, pytest.raises(ClipNotFound):
        analysis_target(db, video, clip)


def test_two_simultaneous_analyses_leave_one_result(footage: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: look(footage), range(16)))
    assert known(footage) == SEEN
