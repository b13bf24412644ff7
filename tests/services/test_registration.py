from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from clipviewer.db.models import Video
from clipviewer.db.session import Database
from clipviewer.errors import Conflict, ObjectMissing, VideoNotFound
from clipviewer.services.library.registration import (
    NewExportedClip,
    NewIdentifiedClip,
    NewVideo,
    register_exported,
    register_identified,
    register_video,
)
from clipviewer.services.library.row_writer import Status
from clipviewer.services.library.videos import require_video, video_details
from clipviewer.services.room.clips import exported_clips, identified_clips
from clipviewer.storage.s3 import StoredObject

NOON = datetime(2025, 10, 5, 12, tzinfo=UTC)


def stored(*keys: str, size: int = 7, etag: str = "e1") -> dict[str, StoredObject]:
    return {key: StoredObject(key, size, etag, "video/mp4", NOON) for key in keys}


def rendered(key: str, start_ms: int = 0, **fields: str) -> NewExportedClip:
    return NewExportedClip(key, start_ms, start_ms + 1000, "9:16", "en", **fields)


@pytest.fixture
def library(database: Database) -> Database:
    with database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4"))
        db.add(Video(id="video_2", title="Two", s3_key="two.mp4"))
    return database


def test_a_video_is_identified_by_its_key(database: Database) -> None:
    objects = stored("a/the_match.mp4", "a/poster.jpg", size=3 * 2**30)
    with database.write() as db:
        first = register_video(db, NewVideo("a/the_match.mp4"), objects)
        again = register_video(db, NewVideo("a/the_match.mp4"), objects)
        better = register_video(db, NewVideo("a/the_match.mp4", "Match", "a/poster.jpg", 5000, 1920, 1080, "25"), objects)
        kept = register_video(db, NewVideo("a/the_match.mp4"), objects)
    assert [result.status for result in (first, again, better, kept)] == [
        Status.CREATED,
        Status.UNCHANGED,
        Status.UPDATED,
        Status.UNCHANGED,
    ]
    assert {result.id for result in (first, again, better, kept)} == {first.id}
    with database.read() as db:
        video = video_details(db, first.id)
    assert (video.title, video.poster_key, video.duration_ms, video.frame_rate) == ("Match", "a/poster.jpg", 5000, "25")


def test_a_video_without_a_title_is_called_by_its_file(database: Database) -> None:
    with database.write() as db:
        result = register_video(db, NewVideo("a/the_match.mp4"), stored("a/the_match.mp4"))
        assert video_details(db, result.id).title == "the match"


@pytest.mark.parametrize("present", [(), ("poster.jpg",), ("a.mp4",)])
def test_a_video_or_poster_that_is_not_in_the_bucket_is_refused(database: Database, present: tuple[str, ...]) -> None:
    with database.write() as db, pytest.raises(ObjectMissing, match="The bucket has no file"):
        register_video(db, NewVideo("a.mp4", poster_key="poster.jpg"), stored(*present))


def test_the_key_of_a_clip_cannot_become_a_video(library: Database) -> None:
    with library.write() as db:
        register_exported(db, "video_1", [rendered("c.mp4")], stored("c.mp4"))
        with pytest.raises(Conflict):
            register_video(db, NewVideo("c.mp4"), stored("c.mp4"))


def test_each_rendered_clip_has_its_own_result(library: Database) -> None:
    with library.write() as db:
        register_exported(db, "video_2", [rendered("two/x.mp4")], stored("two/x.mp4"))
        register_exported(db, "video_1", [rendered("same.mp4"), rendered("moved.mp4")], stored("same.mp4", "moved.mp4"))
    items = [
        rendered("new.mp4"),
        rendered("same.mp4"),
        rendered("moved.mp4", 500),
        rendered("gone.mp4"),
        rendered("two/x.mp4"),
        rendered("two.mp4"),
        rendered("new.mp4"),
        rendered("stray.mp4", identified_clip_id="clip_nobody"),
    ]
    objects = stored(*(item.s3_key for item in items if item.s3_key != "gone.mp4"))
    with library.write() as db:
        results = register_exported(db, "video_1", items, objects)
    assert [(result.name, result.status.value) for result in results] == [
        ("new.mp4", "created"),
        ("same.mp4", "unchanged"),
        ("moved.mp4", "updated"),
        ("gone.mp4", "missing"),
        ("two/x.mp4", "conflict"),
        ("two.mp4", "conflict"),
        ("new.mp4", "invalid"),
        ("stray.mp4", "invalid"),
    ]
    assert all(bool(result.id) != bool(result.detail) for result in results)
    with library.read() as db:
        kept = {clip.s3_key: clip for clip in exported_clips(db, "video_1")}
        assert [clip.s3_key for clip in exported_clips(db, "video_2")] == ["two/x.mp4"]
    assert kept.keys() == {"new.mp4", "same.mp4", "moved.mp4"}
    assert kept["moved.mp4"].start_ms == 500
    assert {result.name: result.id for result in results[:3]} == {key: clip.id for key, clip in kept.items()}


