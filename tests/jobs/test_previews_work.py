"""Previews of a registered video: made from its object, stored in the bucket, recorded in its row; or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clipviewer.db.models import Video, utc_now
from clipviewer.errors import ObjectMissing, StorageUnreachable
from clipviewer.jobs.previews_work import make_video_previews
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.services import work
from clipviewer.services.adoption.rows import mark_missing
from clipviewer.services.container import Services
from clipviewer.services.library.registration import NewVideo, register_video
from clipviewer.services.library.video_previews import enqueue_missing_previews
from clipviewer.services.room.captions import captions_of
from tests.claims import claim_next
from tests.jobs.conftest import MASTER_KEY, VIDEO_ID
from tests.preview_footage import encode

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ROOT = f"previews/{VIDEO_ID}/"


def claimed(services: Services, folder: Path, stopping: Callable[[], bool] = lambda: False) -> LibraryAttempt:
    """The video's job as a worker has claimed it."""
    with services.database.write() as db:
        work.enqueue(db, "previews", VIDEO_ID, video_id=VIDEO_ID, actor="user_1")
        item = claim_next(db, ["previews"], utc_now())
    assert item is not None
    place = folder / item.id
    place.mkdir()
    return LibraryAttempt(services, item, place, Ffmpeg(), stopping=stopping)


def finished(run: LibraryAttempt) -> None:
    result = make_video_previews(run)
    with run.services.database.write() as db:
        work.finish(db, run.item, utc_now(), result)


def video_of(services: Services) -> Video:
    with services.database.read() as db:
        return db.get_one(Video, VIDEO_ID)


def in_bucket(services: Services) -> set[str]:
    return {found.key for found in services.store.list(ROOT)}


def test_a_video_gets_its_true_length_and_rate_and_all_previews(room: Services, tmp_path: Path) -> None:
    with room.database.write() as db:
        row = db.get_one(Video, VIDEO_ID)
        row.duration_ms, row.width, row.height, row.frame_rate = 0, 0, 0, ""
    finished(claimed(room, tmp_path))
    video = video_of(room)
    assert (video.duration_ms, video.width, video.height, video.frame_rate) == (6_000, 1280, 720, "24/1")
    assert (video.media["moov"], video.media["videoCodec"]) == ("first", "h264")
    named = {video.previews[name] for name in ("posterKey", "filmstripKey", "peaksKey")}
    assert in_bucket(room) == named | {sheet["key"] for sheet in video.previews["sheets"]}
    assert video.poster_key == video.previews["posterKey"]
    assert room.store.head(video.poster_key).content_type == "image/jpeg"
    timeline = json.loads(room.store.get(video.previews["peaksKey"]))
    assert timeline["durationMs"] == 6_000
    assert len(timeline["timesMs"]) == sum(sheet["count"] for sheet in video.previews["sheets"])
    assert timeline["timesMs"][0] == 0


def test_a_file_that_goes_away_while_its_previews_are_made_stays_missing(room: Services, tmp_path: Path) -> None:
    def goes_away() -> bool:
        with room.database.write() as db:
            mark_missing(db, [VIDEO_ID], utc_now())
        return False

    finished(claimed(room, tmp_path, stopping=goes_away))
    assert video_of(room).missing_at is not None


def test_a_restored_file_is_no_longer_missing(room: Services, tmp_path: Path) -> None:
    with room.database.write() as db:
        mark_missing(db, [VIDEO_ID], utc_now())
    finished(claimed(room, tmp_path))
    assert video_of(room).missing_at is None


def test_a_file_that_is_gone_is_marked_as_missing(room: Services, tmp_path: Path) -> None:
    room.store.delete(MASTER_KEY)
    with pytest.raises(ObjectMissing):
        make_video_previews(claimed(room, tmp_path))
    assert video_of(room).missing_at is not None


def test_a_chosen_poster_is_kept(room: Services, tmp_path: Path) -> None:
    with room.database.write() as db:
        db.get_one(Video, VIDEO_ID).poster_key = "talks/poster.jpg"
    finished(claimed(room, tmp_path))
    assert video_of(room).poster_key == "talks/poster.jpg"


