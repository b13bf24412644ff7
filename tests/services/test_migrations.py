"""Migrations keep a database's contents, and unfinished jobs continue."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, text
from sqlmodel import Session, select

from clipviewer.db import session
from clipviewer.db.adoption_models import SidecarDue
from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import IdentifiedClip, Video, utc_now
from clipviewer.db.session import Database
from clipviewer.db.work_models import Work
from clipviewer.services import audit, work, workers
from clipviewer.services.cells.board import cell
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.export_runs import Ticket

JOB = (
    "INSERT INTO export_job(id, identity, video_id, start_ms, end_ms, title, source_etag, aspect_ratio, target_language, framing, "
    "captions, recipe, state, progress, reason, log, attempt, number, revision, requested_by, created_at, updated_at, alive_at) "
    "VALUES (:id, :id, 'video_1', 0, 9, 'Goal', 'old', '9:16', 'original', '{}', '', "
    "1, :state, 0.4, '', '', 3, 1, 1, '', :now, :now, :now)"
)
WORK = (
    "INSERT INTO work(id, kind, subject, slot, given, state, progress, note, log, result, attempt, requested_by, created_at, updated_at, "
    "alive_at) VALUES (:id, 'find', :id, :id, '{}', :state, 0.4, '', '', '{}', 2, '', :now, :now, :now)"
)


def to(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{session.__file__.rpartition('/')[0]}/migrations")
    with database.engine.connect().execution_options(clipviewer_writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def add_video(db: Session, video_id: str) -> None:
    """Add a video with the columns that every revision has."""
    values = {"title": "Talk", "s3_key": f"{video_id}.mp4", "etag": "new", "size": 0, "duration_ms": 0, "width": 0, "height": 0}
    db.connection().execute(insert(Video), {"id": video_id, "frame_rate": "", "created_at": utc_now(), **values})


@pytest.fixture
def former(database: Database) -> Database:
    """A database from before the change: an export and a search are queued, and one of each is running."""
    to(database, "0013")
    with database.write() as db:
        add_video(db, "video_1")
        for state in ("queued", "running"):
            db.connection().execute(text(JOB), {"id": f"job_{state}", "state": state, "now": utc_now()})
            db.connection().execute(text(WORK), {"id": f"work_{state}", "state": state, "now": utc_now()})
    database.migrate()
    return database


def test_queued_jobs_are_kept_and_running_ones_continue_as_a_new_attempt(former: Database) -> None:
    with former.write() as db:
        workers.beat(db, "worker_1", utc_now())
        assert [item.ticket for item in work.queued(db, ["find"], 10)] == [Ticket("work_queued", 2)]
        assert export_runs.queued(db, 10) == [Ticket("job_queued", 3)]
        assert (workers.lost(db, Work), workers.lost(db, ExportJob)) == ([Ticket("work_running", 2)], [Ticket("job_running", 3)])
        work.release(db, Ticket("work_running", 2), utc_now())
        export_runs.release(db, Ticket("job_running", 3), utc_now())
        assert (work.work(db, "work_running").attempt, cell(db, "job_running").attempt) == (3, 4)
        assert work.work(db, "work_running").priority == work.Priority.ASKED


def test_what_people_changed_before_sent_values_were_kept_is_theirs(database: Database) -> None:
    to(database, "0014")
    of_clip = "INSERT INTO identified_clip(id, video_id, reference, start_ms, end_ms, title, score_parts, created_at, touched_at) "
    of_captions = "INSERT INTO video_captions(id, video_id, language, name, origin, webvtt, digest, cues, added_by, created_at) "
    with database.write() as db:
        add_video(db, "video_1")
        add_video(db, "video_2")
        changes = {"clip_1": utc_now(), "clip_2": None}
        for clip_id, touched_at in changes.items():
            values = {"id": clip_id, "now": utc_now(), "touched_at": touched_at}
            db.connection().execute(text(of_clip + "VALUES (:id, 'video_1', :id, 0, 900, 'Goal', '{}', :now, :touched_at)"), values)
        for by in ("user_1", "token_1"):
            values = {"id": f"captions_{by}", "language": by[:2], "by": by, "now": utc_now()}
            db.connection().execute(
                text(of_captions + "VALUES (:id, 'video_1', :language, '', 'uploaded', 'WEBVTT', 'x', 0, :by, :now)"), values
            )
        audit.record(db, "video_renamed", subject="video_2")
    database.migrate()
    with database.read() as db:
        clips = {clip.id: clip.sent for clip in db.exec(select(IdentifiedClip))}
        videos = {video.id: video.sent for video in db.exec(select(Video))}
        captions = {track.id: track.by_person for track in db.exec(select(VideoCaptions))}
    assert clips == {"clip_1": {}, "clip_2": None}
    assert videos == {"video_1": None, "video_2": {}}
    assert captions == {"captions_user_1": True, "captions_token_1": False}


def test_every_sidecar_is_written_anew_once_it_has_more_to_tell(database: Database) -> None:
    to(database, "0015")
    with database.write() as db:
        add_video(db, "video_1")
        add_video(db, "video_2")
        db.connection().execute(text("DELETE FROM sidecar_due WHERE video_id = 'video_1'"))
        db.connection().execute(text("INSERT INTO sidecar_due(video_id, changes) VALUES ('video_2', 3)"))
    database.migrate()
    with database.read() as db:
        assert {due.video_id: due.changes for due in db.exec(select(SidecarDue))} == {"video_1": 1, "video_2": 3}


def test_the_counts_that_triggers_keep_are_still_kept(former: Database) -> None:
    with former.write() as db:
        db.connection().execute(text("UPDATE export_job SET state = 'done' WHERE id = 'job_queued'"))
        assert db.connection().execute(text("SELECT stale FROM video_tally WHERE video_id = 'video_1'")).scalar_one()