def test_a_rerendered_object_is_adopted_with_its_new_size(library: Database) -> None:
    with library.write() as db:
        register_exported(db, "video_1", [rendered("c.mp4")], stored("c.mp4"))
        (result,) = register_exported(db, "video_1", [rendered("c.mp4")], stored("c.mp4", size=3 * 2**30, etag="e2"))
        assert result.status is Status.UPDATED
        assert exported_clips(db, "video_1")[0].size == 3 * 2**30


def test_a_clip_without_a_title_takes_its_candidates_or_its_times(library: Database) -> None:
    with library.write() as db:
        (candidate,) = register_identified(db, "video_1", [NewIdentifiedClip(0, 1000, "The goal")])
        items = [rendered("a.mp4", identified_clip_id=candidate.id), rendered("b.mp4", 65_000), rendered("c.mp4", 70_000, title="Mine")]
        register_exported(db, "video_1", items, stored("a.mp4", "b.mp4", "c.mp4"))
        assert [clip.title for clip in exported_clips(db, "video_1")] == ["The goal", "Clip 1:05–1:06", "Mine"]


def test_a_candidate_of_another_video_is_refused(library: Database) -> None:
    with library.write() as db:
        (candidate,) = register_identified(db, "video_2", [NewIdentifiedClip(0, 1000)])
        (result,) = register_exported(db, "video_1", [rendered("a.mp4", identified_clip_id=candidate.id)], stored("a.mp4"))
    assert result.status is Status.INVALID


def test_candidates_are_identified_by_their_reference(library: Database) -> None:
    items = [NewIdentifiedClip(0, 1000, "A", "a", 0.5, {"speech": 1.0}), NewIdentifiedClip(2000, 3000)]
    with library.write() as db:
        first = register_identified(db, "video_1", items)
        again = register_identified(db, "video_1", items)
        moved = register_identified(db, "video_1", [NewIdentifiedClip(500, 1500, "B", "a", 0.75), NewIdentifiedClip(9, 10, reference="a")])
        elsewhere = register_identified(db, "video_2", items)
    assert [result.status for result in (*first, *again)] == [Status.CREATED, Status.CREATED, Status.UNCHANGED, Status.UNCHANGED]
    assert [result.status for result in moved] == [Status.UPDATED, Status.INVALID]
    assert [result.status for result in elsewhere] == [Status.CREATED, Status.CREATED]
    assert [result.name for result in first] == ["a", "2000-3000"]
    with library.read() as db:
        clips = identified_clips(db, "video_1")
    assert [(clip.start_ms, clip.title, clip.score, clip.score_parts) for clip in clips] == [
        (500, "B", 0.75, {"speech": 1.0}),
        (2000, "Clip 0:02–0:03", None, {}),
    ]


@pytest.mark.parametrize("video_id", ["video_nobody", "", "clip_1", "video_1\0"])
def test_nothing_is_registered_for_an_unknown_video(library: Database, video_id: str) -> None:
    with library.write() as db:
        for attempt in (
            lambda: require_video(db, video_id),
            lambda: register_identified(db, video_id, [NewIdentifiedClip(0, 1)]),
            lambda: register_exported(db, video_id, [rendered("a.mp4")], stored("a.mp4")),
        ):
            with pytest.raises(VideoNotFound):
                attempt()


def test_ten_thousand_clips_are_registered_in_one_request_and_again_without_change(library: Database) -> None:
    items = [rendered(f"c/{number}.mp4", number) for number in range(10_000)]
    objects = stored(*(item.s3_key for item in items))
    with library.write() as db:
        assert Counter(result.status for result in register_exported(db, "video_1", items, objects)) == {Status.CREATED: 10_000}
    with library.write() as db:
        assert Counter(result.status for result in register_exported(db, "video_1", items, objects)) == {Status.UNCHANGED: 10_000}
    later = stored(*objects, etag="e2")
    with library.write() as db:
        assert Counter(result.status for result in register_exported(db, "video_1", items, later)) == {Status.UPDATED: 10_000}
    with library.read() as db:
        assert len(exported_clips(db, "video_1")) == 10_000


def test_two_pipelines_that_send_the_same_make_one_clip(library: Database) -> None:
    items = [rendered(f"c/{number}.mp4", number) for number in range(200)]
    objects = stored(*(item.s3_key for item in items))

    def send(_: int) -> set[str]:
        with library.write() as db:
            return {result.id for result in register_exported(db, "video_1", items, objects)}

    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(send, range(4)))
    assert all(ids == sent[0] for ids in sent)
    assert len(sent[0]) == 200
