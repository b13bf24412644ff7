"""Cells of the export matrix: identified by what decides their file, numbered as they change, owned by one attempt at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlmodel import Session, select

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.job_state import JobState
from clipviewer.domain.language import ORIGINAL
from clipviewer.errors import ClipNotFound, Conflict, Invalid, VideoNotFound
from clipviewer.services import workers
from clipviewer.services.cells.board import CellView, cell, cells, changes_since
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.choices import plan_exports
from clipviewer.services.exporting.export_runs import Ticket
from clipviewer.services.exporting.exports import cancel, request_exports, retry
from clipviewer.storage.s3 import StoredObject
from tests.conftest import Clock

PORTRAIT, SQUARE = AspectRatio.PORTRAIT, AspectRatio.SQUARE
VIDEO = "video_1"


@pytest.fixture
def footage(database: Database) -> Database:
    """One video with the clips ``clip_1`` and ``clip_2``."""
    with database.write() as db:
        db.add(Video(id=VIDEO, title="Talk", s3_key="talk.mp4", etag="e1", size=10))
        db.flush()
        for number in (1, 2):
            start = number * 1_000
            clip = IdentifiedClip(
                id=f"clip_{number}", video_id=VIDEO, reference=str(number), start_ms=start, end_ms=start + 500, title=f"Clip {number}"
            )
            db.add(clip)
    return database


def ask(db: Session, *clips: str, ratios: tuple[AspectRatio, ...] = (PORTRAIT,), framing: Framing | None = None) -> list[CellView]:
    return request_exports(db, VIDEO, clips or ("clip_1",), ExportChoices(ratios, framings=dict.fromkeys(ratios, framing)), actor="user_1")


def stored(key: str) -> StoredObject:
    return StoredObject(key, 7, "etag", "video/mp4", Clock().now)


def finish(db: Session, job: CellView, key: str = "exports/one.mp4") -> str | None:
    ticket = Ticket(job.id, job.attempt)
    assert export_runs.claim(db, ticket, Clock().now)
    order = export_runs.order_of(db, ticket)
    assert order is not None
    return export_runs.publish(db, order, stored(key), Clock().now)


def test_fifty_identical_requests_at_once_make_one_row_for_each_cell(footage: Database) -> None:
    barrier = Barrier(20)

    def press(number: int) -> set[str]:
        if number < 20:
            barrier.wait(timeout=30)
        with footage.write() as db:
            return {job.id for job in ask(db, "clip_1", "clip_2", ratios=(PORTRAIT, SQUARE))}

    with ThreadPoolExecutor(20) as people:
        answers = list(people.map(press, range(50)))
    with footage.read() as db:
        assert {frozenset(answer) for answer in answers} == {frozenset(job.id for job in cells(db, VIDEO))}
        assert len(cells(db, VIDEO)) == 4


def test_another_framing_range_or_source_is_another_cell(footage: Database) -> None:
    with footage.write() as db:
        found = {ask(db)[0].id, ask(db, framing=Framing(FramingMode.MANUAL, 0.2, 0.5))[0].id, ask(db, framing=Framing())[0].id}
        db.get_one(IdentifiedClip, "clip_1").end_ms += 1
        db.flush()
        found.add(ask(db)[0].id)
        db.get_one(Video, VIDEO).etag = "e2"
        db.flush()
        found.add(ask(db)[0].id)
    assert len(found) == 4


def test_the_plan_says_what_a_request_then_does(footage: Database) -> None:
    with footage.write() as db:
        db.add(
            ExportedClip(
                video_id=VIDEO, identified_clip_id="clip_2", start_ms=1_950, end_ms=2_550, title="", s3_key="made.mp4", aspect_ratio="9:16",
                target_language=ORIGINAL,
            )
        )  # fmt: skip
        db.flush()
        ask(db, "clip_1", ratios=(SQUARE,))
        plan = plan_exports(db, VIDEO, ["clip_1", "clip_2"], ExportChoices([PORTRAIT, SQUARE]))
        assert [(item.identified_clip_id, item.aspect_ratio) for item in plan.missing] == [("clip_1", PORTRAIT), ("clip_2", SQUARE)]
        assert [(item.identified_clip_id, item.aspect_ratio) for item in plan.present] == [("clip_1", SQUARE), ("clip_2", PORTRAIT)]
        jobs = ask(db, "clip_1", "clip_2", ratios=(PORTRAIT, SQUARE))
        assert len(jobs) == len(cells(db, VIDEO)) == 3
        assert plan_exports(db, VIDEO, ["clip_1", "clip_2"], ExportChoices([PORTRAIT, SQUARE])).missing == []


def test_impossible_exports_are_refused(footage: Database) -> None:
    with footage.write() as db:
        with pytest.raises(VideoNotFound):
            request_exports(db, "video_none", ["clip_1"], ExportChoices([PORTRAIT]))
        with pytest.raises(ClipNotFound):
            ask(db, "clip_1", "clip_gone")
        with pytest.raises(Invalid, match="no captions in German"):
            request_exports(db, VIDEO, ["clip_1"], ExportChoices([PORTRAIT], ["de"]))
        with pytest.raises(Invalid, match="at least one"):
            request_exports(db, VIDEO, ["clip_1"], ExportChoices([]))
        assert cells(db, VIDEO) == []


def test_a_room_receives_every_change_once_and_in_order(footage: Database) -> None:
    with footage.write() as db:
        first, second = ask(db, "clip_1", "clip_2")
    with footage.read() as db:
        seen = changes_since(db, VIDEO, 0)
        assert [job.id for job in seen.cells] == [first.id, second.id]
        assert changes_since(db, VIDEO, seen.revision).cells == ()
    with footage.write() as db:
        cancel(db, second.id)
        export_runs.claim(db, Ticket(first.id, 1), Clock().now)
        export_runs.report(db, Ticket(first.id, 1), Clock().now, progress=0.25)
    with footage.read() as db:
        news = changes_since(db, VIDEO, seen.revision)
        assert [(job.id, job.state, job.progress) for job in news.cells] == [(second.id, "cancelled", 0), (first.id, "running", 0.25)]
        assert news.revision > seen.revision
        assert changes_since(db, VIDEO, news.revision).cells == ()


def test_a_cancelled_cell_is_queued_again_by_a_retry_or_a_new_request(footage: Database) -> None:
    with footage.write() as db:
        (job,) = ask(db)
        assert cancel(db, job.id).state == JobState.CANCELLED
        assert (retry(db, job.id).state, cell(db, job.id).attempt) == (JobState.QUEUED, 2)
        cancel(db, job.id)
        assert [(again.id, again.state, again.attempt) for again in ask(db)] == [(job.id, JobState.QUEUED, 3)]


def test_a_finished_cell_stays_until_its_clip_is_deleted(footage: Database) -> None:
    with footage.write() as db:
        (job,) = ask(db)
        clip_id = finish(db, job)
        with pytest.raises(Conflict):
            cancel(db, job.id)
        with pytest.raises(Conflict):
            retry(db, job.id)
        assert [(same.state, same.exported_clip_id) for same in ask(db)] == [(JobState.DONE, clip_id)]
        db.delete(db.get_one(ExportedClip, clip_id))
        db.flush()
        assert ask(db)[0].state == JobState.QUEUED


def test_an_attempt_that_lost_its_cell_changes_nothing(footage: Database) -> None:
    with footage.write() as db:
        (job,) = ask(db)
        old = Ticket(job.id, 1)
        export_runs.claim(db, old, Clock().now)
        order = export_runs.order_of(db, old)
        assert order is not None
        cancel(db, job.id)
        retry(db, job.id)
        before = cell(db, job.id)
        assert not export_runs.claim(db, old, Clock().now)
        export_runs.report(db, old, Clock().now, progress=0.9)
        export_runs.fail(db, old, Clock().now, "late")
        export_runs.release(db, old, Clock().now)
        assert export_runs.publish(db, order, stored("late.mp4"), Clock().now) is None
        assert cell(db, job.id) == before
        assert db.exec(select(ExportedClip)).all() == []


def test_a_worker_that_falls_silent_loses_its_cell_to_a_new_attempt(footage: Database, clock: Clock) -> None:
    silence = timedelta(seconds=60)
    with footage.write() as db:
        (job,) = ask(db)
        ticket = Ticket(job.id, 1)
        workers.beat(db, "worker_1", clock())
        assert export_runs.claim(db, ticket, clock(), "worker_1")
        assert not export_runs.claim(db, ticket, clock(), "worker_2")
        clock.pass_time(seconds=50)
        workers.beat(db, "worker_1", clock())
        clock.pass_time(seconds=50)
        workers.forget_silent(db, clock() - silence)
        assert workers.lost(db, ExportJob) == []
        clock.pass_time(seconds=11)
        workers.forget_silent(db, clock() - silence)
        assert workers.lost(db, ExportJob) == [ticket]
        export_runs.release(db, ticket, clock())
        assert export_runs.queued(db, 10) == [Ticket(job.id, 2)]


def test_an_export_that_is_interrupted_repeatedly_fails_eventually(footage: Database, clock: Clock) -> None:
    with footage.write() as db:
        (job,) = ask(db)
        for attempt in range(1, workers.MAX_ATTEMPTS + 1):
            assert export_runs.claim(db, Ticket(job.id, attempt), clock())
            export_runs.release(db, Ticket(job.id, attempt), clock())
        ended = cell(db, job.id)
        assert (ended.state, "interrupted several times" in ended.reason) == (JobState.FAILED, True)


def test_a_retry_uses_the_current_source_and_never_duplicates_a_cell(footage: Database) -> None:
    with footage.write() as db:
        (job,) = ask(db)
        cancel(db, job.id)
        db.get_one(Video, VIDEO).etag = "e2"
        db.flush()
        (newer,) = ask(db)
        assert newer.id != job.id
        with pytest.raises(Conflict, match="Follow that one"):
            retry(db, job.id)
        db.delete(db.get_one(ExportJob, newer.id))
        db.flush()
        assert retry(db, job.id).identity == newer.identity


def test_announced_objects_are_leftovers_unless_their_attempt_goes_on_or_published_them(footage: Database, clock: Clock) -> None:
    with footage.write() as db:
        first, second = ask(db, "clip_1", "clip_2")
        for job in (first, second):
            export_runs.claim(db, Ticket(job.id, 1), clock())
            export_runs.announce_upload(db, Ticket(job.id, 1), [f"{job.id}.mp4"])
            export_runs.announce_upload(db, Ticket(job.id, 1), [f"{job.id}.mp4"])
        assert export_runs.leftovers(db) == []
        finish(db, first)
        cancel(db, second.id)
        assert export_runs.leftovers(db) == [f"{second.id}.mp4"]
        export_runs.strike_out(db, [f"{second.id}.mp4"])
        assert export_runs.leftovers(db) == []


def test_the_object_of_an_exported_clip_is_never_announced_and_so_never_removed(footage: Database, clock: Clock) -> None:
    with footage.write() as db:
        first, second = ask(db, "clip_1", "clip_2")
        finish(db, first, "exports/one.mp4")
        export_runs.claim(db, Ticket(second.id, 1), clock())
        with pytest.raises(Conflict):
            export_runs.announce_upload(db, Ticket(second.id, 1), ["exports/one.mp4"])
        assert export_runs.leftovers(db, Ticket(second.id, 1)) == []
