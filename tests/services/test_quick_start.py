"""A video that is switched to a quick copy of its file: which video is next, and which exports follow."""

from __future__ import annotations

from fractions import Fraction

import pytest
from sqlmodel import Session, select

from clipviewer.db.export_models import ExportJob
from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import AuditEntry, IdentifiedClip, Video, utc_now
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.errors import Conflict, VideoNotFound
from clipviewer.media.source.inspection import Inspection
from clipviewer.media.source.media_info import MediaInfo
from clipviewer.media.source.mp4_boxes import MoovPlace
from clipviewer.services import work
from clipviewer.services.exporting.choices import plan_exports
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.library import quick_start
from clipviewer.storage.s3 import StoredObject

OLD = StoredObject("talk.mp4", 9, "old", "video/mp4", utc_now())
NEW = StoredObject("talk.quick.mp4", 9, "new", "video/mp4", utc_now())
MEDIA = MediaInfo(60_000, 64, 36, Fraction(25), 0, "h264", "aac")
QUICK = Inspection(MEDIA, "mov", 9, 1, MoovPlace.FIRST, "", "", 2, 48_000, (), None)


@pytest.fixture
def library(database: Database) -> Database:
    """A slow video with 1,203 clips, more than one statement may name at once."""
    with database.write() as db:
        media = {"slowToStart": True}
        db.add(Video(id="video_1", title="Talk", s3_key=OLD.key, etag="old", size=9, media=media, previews={"etag": "old"}))
        db.flush()
        for number in range(1_203):
            times = {"start_ms": number * 10, "end_ms": number * 10 + 1_000}
            db.add(IdentifiedClip(id=f"clip_{number}", video_id="video_1", reference=f"r{number}", title="A", **times))
    return database


def ask(db: Session, first: int, last: int) -> int:
    return len(request_exports(db, "video_1", [f"clip_{number}" for number in range(first, last)], ExportChoices([AspectRatio.SQUARE])))


def changed_over(database: Database, old: StoredObject = OLD, new: StoredObject = NEW) -> None:
    with database.write() as db:
        item = work.enqueue(db, quick_start.KIND, "video_1", video_id="video_1", actor="user_1")
        quick_start.promote_copy(db, item, old, new, QUICK, utc_now())
        work.cancel(db, item.id)


def test_every_export_is_moved_to_the_new_object(library: Database) -> None:
    with library.write() as db:
        assert ask(db, 0, 1_000) + ask(db, 1_000, 1_203) == 1_203
    changed_over(library)
    with library.write() as db:
        assert set(db.exec(select(ExportJob.source_etag))) == {"new"}
        clip_ids = [f"clip_{number}" for number in range(1_000)]
        assert plan_exports(db, "video_1", clip_ids, ExportChoices([AspectRatio.SQUARE])).missing == []
        entry = db.exec(select(AuditEntry).where(AuditEntry.action == "master_repacked")).one()
    assert (entry.actor, entry.subject, entry.details) == ("user_1", NEW.key, {"video": "video_1", "before": OLD.key})


def test_an_export_of_the_new_object_is_not_duplicated(library: Database) -> None:
    with library.write() as db:
        ask(db, 0, 2)
        db.get_one(Video, "video_1").etag = "new"
        db.flush()
        ask(db, 0, 1)
        db.get_one(Video, "video_1").etag = "old"
    changed_over(library)
    with library.read() as db:
        assert sorted(db.exec(select(ExportJob.source_etag))) == ["new", "new", "old"]


def test_a_master_replaced_meanwhile_is_kept(library: Database) -> None:
    with library.write() as db:
        db.get_one(Video, "video_1").s3_key = "other.mp4"
    with pytest.raises(Conflict, match="was replaced meanwhile"):
        changed_over(library)
    with library.read() as db:
        assert db.get_one(Video, "video_1").etag == "old"
        assert db.exec(select(FormerMaster)).all() == []


def test_forth_and_back_and_forth_again_leaves_one_former_file(library: Database) -> None:
    changed_over(library)
    with library.write() as db:
        quick_start.restore_former_master(db, OLD.key, utc_now())
    with library.write() as db:
        assert quick_start.former_master(db, OLD.key) is None
        assert db.get_one(Video, "video_1").s3_key == OLD.key
    changed_over(library)
    with library.read() as db:
        (former,) = db.exec(select(FormerMaster)).all()
        assert (former.s3_key, former.etag, former.video_id) == (OLD.key, "old", "video_1")


def test_only_a_slow_video_is_repaired_and_only_a_running_repair_cancelled(library: Database) -> None:
    with library.write() as db:
        assert not quick_start.cancel_quick_start(db, "video_1")
        first = quick_start.enqueue_quick_start(db, "video_1")
        assert quick_start.enqueue_quick_start(db, "video_1").id == first.id
        assert quick_start.cancel_quick_start(db, "video_1")
        making = quick_start.quick_start_of(db, "video_1").making
        assert (making and making.state) == "cancelled"
    changed_over(library)
    with library.write() as db:
        with pytest.raises(Conflict, match="already starts quickly"):
            quick_start.enqueue_quick_start(db, "video_1")
        with pytest.raises(VideoNotFound):
            quick_start.enqueue_quick_start(db, "video_9")


def test_a_very_long_key_still_gives_a_valid_one(library: Database) -> None:
    with library.write() as db:
        item = quick_start.enqueue_quick_start(db, "video_1")
    assert len(quick_start.quick_key("ü" * 510 + ".mp4", item).encode()) <= 1024
    assert quick_start.quick_key("a.b/film", item).startswith("a.b/film.quick-")
    assert quick_start.quick_key("talks/film.MOV", item) == f"talks/film.quick-{item.id[-8:]}-1.mp4"
