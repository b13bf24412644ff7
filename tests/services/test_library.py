"""The library: search, filters, order and pages, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event, insert
from sqlmodel import Session, select

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.services import work
from clipviewer.services.library.activity import running
from clipviewer.services.library.listing import Attention, Filter, ListQuery, SortOrder, count_attention, list_videos
from clipviewer.services.room import captions
from tests.claims import claim_next
from tests.services.test_videos import NOON, add_clips, add_video

LATER = datetime(2025, 11, 1, tzinfo=UTC)
VTT = b"WEBVTT\n\n00:01.000 --> 00:03.100\nThe lighthouse at na\xc3\xafve dawn\n"


def add_job(db: Session, video_id: str, state: str, etag: str = "", **fields: object) -> ExportJob:
    cell = {"start_ms": 0, "end_ms": 1, "title": "c", "aspect_ratio": "9:16", "target_language": "en", "framing": {}, "recipe": 1}
    identity = f"{video_id}{state}{etag}"
    job = ExportJob(video_id=video_id, identity=identity, state=state, source_etag=etag, number=1, revision=1, **cell, **fields)
    db.add(job)
    db.flush()
    return job


def titles(db: Session, text: str = "", wanted: Filter = Filter.ALL, sort: SortOrder = SortOrder.NEWEST) -> list[str]:
    page = list_videos(db, ListQuery(text, wanted, sort))
    assert page.total == len(page.items)
    return [video.title for video in page.items]


def test_the_newest_video_comes_first_with_its_counts(database: Database) -> None:
    with database.write() as db:
        add_clips(db, add_video(db, 1, "First", duration_ms=9_000, poster_key="posters/1.jpg"), 2, 3)
        add_video(db, 2, "Second")
    with database.read() as db:
        page = list_videos(db)
    assert [video.title for video in page.items] == ["Second", "First"]
    assert [(video.identified_count, video.exported_count) for video in page.items] == [(0, 0), (2, 3)]
    assert page.items[1].poster_key == "posters/1.jpg"
    assert page.items[1].duration_ms == 9_000
    assert page.items[1].created_at == NOON + timedelta(minutes=1)


def test_counts_follow_what_is_taken_away(database: Database) -> None:
    with database.write() as db:
        add_clips(db, add_video(db, 1, "First"), 2, 3)
    with database.write() as db:
        db.delete(db.exec(select(IdentifiedClip)).first())
    with database.read() as db:
        (video,) = list_videos(db).items
    assert (video.identified_count, video.exported_count) == (1, 3)


def test_the_library_comes_in_pages_that_meet(database: Database) -> None:
    with database.write() as db:
        for number in range(7):
            add_video(db, number, f"Video {number}")
    with database.read() as db:
        pages = [list_videos(db, offset=offset, limit=3) for offset in (0, 3, 6, 9)]
    assert [page.total for page in pages] == [7, 7, 7, 7]
    assert [video.title for page in pages for video in page.items] == [f"Video {number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"100 % Ärger", "a_b Über uns", "AxB", "Straße", "Утро"}),
        (" ", {"100 % Ärger", "a_b Über uns", "AxB", "Straße", "Утро"}),
        ("%", set()),
        ("100%", {"100 % Ärger"}),
        ("a_b", {"a_b Über uns"}),
        ("axb", {"AxB"}),
        ("ärger", {"100 % Ärger"}),
        ("ARGER", {"100 % Ärger"}),
        ("A\u0308rg", {"100 % Ärger"}),
        ("ÜBER", {"a_b Über uns"}),
        ("  straße ", {"Straße"}),
        ("утр", {"Утро"}),
        ("über a_b", {"a_b Über uns"}),
        ("über straße", set()),
        ("be a", set()),
        ('"', set()),
        ('AxB"', {"AxB"}),
        ("axb OR straße", set()),
        ("NOT axb*", set()),
        ("body:axb", set()),
        ("axb & !(", {"AxB"}),
        ("'axb':*", {"AxB"}),
        ("\\", set()),
        ("a\0", {"a_b Über uns", "100 % Ärger", "AxB"}),
        ("\ud800", set()),
    ],
)
def test_search_finds_words_and_the_beginning_of_the_last_one(database: Database, text: str, found: set[str]) -> None:
    with database.write() as db:
        for number, title in enumerate(("100 % Ärger", "a_b Über uns", "AxB", "Straße", "Утро")):
            add_video(db, number, title)
    with database.read() as db:
        assert set(titles(db, text)) == found


def test_a_video_is_found_by_its_clips_and_by_what_is_said_in_it(database: Database) -> None:
    with database.write() as db:
        video_id = add_video(db, 1, "Harbour")
        add_video(db, 2, "Elsewhere")
        clip = IdentifiedClip(video_id=video_id, reference="r", start_ms=0, end_ms=1, title="Gulls over the quay")
        db.add(clip)
        db.flush()
        captions.attach(db, video_id, "en", VTT, "en.vtt")
    with database.write() as db:
        for text in ("harb", "gulls", "naive", "lighthouse GULLS harbour", "dawn"):
            assert titles(db, text) == ["Harbour"], text
        assert titles(db, "100") == titles(db, "gulls elsewhere") == []
        renamed = db.get(IdentifiedClip, clip.id)
        assert renamed is not None
        renamed.title = "Terns"
        db.flush()
        captions.remove(db, video_id, "en")
        assert (titles(db, "terns"), titles(db, "gulls"), titles(db, "dawn")) == (["Harbour"], [], [])


def test_long_captions_are_found_to_their_end(database: Database) -> None:
    cues = "".join(f"{at // 60:02}:{at % 60:02}.000 --> {at // 60:02}:{at % 60:02}.900\nword{at} {'x' * 60}{at}\n\n" for at in range(1500))
    with database.write() as db:
        captions.attach(db, add_video(db, 1, "Long"), "en", f"WEBVTT\n\n{cues}".encode(), "en.vtt")
        assert all(titles(db, f"word{at}") == ["Long"] for at in range(0, 1500, 37))


def test_a_removed_video_is_no_longer_found(database: Database) -> None:
    with database.write() as db:
        add_clips(db, add_video(db, 1, "Harbour"), 1, 1)
    with database.write() as db:
        db.delete(db.get_one(Video, "video_1"))
    with database.read() as db:
        assert titles(db, "harbour") == []
        assert db.connection().exec_driver_sql("SELECT count(*) FROM search_entry").scalar_one() == 0


def test_every_order_puts_the_best_known_first(database: Database) -> None:
    with database.write() as db:
        add_clips(db, add_video(db, 1, "banana", duration_ms=3), 0, 2)
        add_clips(db, add_video(db, 2, "Apple", duration_ms=9), 0, 1)
        add_clips(db, add_video(db, 3, "cherry", duration_ms=1), 0, 0)
        db.add(IdentifiedClip(video_id="video_1", reference="r", start_ms=0, end_ms=1, title="c", created_at=LATER + timedelta(days=9999)))
    with database.read() as db:
        assert titles(db, sort=SortOrder.NEWEST) == ["cherry", "Apple", "banana"]
        assert titles(db, sort=SortOrder.TITLE) == ["Apple", "banana", "cherry"]
        assert titles(db, sort=SortOrder.DURATION) == ["Apple", "banana", "cherry"]
        assert titles(db, sort=SortOrder.EXPORTS) == ["banana", "Apple", "cherry"]
        assert titles(db, sort=SortOrder.ACTIVITY)[0] == "banana"


def test_filters_select_matching_videos(database: Database) -> None:
    with database.write() as db:
        for number, title in enumerate(("failed", "stale", "missing", "running", "exported", "captioned", "plain")):
            add_video(db, number, title, etag="new")
        add_video(db, 7, "archived", archived_at=LATER)
        add_video(db, 8, "deleted", deleted_at=LATER)
        add_video(db, 9, "both", archived_at=LATER, deleted_at=LATER)
        add_job(db, "video_0", "failed")
        add_job(db, "video_1", "done", "old")
        add_job(db, "video_6", "done", "new")
        add_job(db, "video_7", "failed")
        gone = {"aspect_ratio": "9:16", "target_language": "en", "title": "c", "start_ms": 0, "end_ms": 1}
        db.add(ExportedClip(video_id="video_2", s3_key="gone.mp4", missing_at=LATER, **gone))
        work.enqueue(db, "previews", "video_3", video_id="video_3")
        add_clips(db, "video_4", 0, 1)
        captions.attach(db, "video_5", "en", VTT, "en.vtt")
    with database.read() as db:
        found = {wanted: set(titles(db, wanted=wanted)) for wanted in Filter}
        assert count_attention(db) == Attention(failed=1, stale=1, missing=1)
        counts = {video.title: (video.running, video.failed, video.stale, video.missing) for video in list_videos(db).items}
    listed = {"failed", "stale", "missing", "running", "exported", "captioned", "plain"}
    assert found == {
        Filter.ALL: listed,
        Filter.ATTENTION: {"failed", "stale", "missing"},
        Filter.FAILED: {"failed"},
        Filter.STALE: {"stale"},
        Filter.MISSING: {"missing"},
        Filter.RUNNING: {"running"},
        Filter.EXPORTED: {"missing", "exported"},
        Filter.CAPTIONED: {"captioned"},
        Filter.ARCHIVED: {"archived"},
        Filter.DELETED: {"deleted", "both"},
    }
    wrong = {"failed": (0, 1, 0, 0), "stale": (0, 0, 1, 0), "missing": (0, 0, 0, 1), "running": (1, 0, 0, 0)}
    assert counts == {title: wrong.get(title, (0, 0, 0, 0)) for title in listed}


def test_a_failed_job_counts_until_it_is_enqueued_again(database: Database) -> None:
    with database.write() as db:
        add_video(db, 1, "Match")
        work.enqueue(db, "find", "video_1", video_id="video_1", clock=lambda: NOON)
        item = claim_next(db, ["find"], NOON)
        assert item is not None
        work.fail(db, item, NOON, "The file cannot be read.")
        assert titles(db, wanted=Filter.FAILED) == ["Match"]
        work.retry(db, item.id, clock=lambda: LATER)
        assert (titles(db, wanted=Filter.FAILED), titles(db, wanted=Filter.RUNNING)) == ([], ["Match"])


def test_the_number_of_queries_does_not_depend_on_the_page_length(database: Database) -> None:
    with database.write() as db:
        for number in range(40):
            add_clips(db, add_video(db, number, f"Video {number}"), 1, 1)
    statements: list[str] = []
    listener = lambda *arguments: statements.append(arguments[2])  # noqa: E731  the event's signature is SQLAlchemy's
    with database.read() as db:
        db.connection()
        event.listen(database.engine, "before_cursor_execute", listener)
        assert len(list_videos(db).items) == 40
        event.remove(database.engine, "before_cursor_execute", listener)
    assert len(statements) == 5


def test_running_jobs_of_all_videos_are_listed(database: Database) -> None:
    with database.write() as db:
        add_job(db, add_video(db, 1, "Match"), "queued", created_at=NOON)
        add_job(db, "video_1", "running", progress=0.5, created_at=LATER)
        add_job(db, "video_1", "done")
        work.enqueue(db, "adopt", "tapes/", clock=lambda: NOON - timedelta(days=1))
    with database.read() as db:
        items, total = running(db, limit=2)
    assert [(item.kind, item.title, item.state, item.progress) for item in items] == [
        ("export", "Match", "running", 0.5),
        ("adopt", "tapes/", "queued", 0.0),
    ]
    assert total == 3


def test_a_stale_export_is_detected_after_any_change(database: Database) -> None:
    def stale() -> list[str]:
        with database.read() as db:
            return titles(db, wanted=Filter.STALE)

    def replace(etag: str) -> None:
        with database.write() as db:
            db.get_one(Video, "video_1").etag = etag

    with database.write() as db:
        add_video(db, 1, "Match", etag="new")
        waiting = add_job(db, "video_1", "queued", "old").id
    assert stale() == []
    with database.write() as db:
        db.get_one(ExportJob, waiting).state = "done"
    assert stale() == ["Match"]
    seen = []
    for etag in ("old", "older", "new", ""):
        replace(etag)
        seen.append(stale())
    assert seen == [[], ["Match"], ["Match"], []]
    replace("new")
    with database.write() as db:
        db.get_one(ExportJob, waiting).source_etag = "new"
    assert stale() == []
    with database.write() as db:
        made = add_job(db, "video_1", "done", "zzz").id
    assert stale() == ["Match"]
    with database.write() as db:
        db.delete(db.get_one(ExportJob, made))
    assert stale() == []


def test_clips_of_several_videos_in_one_statement_are_counted_and_found(database: Database) -> None:
    with database.write() as db:
        for number in (1, 2):
            add_video(db, number, f"Video {number}")
        made = {"end_ms": 9, "score_parts": {}, "reasons": [], "origin": "found", "created_at": LATER}
        rows = [
            {"id": f"clip_{at}", "video_id": f"video_{at % 2 + 1}", "reference": str(at), "start_ms": at, "title": f"Gull {at}", **made}
            for at in range(5)
        ]
        db.connection().execute(insert(IdentifiedClip), rows)
    with database.read() as db:
        assert {video.title: video.identified_count for video in list_videos(db).items} == {"Video 1": 3, "Video 2": 2}
        assert {video.active_at for video in list_videos(db).items} == {LATER}
        assert titles(db, "gull 3") == ["Video 2"]
    with database.write() as db:
        db.connection().execute(delete(IdentifiedClip).where(IdentifiedClip.start_ms >= 1))  # type: ignore[arg-type]
    with database.read() as db:
        assert {video.title: video.identified_count for video in list_videos(db).items} == {"Video 1": 1, "Video 2": 0}
        assert (titles(db, "gull"), titles(db, "gull 3")) == (["Video 1"], [])
