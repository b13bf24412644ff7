"""What a person changed, removed or deleted stays so, whatever pipelines, imports and searches send before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipviewer.db.models import Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.highlight import Candidate
from clipviewer.domain.removal import RemovalScope
from clipviewer.domain.timecode import format_clock
from clipviewer.errors import ChangedByPerson, RemovedByPerson, VideoDeleted
from clipviewer.media.captions.tracks import parse_captions
from clipviewer.services.library import changes
from clipviewer.services.library.registration import (
    NewExportedClip,
    NewIdentifiedClip,
    NewVideo,
    register_exported,
    register_identified,
    register_video,
)
from clipviewer.services.library.row_writer import Result, Status
from clipviewer.services.library.videos import video_details
from clipviewer.services.room import captions, finding, marking
from clipviewer.services.room.captions import attach_chosen, attach_sent, captions_of, write_track
from clipviewer.services.room.clips import IdentifiedClipView, exported_clips, identified_clips
from clipviewer.services.room.finding import FoundClips
from clipviewer.services.room.framings import save_framing
from tests.services.test_registration import stored

VIDEO = "video_1"


@pytest.fixture
def library(database: Database) -> Database:
    with database.write() as db:
        db.add(Video(id=VIDEO, title="One", s3_key="one.mp4", duration_ms=600_000))
    return database


def send(database: Database, *items: NewIdentifiedClip) -> list[Result]:
    with database.write() as db:
        return register_identified(db, VIDEO, items)


def send_video(database: Database, new: NewVideo) -> Result:
    with database.write() as db:
        return register_video(db, new, stored(new.s3_key))


def listed(database: Database) -> list[IdentifiedClipView]:
    with database.read() as db:
        return identified_clips(db, VIDEO)


GOAL = NewIdentifiedClip(1_000, 5_000, "The goal", "a", 83.0, {"speech": 0.5})


def test_the_same_request_again_does_not_set_back_what_a_person_changed(library: Database) -> None:
    (made,) = send(library, GOAL)
    with library.write() as db:
        marking.change_clip(db, VIDEO, made.id, 1_500, 4_000, "The winning goal")
    (again,) = send(library, GOAL)
    assert (again.id, again.status, again.detail) == (made.id, Status.KEPT, "A person has changed the range and the title: that stays.")
    (clip,) = listed(library)
    assert (clip.start_ms, clip.end_ms, clip.title, clip.reference) == (1_500, 4_000, "The winning goal", "a")


def test_a_changed_request_updates_what_no_person_changed(library: Database) -> None:
    (made,) = send(library, GOAL)
    with library.write() as db:
        marking.change_clip(db, VIDEO, made.id, title="The winning goal")
    (again,) = send(library, NewIdentifiedClip(2_000, 6_000, "Goal!", "a", 90.0))
    assert (again.status, again.detail) == (Status.KEPT, "A person has changed the title: that stays.")
    (clip,) = listed(library)
    assert (clip.start_ms, clip.title, clip.score, clip.score_parts) == (2_000, "The winning goal", 90.0, {"speech": 0.5})


def test_a_range_is_a_persons_as_a_whole(library: Database) -> None:
    (made,) = send(library, GOAL)
    with library.write() as db:
        marking.change_clip(db, VIDEO, made.id, end_ms=3_000)
    (again,) = send(library, NewIdentifiedClip(4_000, 8_000, "The goal", "a"))
    assert again.status is Status.KEPT
    assert [(clip.start_ms, clip.end_ms) for clip in listed(library)] == [(1_000, 3_000)]


def test_a_title_to_which_a_person_returned_stays_the_persons(library: Database) -> None:
    (made,) = send(library, GOAL)
    for title in ("The winning goal", "The goal"):
        with library.write() as db:
            marking.change_clip(db, VIDEO, made.id, title=title)
    assert [result.status for result in (*send(library, GOAL), *send(library, NewIdentifiedClip(1_000, 5_000, "Goal!", "a")))] == [
        Status.UNCHANGED,
        Status.KEPT,
    ]
    assert [clip.title for clip in listed(library)] == ["The goal"]


def test_a_title_that_is_saved_unchanged_stays_the_pipelines(library: Database) -> None:
    (made,) = send(library, NewIdentifiedClip(1_000, 5_000, "The  goal", "a"))
    with library.write() as db:
        marking.change_clip(db, VIDEO, made.id, 1_500, 5_000, "The goal")
    (again,) = send(library, NewIdentifiedClip(1_500, 5_000, "Goal!", "a"))
    assert (again.status, listed(library)[0].title) == (Status.UPDATED, "Goal!")


def test_what_a_pipeline_leaves_out_stays(library: Database) -> None:
    send(library, GOAL)
    assert send(library, NewIdentifiedClip(1_000, 5_000, reference="a"))[0].status is Status.UNCHANGED
    assert send(library, NewIdentifiedClip(1_000, 6_000, reference="a"))[0].status is Status.UPDATED
    (clip,) = listed(library)
    assert (clip.title, clip.score, clip.score_parts) == ("The goal", 83.0, {"speech": 0.5})


def test_a_title_that_was_made_from_the_times_follows_them(library: Database) -> None:
    send(library, NewIdentifiedClip(1_000, 5_000, reference="a"))
    send(library, NewIdentifiedClip(2_000, 5_000, reference="a"))
    assert [clip.title for clip in listed(library)] == ["Clip 0:02–0:05"]


def test_a_candidate_that_a_person_removed_stays_removed_until_the_person_restores_it(library: Database) -> None:
    (made,) = send(library, GOAL)
    with library.write() as db:
        removed = marking.remove_clip(db, VIDEO, made.id)
    (again,) = send(library, GOAL)
    assert (again.status, again.id) == (Status.REMOVED, made.id)
    assert listed(library) == []
    with library.write() as db:
        (export,) = register_exported(
            db, VIDEO, [NewExportedClip("c.mp4", 1_000, 5_000, "9:16", "en", identified_clip_id=made.id)], stored("c.mp4")
        )
        assert (export.status, exported_clips(db, VIDEO)[0].identified_clip_id) == (Status.CREATED, None)
        assert export.detail == "A person has removed its identified clip, so it is registered without one."
        marking.restore_clip(db, removed)
    assert send(library, GOAL)[0].status is Status.UNCHANGED


def test_a_candidate_beyond_the_end_of_the_video_is_invalid_where_its_length_is_known(library: Database) -> None:
    results = send(library, NewIdentifiedClip(599_000, 600_000), NewIdentifiedClip(599_000, 601_000), NewIdentifiedClip(700_000, 701_000))
    assert [result.status for result in results] == [Status.CREATED, Status.INVALID, Status.INVALID]
    assert results[1].detail == "The clip ends after the video does, at 600.000 seconds."
    with library.write() as db:
        changes_of_length = Video(id="video_2", title="Two", s3_key="two.mp4")
        db.add(changes_of_length)
        db.flush()
        assert register_identified(db, "video_2", [NewIdentifiedClip(700_000, 701_000)])[0].status is Status.CREATED


def test_a_title_that_a_person_gave_a_video_stays(library: Database) -> None:
    assert send_video(library, NewVideo("one.mp4", "Match", frame_rate="25")).status is Status.UPDATED
    with library.write() as db:
        changes.rename(db, VIDEO, "The final")
    for title in ("Match", "Match 2"):
        result = send_video(library, NewVideo("one.mp4", title, width=1920))
        assert (result.status, result.detail) == (Status.KEPT, "A person has changed the title: that stays.")
    with library.read() as db:
        video = video_details(db, VIDEO)
    assert (video.title, video.width, video.frame_rate) == ("The final", 1920, "25")


def test_a_deleted_video_is_not_registered_until_it_is_restored(library: Database) -> None:
    with library.write() as db:
        changes.delete(db, [VIDEO], RemovalScope.KEEP)
    with pytest.raises(VideoDeleted, match="Restore it under Recently deleted"):
        send_video(library, NewVideo("one.mp4", "Match"))
    with pytest.raises(VideoDeleted):
        send(library, GOAL)
    with library.write() as db:
        changes.restore(db, [VIDEO])
    assert send_video(library, NewVideo("one.mp4", "Match")).status is Status.UPDATED


def test_a_program_overrules_no_person_by_changing_or_removing_one_clip(library: Database) -> None:
    (made,) = send(library, GOAL)
    with library.write() as db:
        marking.change_clip(db, VIDEO, made.id, title="By program", by_program=True)
    with library.write() as db:
        marking.change_clip(db, VIDEO, made.id, title="By person")
    with library.write() as db, pytest.raises(ChangedByPerson, match="title"):
        marking.change_clip(db, VIDEO, made.id, title="By program", by_program=True)
    with library.write() as db, pytest.raises(ChangedByPerson):
        marking.remove_clip(db, VIDEO, made.id, by_program=True)
    with library.write() as db:
        marking.change_clip(db, VIDEO, made.id, end_ms=9_000, by_program=True)
    assert [(clip.title, clip.end_ms) for clip in listed(library)] == [("By person", 9_000)]


def test_a_program_removes_its_own_candidates_and_no_framed_ones(library: Database) -> None:
    framed, plain = send(library, GOAL, NewIdentifiedClip(9_000, 10_000, reference="b"))
    with library.write() as db:
        save_framing(db, VIDEO, framed.id, AspectRatio.PORTRAIT, 0.3, 0.5)
        marking.remove_clip(db, VIDEO, plain.id, by_program=True)
    with library.write() as db, pytest.raises(ChangedByPerson):
        marking.remove_clip(db, VIDEO, framed.id, by_program=True)
    assert send(library, NewIdentifiedClip(9_000, 10_000, reference="b"))[0].status is Status.CREATED


def test_a_search_does_not_find_again_what_a_person_removed(library: Database) -> None:
    found = [Candidate(10_000, 30_000, "Louder", 50.0, {}, ()), Candidate(50_000, 70_000, "Second", 40.0, {}, ())]
    with library.write() as db:
        finding.store_found_clips(db, VIDEO, found)
    with library.write() as db:
        marking.remove_clip(db, VIDEO, listed(library)[0].id)
    with library.write() as db:
        assert finding.store_found_clips(db, VIDEO, found) == FoundClips(changed=1, left_out=1)
    assert [clip.title for clip in listed(library)] == ["Second"]


VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n"


def test_captions_that_a_person_chose_or_removed_are_not_replaced_by_a_program(library: Database) -> None:
    sent, chosen = (write_track(parse_captions(text, "a.vtt"), "a.vtt") for text in (VTT, VTT.replace(b"Hallo", b"Servus")))
    with library.write() as db:
        first, created = attach_sent(db, VIDEO, "de", sent, "a.vtt")
        again, unchanged = attach_sent(db, VIDEO, "de", sent, "a.vtt")
        assert (created, unchanged, again.id, again.created_at) == (Status.CREATED, Status.UNCHANGED, first.id, first.created_at)
        mine, updated = attach_chosen(db, VIDEO, "de", chosen, "b.vtt", actor="user_1")
        kept, status = attach_sent(db, VIDEO, "de", sent, "a.vtt")
        assert (updated, status, kept.id) == (Status.UPDATED, Status.KEPT, mine.id)
        captions.remove(db, VIDEO, "de")
        with pytest.raises(RemovedByPerson):
            attach_sent(db, VIDEO, "de", sent, "a.vtt")
        assert captions_of(db, VIDEO) == []
        assert attach_chosen(db, VIDEO, "de", sent, "a.vtt", actor="user_1")[1] is Status.CREATED


def test_captions_that_a_person_confirmed_are_not_replaced_by_a_program(library: Database) -> None:
    sent, other = (write_track(parse_captions(text, "a.vtt"), "a.vtt") for text in (VTT, VTT.replace(b"Hallo", b"Servus")))
    with library.write() as db:
        attach_sent(db, VIDEO, "de", sent, "a.vtt")
        assert attach_chosen(db, VIDEO, "de", sent, "a.vtt", actor="user_1")[1] is Status.UNCHANGED
        assert attach_sent(db, VIDEO, "de", other, "a.vtt")[1] is Status.KEPT


def test_a_change_during_a_registration_is_not_lost(library: Database) -> None:
    items = [NewIdentifiedClip(number * 1_000, number * 1_000 + 900, f"Sent {number}", str(number)) for number in range(60)]
    ids = [result.id for result in send(library, *items)]

    def register(turn: int) -> None:
        send(library, *(NewIdentifiedClip(item.start_ms, item.end_ms, f"{item.title} again {turn}", item.reference) for item in items))

    def rename(clip_id: str) -> None:
        with library.write() as db:
            marking.change_clip(db, VIDEO, clip_id, title=f"Mine {clip_id}")

    with ThreadPoolExecutor(4) as threads:
        turns = [threads.submit(register, turn) for turn in range(10)]
        renamed = [threads.submit(rename, clip_id) for clip_id in ids]
        for done in (*turns, *renamed):
            done.result()
    assert [clip.title for clip in listed(library)] == [f"Mine {clip_id}" for clip_id in ids]


@dataclass
class Clip:
    """What a candidate should be: ``value`` by part, and the parts that are a person's."""

    id: str
    value: dict[str, object]
    by_person: set[str] = field(default_factory=set)
    touched: bool = False


