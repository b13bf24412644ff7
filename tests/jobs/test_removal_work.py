"""Permanent removal of a deleted video: the chosen objects, then its rows; consistent if the store fails half-way."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from clipviewer.db.models import AuditEntry, ExportedClip, Video, utc_now
from clipviewer.domain.removal import RemovalScope
from clipviewer.errors import StorageUnreachable
from clipviewer.jobs.removal_work import remove_video
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled
from clipviewer.services import work
from clipviewer.services.bucket.lookup import find_objects
from clipviewer.services.container import Services
from clipviewer.services.library import removal
from clipviewer.services.library.changes import delete, restore
from clipviewer.services.library.registration import NewVideo, register_video
from clipviewer.services.library.row_writer import Status
from tests.claims import claim_next
from tests.jobs.conftest import MASTER_KEY, VIDEO_ID

OURS = f"exports/{VIDEO_ID}/a_9x16"
THEIRS = "talks/clips/one.mp4"
SHARED = "talks/clips/shared.vtt"
EXPORTS = {f"{OURS}.mp4", f"{OURS}.json", f"{OURS}.vtt", THEIRS}
PREVIEWS = {f"previews/{VIDEO_ID}/e/poster.jpg", f"previews/{VIDEO_ID}/e/filmstrip-1.webp"}
OTHERS = {SHARED, "talks/clips/one.json", "previews/video_smaller/poster.jpg", "other.mp4"}


@pytest.fixture
def library(room: Services) -> Services:
    """The small video with previews, an export of this product and one of a pipeline, beside a video that shares a captions file."""
    for key in EXPORTS | PREVIEWS | OTHERS:
        room.store.put(key, b"x", "application/octet-stream")
    made = {"start_ms": 0, "end_ms": 1, "title": "c", "aspect_ratio": "9:16", "target_language": "en"}
    with room.database.write() as db:
        db.add(Video(id="video_other", title="Other", s3_key="other.mp4"))
        db.get_one(Video, VIDEO_ID).poster_key = min(PREVIEWS)
        db.flush()
        db.add(ExportedClip(video_id=VIDEO_ID, s3_key=f"{OURS}.mp4", captions_key=f"{OURS}.vtt", **made))
        db.add(ExportedClip(video_id=VIDEO_ID, s3_key=THEIRS, captions_key=SHARED, **made))
        db.add(ExportedClip(video_id="video_other", s3_key="talks/clips/theirs.mp4", captions_key=SHARED, **made))
    return room


def begun(services: Services, folder: Path, objects: RemovalScope) -> LibraryAttempt:
    """The removal as a worker has claimed it."""
    with services.database.write() as db:
        delete(db, [VIDEO_ID], objects)
        removal.enqueue_removal(db, VIDEO_ID, actor="user_1")
    return claimed(services, folder)


def claimed(services: Services, folder: Path) -> LibraryAttempt:
    with services.database.write() as db:
        item = claim_next(db, ["remove"], utc_now())
    assert item is not None
    return LibraryAttempt(services, item, folder, Ffmpeg())


def in_bucket(services: Services) -> set[str]:
    return {found.key for found in services.store.list("")}


def rows(services: Services) -> tuple[int, int]:
    """Return the numbers of videos and exported clips."""
    with services.database.read() as db:
        return len(db.exec(select(Video)).all()), len(db.exec(select(ExportedClip)).all())


@pytest.mark.parametrize(
    ("objects", "gone"),
    [
        (RemovalScope.KEEP, set()),
        (RemovalScope.EXPORTS, EXPORTS),
        (RemovalScope.ALL, EXPORTS | PREVIEWS | {MASTER_KEY}),
    ],
)
def test_exactly_the_chosen_objects_are_removed(library: Services, tmp_path: Path, objects: RemovalScope, gone: set[str]) -> None:
    before = in_bucket(library)
    assert remove_video(begun(library, tmp_path, objects)) == {"objects": len(gone)}
    assert before - in_bucket(library) == gone
    assert rows(library) == (1, 1)
    with library.database.read() as db:
        (entry,) = db.exec(select(AuditEntry).where(AuditEntry.action == "video_removed"))
        assert work.unfinished_work(db) == []
    assert (entry.actor, entry.subject, entry.details["objects"]) == ("user_1", VIDEO_ID, objects.value)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("deletions", [0, 2, 4, 5, 6])
def test_after_a_failure_of_the_store_the_next_attempt_removes_the_rest(
    library: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deletions: int
) -> None:
    run = begun(library, tmp_path, RemovalScope.ALL)
    through = library.store.delete
    done: list[str] = []

    def fails(key: str) -> None:
        if len(done) == deletions:
            raise StorageUnreachable
        done.append(key)
        through(key)

    with monkeypatch.context() as patched:
        patched.setattr(library.store, "delete", fails)
        with pytest.raises(StorageUnreachable):
            remove_video(run)
    with library.database.write() as db:
        work.fail(db, run.item, utc_now(), StorageUnreachable.title)
        left = db.exec(select(ExportedClip).where(ExportedClip.video_id == VIDEO_ID, ExportedClip.missing_at.is_(None))).all()
        assert all(clip.s3_key not in done for clip in left)
        video = db.get_one(Video, VIDEO_ID)
        assert video.missing_at is not None or MASTER_KEY not in done
        removal.enqueue_removal(db, VIDEO_ID)
    remove_video(claimed(library, tmp_path))
    assert in_bucket(library) == OTHERS
    assert rows(library) == (1, 1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_removing_a_video_that_is_already_gone_succeeds(library: Services, tmp_path: Path) -> None:
    run = begun(library, tmp_path, RemovalScope.KEEP)
    with library.database.write() as db:
        gone = removal.pending_removal(db, VIDEO_ID)
        assert gone is not None
        removal.delete_video(db, gone)
    assert remove_video(run) == {"objects": 0}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cancelled_removal_stops_and_the_video_can_be_restored(library: Services, tmp_path: Path) -> None:
    run = begun(library, tmp_path, RemovalScope.ALL)
    before = in_bucket(library)
    with library.database.write() as db:
        work.cancel(db, run.item.id)
    with pytest.raises(MediaCancelled):
        remove_video(run)
    with library.database.write() as db:
        restore(db, [VIDEO_ID])
        assert db.get_one(Video, VIDEO_ID).deleted_at is None
    assert in_bucket(library) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_master_that_was_kept_can_be_registered_again(library: Services, tmp_path: Path) -> None:
    remove_video(begun(library, tmp_path, RemovalScope.EXPORTS))
    with library.database.write() as db:
        result = register_video(db, NewVideo(MASTER_KEY), find_objects(library.store, [MASTER_KEY]))
    assert (result.status, result.id != VIDEO_ID) == (Status.CREATED, True)
