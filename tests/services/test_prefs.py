"""The team's preferences in the database, and the retention they define."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from clipviewer.db.export_models import ExportJob, ExportUpload
from clipviewer.db.models import AuditEntry, ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.db.team_models import TeamPref
from clipviewer.db.work_models import Work
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.preferences import Preferences
from clipviewer.services import retention, work
from clipviewer.services.exporting.matrix_exports import export_cell
from clipviewer.services.prefs import load_preferences, save_preferences
from clipviewer.services.room.captions import attach
from clipviewer.services.room.finding import find_options
from clipviewer.services.room.framings import save_framing
from tests.conftest import Clock


def job(db: Session, clock: Clock, number: int, state: str, *, days: float, **more: object) -> str:
    moment = clock() - timedelta(days=days)
    made = ExportJob(
        id=f"job_{number}", identity=f"{number}", video_id="video_1", start_ms=0, end_ms=1000, title="t", source_etag="e",
        aspect_ratio="9:16", target_language="original", framing={}, recipe=1, state=state, number=number, revision=number,
        created_at=moment, updated_at=moment, **more,
    )  # fmt: skip
    db.add(made)
    return made.id


def test_preferences_are_defaults_until_changed_and_each_change_is_audited(database: Database, clock: Clock) -> None:
    wanted = Preferences(ratios=(AspectRatio.SQUARE,), languages=("original", "de"), captions=CaptionMode.BURNED, shortest_s=20)
    with database.write() as db:
        assert load_preferences(db) == Preferences()
        save_preferences(db, wanted, actor="user_1", clock=clock)
        save_preferences(db, wanted, actor="user_2", clock=clock)
    with database.read() as db:
        assert load_preferences(db) == wanted
        assert {row.updated_by for row in db.exec(select(TeamPref))} == {"user_1"}
        (entry,) = db.exec(select(AuditEntry).where(AuditEntry.action == "preferences"))
        assert (entry.actor, entry.details) == ("user_1", {"changed": "ratios, languages, captions, shortest_s"})
        assert (find_options(db).shortest_ms, find_options(db).longest_ms) == (20_000, 60_000)
    with database.write() as db:
        save_preferences(db, Preferences(), actor="user_2", clock=clock)
        assert load_preferences(db) == Preferences()


def test_an_unknown_value_is_ignored(database: Database) -> None:
    with database.write() as db:
        for key, value in (("shortest_s", "soon"), ("ratios", {"all": True}), ("of a later version", [1])):
            db.add(TeamPref(key=key, value=value))
    with database.read() as db:
        assert load_preferences(db) == Preferences()


def test_only_old_failed_or_cancelled_exports_without_leftovers_are_deleted(database: Database, clock: Clock) -> None:
    with database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4"))
        db.flush()
        clip = ExportedClip(video_id="video_1", start_ms=0, end_ms=1, title="c", s3_key="c.mp4", aspect_ratio="9:16", target_language="en")
        db.add(clip)
        db.flush()
        job(db, clock, 1, "failed", days=31)
        job(db, clock, 2, "cancelled", days=31)
        kept = {
            job(db, clock, 3, "failed", days=29),
            job(db, clock, 4, "done", days=90),
            job(db, clock, 5, "queued", days=90),
            job(db, clock, 6, "running", days=90),
            job(db, clock, 7, "failed", days=90, exported_clip_id=clip.id),
            job(db, clock, 8, "failed", days=90),
        }
        db.add(ExportUpload(s3_key="exports/8.mp4", job_id="job_8", attempt=1))
    with database.write() as db:
        before = retention.kept_since(db, clock())
        assert before == clock() - timedelta(days=30)
        assert retention.videos_with_old_failures(db, before) == ["video_1"]
        assert retention.forget_failed_exports(db, "video_1", before) == 2
        assert retention.videos_with_old_failures(db, before) == []
        assert set(db.exec(select(ExportJob.id))) == kept
        assert len(list(db.exec(select(ExportedClip)))) == len(list(db.exec(select(ExportUpload)))) == 1


def test_old_failed_jobs_are_deleted_and_finished_ones_kept(database: Database, clock: Clock) -> None:
    with database.write() as db:
        for number, (state, days) in enumerate([("failed", 31), ("cancelled", 31), ("failed", 1), ("done", 90), ("queued", 90)]):
            moment = clock() - timedelta(days=days)
            db.add(Work(id=f"work_{number}", kind="find", subject=f"{number}", state=state, created_at=moment, updated_at=moment))
    with database.write() as db:
        before = retention.kept_since(db, clock())
        assert before is not None
        assert work.forget_failed(db, before) == 2
        assert set(db.exec(select(Work.id))) == {"work_2", "work_3", "work_4"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_team_may_keep_failed_jobs_forever(database: Database, clock: Clock) -> None:
    with database.write() as db:
        save_preferences(db, Preferences(keep_failed_days=0))
        assert retention.kept_since(db, clock()) is None


def test_a_matrix_cell_uses_the_team_preferences_unless_its_clip_was_framed_by_hand(database: Database, clock: Clock) -> None:
    with database.write() as db:
        db.add(Video(id="video_1", title="One", s3_key="one.mp4", etag="e"))
        db.flush()
        db.add(IdentifiedClip(id="clip_1", video_id="video_1", reference="1", start_ms=0, end_ms=9_000, title="c"))
        db.flush()
        for language in ("original", "de"):
            attach(db, "video_1", language, b"WEBVTT\n\n00:01.000 --> 00:03.000\nMoin\n", "one.vtt")
        save_framing(db, "video_1", "clip_1", AspectRatio.SQUARE, 0.2, 0.5)
        usual = [export_cell(db, "video_1", "clip_1", AspectRatio.PORTRAIT, language) for language in ("original", "de")]
        save_preferences(db, Preferences(framing=FramingMode.FIT, captions=CaptionMode.BURNED), clock=clock)
        wanted = [export_cell(db, "video_1", "clip_1", ratio, "original") for ratio in (AspectRatio.LANDSCAPE, AspectRatio.SQUARE)]
    made = [(cell.framing["mode"], cell.captions.partition(":")[0]) for cell in (*usual, *wanted)]
    assert made == [("centre", ""), ("centre", "soft"), ("fit", "burned"), ("manual", "burned")]