class Story:
    """A video to which machines and a person write in turn, and what should be left of it."""

    def __init__(self, database: Database, number: int) -> None:
        self.database, self.video_id, self.key = database, f"video_{number}", f"{number}.mp4"
        self.clips: dict[str, Clip] = {}
        self.removed: dict[str, tuple[Clip, marking.Removed]] = {}
        self.title = Clip(self.video_id, {"title": "Sent"})
        self.deleted = False
        with database.write() as db:
            db.add(Video(id=self.video_id, title="Sent", s3_key=self.key))

    def machine_sends(self, reference: str, span: tuple[int, int], title: str, score: float | None) -> None:
        item = NewIdentifiedClip(*span, title, reference, score)
        with self.database.write() as db:
            if self.deleted:
                with pytest.raises(VideoDeleted):
                    register_identified(db, self.video_id, [item])
                return
            (result,) = register_identified(db, self.video_id, [item])
        if reference in self.removed:
            assert result.status is Status.REMOVED
            return
        clip = self.clips.get(reference)
        if clip is None:
            assert result.status is Status.CREATED
            value: dict[str, object] = {"range": span, "title": title or times(span), "score": score}
            self.clips[reference] = Clip(result.id, value)
            return
        follows = not clip.touched and clip.value["title"] == times(clip.value["range"])
        sent = {"range": span, "title": title or (times(span) if follows else None), "score": score}
        assert result.id == clip.id
        self.expect(result, clip, sent)

    def expect(self, result: Result, clip: Clip, sent: dict[str, object]) -> None:
        """Work out what becomes of what a machine sent, and check what it was told."""
        differs = {part: value for part, value in sent.items() if value is not None and clip.value[part] != value}
        written = {part: value for part, value in differs.items() if part not in clip.by_person}
        clip.value |= written
        expected = Status.KEPT if len(written) < len(differs) else Status.UPDATED if written else Status.UNCHANGED
        assert (result.status, bool(result.detail)) == (expected, expected is Status.KEPT)

    def machine_changes(self, reference: str, span: tuple[int, int] | None, title: str | None) -> None:
        clip = self.clips.get(reference)
        if clip is None or self.deleted:
            return
        sent = {part: value for part, value in (("range", span), ("title", title)) if value is not None and clip.value[part] != value}
        with self.database.write() as db:
            try:
                marking.change_clip(db, self.video_id, clip.id, *(span or (None, None)), title, by_program=True)
            except ChangedByPerson:
                assert not clip.by_person.isdisjoint(sent)
                return
        assert clip.by_person.isdisjoint(sent)
        clip.value |= sent

    def machine_removes(self, reference: str) -> None:
        clip = self.clips.get(reference)
        if clip is None or self.deleted:
            return
        with self.database.write() as db:
            try:
                marking.remove_clip(db, self.video_id, clip.id, by_program=True)
            except ChangedByPerson:
                assert clip.by_person
                return
        assert not clip.by_person
        del self.clips[reference]

    def machine_sends_video(self, title: str) -> None:
        with self.database.write() as db:
            if self.deleted:
                with pytest.raises(VideoDeleted):
                    register_video(db, NewVideo(self.key, title), stored(self.key, etag=""))
                return
            result = register_video(db, NewVideo(self.key, title), {self.key: stored(self.key, size=0, etag="")[self.key]})
        self.expect(result, self.title, {"title": title or None})

    def machine_searches(self) -> None:
        with self.database.write() as db:
            if not self.deleted:
                finding.store_found_clips(db, self.video_id, [])

    def person_changes(self, reference: str, span: tuple[int, int] | None, title: str | None) -> None:
        clip = self.clips.get(reference)
        if clip is None or self.deleted:
            return
        with self.database.write() as db:
            marking.change_clip(db, self.video_id, clip.id, *(span or (None, None)), title)
        clip.touched = True
        self.decide(clip, {part: value for part, value in (("range", span), ("title", title)) if value is not None})

    def decide(self, clip: Clip, values: dict[str, object]) -> None:
        clip.by_person |= {part for part, value in values.items() if clip.value[part] != value}
        clip.value |= values

    def person_removes(self, reference: str) -> None:
        clip = self.clips.get(reference)
        if clip is None or self.deleted:
            return
        del self.clips[reference]
        with self.database.write() as db:
            self.removed[reference] = clip, marking.remove_clip(db, self.video_id, clip.id)

    def person_restores(self, reference: str) -> None:
        if reference in self.removed and not self.deleted:
            self.clips[reference], removed = self.removed.pop(reference)
            with self.database.write() as db:
                marking.restore_clip(db, removed)

    def person_renames_video(self, title: str) -> None:
        if not self.deleted:
            with self.database.write() as db:
                changes.rename(db, self.video_id, title)
            self.decide(self.title, {"title": title})

    def person_deletes_or_restores_video(self) -> None:
        with self.database.write() as db:
            if self.deleted:
                changes.restore(db, [self.video_id])
            else:
                changes.delete(db, [self.video_id], RemovalScope.KEEP)
        self.deleted = not self.deleted

    def check(self) -> None:
        with self.database.read() as db:
            clips = {
                clip.id: (clip.reference, (clip.start_ms, clip.end_ms), clip.title, clip.score)
                for clip in identified_clips(db, self.video_id)
            }
            assert clips == {clip.id: (name, *clip.value.values()) for name, clip in self.clips.items()}
            video = video_details(db, self.video_id, deleted=True)
            assert (video.title, video.deleted_at is not None) == (self.title.value["title"], self.deleted)


