"""Chosen crops: one per candidate and ratio; the last choice wins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.errors import ClipNotFound, Invalid
from clipviewer.services.room.framings import reset_framing, save_framing, saved_framings
from tests.conftest import Clock

TALL, SQUARE = AspectRatio.PORTRAIT, AspectRatio.SQUARE


def by_hand(x: float, y: float = 0.5) -> Framing:
    return Framing(FramingMode.MANUAL, x, y)


@pytest.fixture
def footage(database: Database) -> Database:
    """Two videos: the first with ``clip_a`` and ``clip_b``, the second with ``clip_other``."""
    with database.write() as db:
        for video in ("video_1", "video_2"):
            db.add(Video(id=video, title=video, s3_key=f"{video}.mp4"))
        db.flush()
        for video, clip in (("video_1", "clip_a"), ("video_1", "clip_b"), ("video_2", "clip_other")):
            db.add(IdentifiedClip(id=clip, video_id=video, reference=clip, start_ms=0, end_ms=1_000, title=clip))
    return database


def saved(database: Database, *clips: str) -> dict[tuple[str, AspectRatio], Framing]:
    with database.read() as db:
        return saved_framings(db, clips)


def test_a_crop_is_kept_for_its_clip_and_ratio_alone(footage: Database, clock: Clock) -> None:
    with footage.write() as db:
        assert save_framing(db, "video_1", "clip_a", TALL, 0.25, 0.5, actor="user_1", clock=clock) == by_hand(0.25)
        save_framing(db, "video_1", "clip_a", SQUARE, 0.75, 0.5)
    assert saved(footage, "clip_a", "clip_b") == {("clip_a", TALL): by_hand(0.25), ("clip_a", SQUARE): by_hand(0.75)}
    assert saved(footage, "clip_b") == {}
    with footage.read() as db:
        row = db.get_one(ClipFraming, ("clip_a", TALL.value))
        assert (row.chosen_by, row.chosen_at) == ("user_1", clock.now)


def test_the_last_choice_counts_and_says_who_made_it(footage: Database) -> None:
    for x, actor in ((0.25, "user_1"), (0.3, "user_2")):
        with footage.write() as db:
            save_framing(db, "video_1", "clip_a", TALL, x, 0.5, actor=actor)
    assert saved(footage, "clip_a") == {("clip_a", TALL): by_hand(0.3)}
    with footage.read() as db:
        assert [row.chosen_by for row in db.exec(select(ClipFraming))] == ["user_2"]


def test_a_crop_is_stored_as_precisely_as_exports_are_distinguished(footage: Database) -> None:
    with footage.write() as db:
        save_framing(db, "video_1", "clip_a", TALL, 1 / 3, 0.49999)
    assert saved(footage, "clip_a") == {("clip_a", TALL): by_hand(0.3333, 0.5)}


def test_a_reset_crop_is_gone_and_resetting_is_idempotent(footage: Database) -> None:
    with footage.write() as db:
        save_framing(db, "video_1", "clip_a", TALL, 0.25, 0.5)
        save_framing(db, "video_1", "clip_b", TALL, 0.25, 0.5)
    for _ in range(2):
        with footage.write() as db:
            reset_framing(db, "video_1", "clip_a", TALL)
    assert saved(footage, "clip_a", "clip_b") == {("clip_b", TALL): by_hand(0.25)}


@pytest.mark.parametrize("clip", ["clip_other", "clip_nobody", "", "video_1", "clip_a\0", "\ud800"])
def test_a_clip_of_another_video_and_an_unknown_one_are_not_found(footage: Database, clip: str) -> None:
    with footage.write() as db:
        with pytest.raises(ClipNotFound):
            save_framing(db, "video_1", clip, TALL, 0.25, 0.5)
        with pytest.raises(ClipNotFound):
            reset_framing(db, "video_1", clip, TALL)
    assert saved(footage, "clip_other") == {}


@pytest.mark.parametrize(("x", "y"), [(-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5), (0.5, float("inf"))])
def test_a_crop_outside_the_picture_is_refused_and_the_saved_one_kept(footage: Database, x: float, y: float) -> None:
    with footage.write() as db:
        save_framing(db, "video_1", "clip_a", TALL, 0.25, 0.5)
    with footage.write() as db, pytest.raises(Invalid, match="outside the picture"):
        save_framing(db, "video_1", "clip_a", TALL, x, y)
    assert saved(footage, "clip_a") == {("clip_a", TALL): by_hand(0.25)}


def test_many_simultaneous_choices_leave_one_crop(footage: Database) -> None:
    def choose(number: int) -> None:
        with footage.write() as db:
            save_framing(db, "video_1", "clip_a", TALL, number / 20, 0.5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(choose, range(20)))
    assert saved(footage, "clip_a").keys() == {("clip_a", TALL)}


def test_the_crops_of_thousands_of_clips_are_found_in_few_queries(footage: Database) -> None:
    with footage.write() as db:
        save_framing(db, "video_1", "clip_b", TALL, 0.25, 0.5)
    assert saved(footage, *(f"clip_{number}" for number in range(1_200)), "clip_b") == {("clip_b", TALL): by_hand(0.25)}
