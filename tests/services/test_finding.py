"""Found clips: the next search updates them only while nobody has decided on them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video, utc_now
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.highlight import Candidate
from clipviewer.errors import VideoNotFound
from clipviewer.services import work
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.room import finding
from clipviewer.services.room.finding import FoundClips

VIDEO = "video_1"


def candidate(start_ms: int, end_ms: int, title: str = "Louder", score: float = 50.0) -> Candidate:
    return Candidate(start_ms, end_ms, title, score, {"loudness σ": 1.8}, ("louder than the rest by 1.8 σ",))


def keep(database: Database, *candidates: Candidate) -> FoundClips:
    with database.write() as db:
        return finding.store_found_clips(db, VIDEO, candidates)


def clips(database: Database) -> list[IdentifiedClip]:
    with database.read() as db:
        return list(db.exec(select(IdentifiedClip).order_by(IdentifiedClip.start_ms, IdentifiedClip.end_ms)))


@pytest.fixture
def library(database: Database) -> Database:
    with database.write() as db:
        db.add(Video(id=VIDEO, title="One", s3_key="one.mp4", duration_ms=600_000))
    return database


def test_found_clips_are_stored_with_score_and_reasons(library: Database) -> None:
    assert keep(library, candidate(10_000, 30_000), candidate(50_000, 70_000, "Second")) == FoundClips(added=2)
    first, second = clips(library)
    assert (first.origin, first.title, first.score, first.score_parts) == ("found", "Louder", 50.0, {"loudness σ": 1.8})
    assert first.reasons == ["louder than the rest by 1.8 σ"]
    assert (second.start_ms, second.end_ms, second.touched_at) == (50_000, 70_000, None)


def test_the_next_search_updates_its_clips_and_removes_those_no_longer_found(library: Database) -> None:
    keep(library, candidate(10_000, 30_000), candidate(50_000, 70_000))
    before = clips(library)[0].id
    again = keep(library, candidate(11_000, 31_000, "Better", 60.0), candidate(100_000, 120_000, "New"))
    assert again == FoundClips(added=1, changed=1, removed=1)
    first, second = clips(library)
    assert (first.id, first.start_ms, first.title, first.score) == (before, 11_000, "Better", 60.0)
    assert second.title == "New"


def test_repeating_a_search_changes_nothing_visible(library: Database) -> None:
    found = [candidate(10_000, 30_000), candidate(50_000, 70_000)]
    keep(library, *found)
    before = [(clip.id, clip.start_ms, clip.title) for clip in clips(library)]
    assert keep(library, *found) == FoundClips(changed=2)
    assert [(clip.id, clip.start_ms, clip.title) for clip in clips(library)] == before


def retouched(db: Session, clip: IdentifiedClip) -> None:
    clip.touched_at = utc_now()


def framed(db: Session, clip: IdentifiedClip) -> None:
    db.add(ClipFraming(identified_clip_id=clip.id, aspect_ratio="9:16", x=0.4, y=0.5))


def exported(db: Session, clip: IdentifiedClip) -> None:
    fields = {"s3_key": "made.mp4", "aspect_ratio": "9:16", "target_language": "original", "title": "Made"}
    db.add(ExportedClip(video_id=VIDEO, identified_clip_id=clip.id, start_ms=1, end_ms=2, **fields))


def on_its_way(db: Session, clip: IdentifiedClip) -> None:
    request_exports(db, VIDEO, [clip.id], ExportChoices([AspectRatio.LANDSCAPE]))


def marked(db: Session, clip: IdentifiedClip) -> None:
    clip.origin = "marked"


def of_a_pipeline(db: Session, clip: IdentifiedClip) -> None:
    clip.origin = "pipeline"


@pytest.mark.parametrize("decide", [retouched, framed, exported, on_its_way, marked, of_a_pipeline])
def test_decided_clips_are_never_changed(library: Database, decide: Callable[[Session, IdentifiedClip], None]) -> None:
    keep(library, candidate(10_000, 30_000, "As it was"))
    with library.write() as db:
        decide(db, db.exec(select(IdentifiedClip)).one())
    before = clips(library)[0].model_dump()
    assert keep(library, candidate(11_000, 29_000, "Another title", 99.0)) == FoundClips(there=1)
    assert [clip.model_dump() for clip in clips(library)] == [before]
    assert keep(library) == FoundClips()
    assert [clip.model_dump() for clip in clips(library)] == [before]


def test_a_found_clip_beside_a_decided_one_is_added(library: Database) -> None:
    with library.write() as db:
        db.add(IdentifiedClip(video_id=VIDEO, reference="a", start_ms=0, end_ms=20_000, title="Pipeline's"))
    assert keep(library, candidate(15_000, 45_000)) == FoundClips(added=1)


def test_the_clips_of_other_videos_stay(library: Database) -> None:
    with library.write() as db:
        db.add(Video(id="video_2", title="Two", s3_key="two.mp4"))
        db.flush()
        finding.store_found_clips(db, "video_2", [candidate(0, 20_000)])
    assert keep(library) == FoundClips()
    assert len(clips(library)) == 1


def test_an_unknown_video_is_refused(library: Database) -> None:
    with library.write() as db, pytest.raises(VideoNotFound):
        finding.store_found_clips(db, "video_9", [])
    with library.write() as db, pytest.raises(VideoNotFound):
        finding.enqueue_search(db, "video_9")


def test_one_search_runs_at_a_time_and_can_be_cancelled(library: Database) -> None:
    with library.write() as db:
        assert finding.enqueue_search(db, VIDEO).id == finding.enqueue_search(db, VIDEO).id
        assert finding.cancel_search(db, VIDEO)
        assert not finding.cancel_search(db, VIDEO)
        assert work.unfinished_work(db) == []


def test_open_rooms_can_tell_that_candidates_were_added_or_changed(library: Database) -> None:
    def seen() -> str:
        with library.read() as db:
            return finding.candidates_version(db, VIDEO)

    texts = [seen()]
    keep(library, candidate(10_000, 30_000))
    texts.append(seen())
    assert seen() == texts[-1]
    with library.write() as db:
        db.exec(select(IdentifiedClip)).one().touched_at = utc_now()
    texts.append(seen())
    assert len(set(texts)) == 3