def test_previews_of_a_replaced_file_take_the_place_of_the_earlier_ones(room: Services, tmp_path: Path) -> None:
    finished(claimed(room, tmp_path))
    before = in_bucket(room)
    longer = encode(tmp_path / "longer.mp4", "-f", "lavfi", "-i", "testsrc2=d=8:s=640x360:r=30000/1001")
    room.store.put_file(MASTER_KEY, longer, "video/mp4")
    finished(claimed(room, tmp_path))
    video = video_of(room)
    assert before
    assert not before & in_bucket(room)
    assert (video.width, video.frame_rate, video.etag) == (640, "30000/1001", room.store.head(MASTER_KEY).etag)
    assert video.poster_key in in_bucket(room)
    assert json.loads(room.store.get(video.previews["peaksKey"]))["peaks"] == []


def test_a_cancelled_or_lost_job_leaves_nothing(room: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaCancelled):
        make_video_previews(claimed(room, tmp_path, stopping=lambda: True))
    with room.database.write() as db:
        (item,) = work.unfinished_work(db)
        work.cancel(db, item.id)
    run = claimed(room, tmp_path)
    monkeypatch.setattr(LibraryAttempt, "cancelled", lambda _: False)
    with room.database.write() as db:
        work.cancel(db, run.item.id)
    with pytest.raises(MediaCancelled):
        make_video_previews(run)
    assert in_bucket(room) == set()
    assert video_of(room).previews == {}


def test_a_store_that_fails_in_the_middle_leaves_the_earlier_previews(
    room: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(claimed(room, tmp_path))
    before, put = in_bucket(room), room.store.put_file

    def refuse(key: str, path: Path, content_type: str) -> None:
        if path.suffix == ".vtt":
            raise StorageUnreachable
        put(key, path, content_type)

    monkeypatch.setattr(room.store, "put_file", refuse)
    with pytest.raises(StorageUnreachable):
        make_video_previews(claimed(room, tmp_path))
    assert in_bucket(room) == before


def test_invalid_footage_fails_with_a_sentence(room: Services, tmp_path: Path) -> None:
    room.store.put(MASTER_KEY, b"no video", "video/mp4")
    with pytest.raises(MediaError, match="video file cannot be read"):
        make_video_previews(claimed(room, tmp_path))


def test_captions_inside_the_file_are_attached(room: Services, footage: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\nGood morning\n", encoding="utf-8")
    tracks = ["-i", str(footage), "-i", str(words), "-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text"]
    spoken = encode(tmp_path / "spoken.mp4", *tracks, "-metadata:s:s:0", "language=eng")
    room.store.put_file(MASTER_KEY, spoken, "video/mp4")
    finished(claimed(room, tmp_path))
    with room.database.read() as db:
        assert [captions.language for captions in captions_of(db, VIDEO_ID)] == ["en"]


def test_registration_enqueues_previews_of_a_new_file_only_and_keeps_measured_values(room: Services, tmp_path: Path) -> None:
    objects = {MASTER_KEY: room.store.head(MASTER_KEY)}
    finished(claimed(room, tmp_path))
    with room.database.write() as db:
        register_video(db, NewVideo(MASTER_KEY, duration_ms=5_000, frame_rate="25"), objects)
        assert work.unfinished_work(db) == []
    assert (video_of(room).duration_ms, video_of(room).frame_rate) == (6_000, "24/1")
    room.store.put(MASTER_KEY, b"another file", "video/mp4")
    with room.database.write() as db:
        register_video(db, NewVideo(MASTER_KEY), {MASTER_KEY: room.store.head(MASTER_KEY)})
        (asked,) = work.unfinished_work(db)
    assert (asked.kind, asked.video_id) == ("previews", VIDEO_ID)


def test_previews_of_videos_without_any_are_enqueued_once(room: Services, tmp_path: Path) -> None:
    with room.database.write() as db:
        assert (enqueue_missing_previews(db), enqueue_missing_previews(db)) == (1, 1)
        assert len(work.unfinished_work(db)) == 1
    finished(claimed(room, tmp_path))
    with room.database.write() as db:
        assert enqueue_missing_previews(db) == 0