def times(span: object) -> str:
    assert isinstance(span, tuple)
    return f"Clip {format_clock(span[0])}–{format_clock(span[1])}"


REFERENCES, TITLES = st.sampled_from(["a", "b"]), st.sampled_from(["Sent", "Other", "Mine"])
SPANS = st.sampled_from([(0, 2_000), (1_000, 3_000), (4_000, 9_000)])
SCORES = st.none() | st.sampled_from([1.0, 2.0])
WRITES = st.one_of(
    st.tuples(st.just(Story.machine_sends), REFERENCES, SPANS, st.just("") | TITLES, SCORES),
    st.tuples(st.just(Story.machine_sends), REFERENCES, SPANS, TITLES, SCORES),
    st.tuples(st.just(Story.machine_changes), REFERENCES, st.none() | SPANS, st.none() | TITLES),
    st.tuples(st.just(Story.machine_removes), REFERENCES),
    st.tuples(st.just(Story.machine_sends_video), st.just("") | TITLES),
    st.tuples(st.just(Story.machine_searches)),
    st.tuples(st.just(Story.person_changes), REFERENCES, SPANS, st.none() | TITLES),
    st.tuples(st.just(Story.person_changes), REFERENCES, st.none() | SPANS, TITLES),
    st.tuples(st.just(Story.person_removes), REFERENCES),
    st.tuples(st.just(Story.person_restores), REFERENCES),
    st.tuples(st.just(Story.person_renames_video), TITLES),
    st.tuples(st.just(Story.person_deletes_or_restores_video)),
)
NUMBERS: Iterator[int] = count(100)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(WRITES, min_size=10, max_size=20))
def test_no_write_of_a_person_is_lost_whatever_machines_write(database: Database, writes: list[tuple[object, ...]]) -> None:
    story = Story(database, next(NUMBERS))
    for reference in ("a", "b"):
        story.machine_sends(reference, (0, 2_000), "Sent", 1.0)
    for write, *arguments in writes:
        assert callable(write)
        write(story, *arguments)
        story.check()
