"""Finding clips as a job: its candidates, cancelling, and a language model that fails to give titles."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from clipviewer.db.models import IdentifiedClip, Video, utc_now
from clipviewer.domain.preferences import Preferences
from clipviewer.jobs.find_work import find_video_clips
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled
from clipviewer.services.container import Services
from clipviewer.services.prefs import save_preferences
from clipviewer.services.room import finding
from clipviewer.services.room.captions import attach
from tests.claims import claim_next
from tests.jobs.conftest import VIDEO_ID
from tests.preview_footage import encode

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def lecture(room: Services, tmp_path: Path) -> Services:
    """The room's video is a minute long, with a loud passage in its middle; there are no candidates."""
    loud = "aevalsrc='0.6*sin(880*t)*between(t,25,41)+0.02*sin(440*t)*gt(mod(t,4),1)':d=60"
    picture = "testsrc2=d=60:s=320x180:r=12"
    footage = encode(tmp_path / "lecture.mp4", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", loud, "-preset", "ultrafast")
    room.store.put_file("talks/lecture.mp4", footage, "video/mp4")
    with room.database.write() as db:
        video = db.get_one(Video, VIDEO_ID)
        video.s3_key, video.duration_ms = "talks/lecture.mp4", 0
        for clip in db.exec(select(IdentifiedClip)):
            db.delete(clip)
    return room


def claimed(services: Services, folder: Path, stopping: Callable[[], bool] = lambda: False) -> LibraryAttempt:
    with services.database.write() as db:
        finding.enqueue_search(db, VIDEO_ID, actor="user_1")
        item = claim_next(db, ["find"], utc_now())
    assert item is not None
    place = folder / item.id
    place.mkdir()
    return LibraryAttempt(services, item, place, Ffmpeg(), stopping=stopping)


def clips(services: Services) -> list[IdentifiedClip]:
    with services.database.read() as db:
        return list(db.exec(select(IdentifiedClip).order_by(IdentifiedClip.start_ms)))


def test_a_loud_passage_is_found_with_its_reasons(lecture: Services, tmp_path: Path) -> None:
    run = claimed(lecture, tmp_path)
    result = find_video_clips(run)
    found = clips(lecture)
    assert result["added"] == len(found) >= 1
    assert all((clip.origin, clip.touched_at) == ("found", None) and clip.reasons for clip in found)
    best = max(found, key=lambda clip: clip.score or 0)
    assert best.start_ms < 41_000
    assert best.end_ms > 25_000
    assert any("loud" in reason for reason in best.reasons)
    assert list(run.folder.iterdir()) == []


def test_found_clips_have_the_preferred_length(lecture: Services, tmp_path: Path) -> None:
    with lecture.database.write() as db:
        save_preferences(db, Preferences(shortest_s=3, longest_s=9))
    find_video_clips(claimed(lecture, tmp_path))
    lengths = [clip.end_ms - clip.start_ms for clip in clips(lecture)]
    assert lengths
    assert all(3_000 <= length <= 9_000 for length in lengths)


def test_a_cancelled_search_changes_nothing(lecture: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaCancelled):
        find_video_clips(claimed(lecture, tmp_path, stopping=lambda: True))
    with lecture.database.write() as db:
        finding.cancel_search(db, VIDEO_ID)
    run = claimed(lecture, tmp_path)
    monkeypatch.setattr(LibraryAttempt, "cancelled", lambda _: False)
    with lecture.database.write() as db:
        finding.cancel_search(db, VIDEO_ID)
    with pytest.raises(MediaCancelled):
        find_video_clips(run)
    assert clips(lecture) == []
    assert list(run.folder.iterdir()) == []


def test_clips_keep_their_own_titles_if_the_language_model_fails(lecture: Services, tmp_path: Path) -> None:
    with lecture.database.write() as db:
        attach(db, VIDEO_ID, "en", b"WEBVTT\n\n00:26.000 --> 00:40.000\nThe harbour opens at dawn.\n", "lecture.vtt")
    nowhere = dataclasses.replace(lecture.settings, llm_url="http://127.0.0.1:9/v1", llm_model="none")
    result = find_video_clips(claimed(dataclasses.replace(lecture, settings=nowhere), tmp_path))
    assert result["problem"]
    assert clips(lecture)
