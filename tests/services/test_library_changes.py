"""Renaming, tagging, archiving, deleting and restoring, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from clipviewer.db.models import AuditEntry, IdentifiedClip
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.removal import KEPT_FOR, RemovalScope
from clipviewer.errors import Conflict, Invalid, VideoNotFound
from clipviewer.services import work
from clipviewer.services.cells import board
from clipviewer.services.exporting import exports
from clipviewer.services.library import removal, video_previews
from clipviewer.services.library.changes import (
    Actor,
    Changed,
    DeletionStakes,
    archive,
    change_tags,
    delete,
    deletion_stakes,
    rename,
    restore,
    set_tags,
    undo,
)
from clipviewer.services.library.listing import Filter, ListQuery, list_videos
from clipviewer.services.library.tags import known_tags
from clipviewer.services.room import finding, marking
from tests.claims import claim_next
from tests.conftest import Clock
from tests.services.test_library import titles
from tests.services.test_videos import add_clips, add_video

ANNA = Actor("user_anna", "192.0.2.1")


def audited(db: Session) -> list[tuple[str, str, str]]:
    entries = db.exec(select(AuditEntry)).all()
    assert all(entry.address == ANNA.address for entry in entries)
    return sorted((entry.action, entry.actor, entry.subject) for entry in entries)


def test_a_new_title_is_searchable_and_can_be_undone(database: Database) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour")
        done = rename(db, "video_1", "  Quay \n at dawn ", by=ANNA)
        assert (titles(db), titles(db, "quay"), titles(db, "harbour")) == (["Quay at dawn"], ["Quay at dawn"], [])
        undo(db, done, by=ANNA)
        assert titles(db, "harbour") == ["Harbour"]
        assert rename(db, "video_1", "Harbour", by=ANNA) == Changed()
        assert audited(db) == [("video_renamed", ANNA.id, "video_1")] * 2


@pytest.mark.parametrize("title", ["", " \n ", "x" * 301, "a\0b", "\ud800", "a\x1bb"])
def test_an_invalid_title_is_refused(database: Database, title: str) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour")
        with pytest.raises(Invalid, match=r"The title (must have|contains)"):
            rename(db, "video_1", title)


def test_tags_are_kept_alike_found_and_filtered_by(database: Database) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour")
        add_video(db, 2, "Quay")
        set_tags(db, "video_1", ["Boats", "  wide \t SHOT", "boats", "été"], by=ANNA)
        page = list_videos(db)
        assert {video.title: list(video.tags) for video in page.items} == {"Harbour": ["boats", "wide shot", "été"], "Quay": []}
        assert titles(db, "wide") == titles(db, "ETE harbour") == ["Harbour"]
        assert [video.title for video in list_videos(db, ListQuery(tag="wide shot")).items] == ["Harbour"]
        assert list_videos(db, ListQuery(tag="wide")).total == 0
        done = change_tags(db, ["video_1", "video_2"], add=["dawn"])
        assert done.tags == {"video_1": ["boats", "wide shot", "été"], "video_2": []}
        assert set(titles(db, "dawn")) == {"Harbour", "Quay"}
        assert set(known_tags(db)) == {"boats", "wide shot", "été", "dawn"}
        undo(db, done)
        assert titles(db, "dawn") == []
        set_tags(db, "video_1", [])
        assert (titles(db, "boats"), known_tags(db)) == ([], [])


@pytest.mark.parametrize("tags", [[""], ["a,b"], ["x" * 41], ["a\0"], [f"tag {number}" for number in range(21)]])
def test_invalid_tags_are_refused(database: Database, tags: list[str]) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour")
        with pytest.raises(Invalid):
            set_tags(db, "video_1", tags)


def test_an_archived_video_is_hidden_until_it_is_restored(database: Database, clock: Clock) -> None:
    with database.write() as db:
        for number in (1, 2, 3):
            add_video(db, number, str(number))
        archive(db, ["video_3"], clock=clock)
        done = archive(db, ["video_1", "video_3"], by=ANNA, clock=clock)
        assert (titles(db), titles(db, wanted=Filter.ARCHIVED)) == (["2"], ["3", "1"])
        undo(db, done)
        assert titles(db) == ["2", "1"]
        archive(db, ["video_3"], False)
        assert titles(db) == ["3", "2", "1"]


def test_a_deleted_video_can_be_restored_unchanged(database: Database, clock: Clock) -> None:
    with database.write() as db:
        add_clips(db, add_video(db, 1, "Harbour", archived_at=clock.now, previews={"etag": "x"}), 1, 2)
        set_tags(db, "video_1", ["boats"])
        done = delete(db, ["video_1"], RemovalScope.ALL, by=ANNA, clock=clock)
        assert done.deleted == ["video_1"]
        for wanted in Filter:
            assert titles(db, wanted=wanted) == (["Harbour"] if wanted is Filter.DELETED else []), wanted
        assert known_tags(db) == []
        undo(db, done, by=ANNA)
        (video,) = list_videos(db, ListQuery(filter=Filter.ARCHIVED)).items
        assert (video.deleted_at, video.exported_count, video.tags) == (None, 2, ["boats"])
        assert work.unfinished_work(db) == []


def test_deleting_a_video_cancels_its_jobs_and_no_new_ones_start(database: Database, clock: Clock) -> None:
    with database.write() as db:
        for number in (1, 2):
            add_clips(db, add_video(db, number, str(number), etag="e"), 1, 0)
            video_previews.enqueue_previews(db, f"video_{number}")
        clips = {clip.video_id: clip.id for clip in db.exec(select(IdentifiedClip))}
        jobs = {
            video_id: exports.request_exports(db, video_id, [clip], ExportChoices([AspectRatio.SQUARE]))[0].id
            for video_id, clip in clips.items()
        }
        assert delete(db, ["video_1"], RemovalScope.KEEP, clock=clock).cancelled == 2
        assert {video_id: board.cell(db, job).state for video_id, job in jobs.items()} == {"video_1": "cancelled", "video_2": "queued"}
        assert [item.video_id for item in work.unfinished_work(db)] == ["video_2"]
        refused = [
            lambda: exports.request_exports(db, "video_1", [clips["video_1"]], ExportChoices([AspectRatio.SQUARE])),
            lambda: exports.retry(db, jobs["video_1"]),
            lambda: finding.enqueue_search(db, "video_1"),
            lambda: video_previews.enqueue_previews(db, "video_1"),
            lambda: marking.mark_clip(db, "video_1", 0, 1_000, ""),
            lambda: rename(db, "video_1", "x"),
            lambda: set_tags(db, "video_1", ["x"]),
            lambda: archive(db, ["video_2", "video_1"]),
        ]
        for ask in refused:
            with pytest.raises(Conflict, match=r"Restore (it|them) first"):
                ask()
        restore(db, ["video_1"])
        assert {item.kind for item in work.unfinished_work(db) if item.video_id == "video_1"} == {"previews"}


def test_another_choice_of_objects_does_not_extend_the_retention(database: Database, clock: Clock) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour")
        delete(db, ["video_1"], RemovalScope.ALL, clock=clock)
        clock.pass_time(hours=20)
        assert delete(db, ["video_1"], RemovalScope.KEEP, clock=clock).deleted == []
        clock.pass_time(hours=4)
        assert removal.enqueue_expired(db, clock.now) == 1
        gone = removal.pending_removal(db, "video_1")
    assert gone is not None
    assert gone.objects is RemovalScope.KEEP


def test_a_deleted_video_is_removed_after_a_day_and_can_be_restored_until_then(database: Database, clock: Clock) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour", previews={"etag": "x"})
        delete(db, ["video_1"], RemovalScope.ALL, clock=clock)
        assert removal.enqueue_expired(db, clock.now + KEPT_FOR - timedelta(seconds=1)) == 0
        assert removal.enqueue_expired(db, clock.now + KEPT_FOR) == 1
        assert removal.enqueue_expired(db, clock.now + KEPT_FOR) == 1
        assert [item.kind for item in work.unfinished_work(db)] == ["remove"]
        restore(db, ["video_1"])
        assert claim_next(db, ["remove"], clock.now) is None
        with pytest.raises(Conflict):
            removal.enqueue_removal(db, "video_1")


def test_a_removal_that_has_begun_is_not_undone(database: Database, clock: Clock) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour")
        delete(db, ["video_1"], RemovalScope.ALL, clock=clock)
        removal.enqueue_removal(db, "video_1")
        assert claim_next(db, ["remove"], clock.now) is not None
        for change in (lambda: restore(db, ["video_1"]), lambda: delete(db, ["video_1"], RemovalScope.KEEP)):
            with pytest.raises(Conflict, match="cannot be restored"):
                change()


def test_the_consequences_of_a_deletion_are_counted(database: Database) -> None:
    with database.write() as db:
        add_clips(db, add_video(db, 1, "a", size=5 * 2**40), 1, 2)
        add_clips(db, add_video(db, 2, "b", size=7), 0, 1)
        assert deletion_stakes(db, ["video_1", "video_2"]) == DeletionStakes(2, 5 * 2**40 + 7, 3, 0)
        assert deletion_stakes(db, []) == DeletionStakes(0, 0, 0, 0)


def test_changes_of_many_videos_are_all_or_nothing(database: Database) -> None:
    with database.write() as db:
        add_video(db, 1, "Harbour")
    for ids in (["video_1", "video_none"], ["video_1", "clip_1"], ["video_1", "\ud800"]):
        for change in (
            archive,
            restore,
            lambda db, ids: delete(db, ids, RemovalScope.KEEP),
            lambda db, ids: change_tags(db, ids, add=["x"]),
        ):
            with database.write() as db, pytest.raises(VideoNotFound):
                change(db, ids)
    with database.write() as db:
        assert titles(db) == ["Harbour"]
        with pytest.raises(Invalid, match="more than"):
            archive(db, [f"video_{number}" for number in range(1_001)])
