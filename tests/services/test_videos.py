from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session

from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.errors import VideoNotFound
from clipviewer.services.videos import list_videos, master_key, video_details

NOON = datetime(2025, 10, 5, 12, tzinfo=UTC)
BAD_IDS = ["", "video_", "video_nobody", "clip_1", "video_1\0", "video_../1", "\ud800", "video_1' OR '1'='1"]


def add_video(db: Session, number: int, title: str, **fields: object) -> str:
    video = Video(id=f"video_{number}", title=title, s3_key=f"masters/{number}.mp4", created_at=NOON + timedelta(minutes=number), **fields)
    db.add(video)
    db.flush()
    return video.id


def add_clips(db: Session, video_id: str, identified: int, exported: int) -> None:
    for number in range(identified):
        db.add(IdentifiedClip(video_id=video_id, reference=str(number), start_ms=number, end_ms=number + 1, title="c"))
    for number in range(exported):
        key = f"{video_id}/{number}.mp4"
        db.add(
            ExportedClip(
                video_id=video_id, start_ms=number, end_ms=number + 1, title="c", s3_key=key, aspect_ratio="9:16", target_language="en"
            )
        )
    db.flush()


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


def test_the_library_comes_in_pages_that_meet(database: Database) -> None:
    with database.write() as db:
        for number in range(7):
            add_video(db, number, f"Video {number}")
    with database.read() as db:
        pages = [list_videos(db, offset=offset, limit=3) for offset in (0, 3, 6, 9)]
    assert [page.total for page in pages] == [7, 7, 7, 7]
    assert [video.title for page in pages for video in page.items] == [f"Video {number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("", {"100 % Ärger", "a_b Über uns", "AxB", "Straße"}),
        ("%", {"100 % Ärger"}),
        ("_", {"a_b Über uns"}),
        ("a_b", {"a_b Über uns"}),
        ("axb", {"AxB"}),
        ("ärger", {"100 % Ärger"}),
        ("ÜBER", {"a_b Über uns"}),
        ("UNS", {"a_b Über uns"}),
        ("  straße ", {"Straße"}),
        ("über a_b", {"a_b Über uns"}),
        ("über straße", set()),
        ("\\", set()),
        ("'", set()),
        ("a\0", set()),
        ("\ud800", set()),
    ],
)
def test_search_finds_a_part_of_the_title_whatever_its_case(database: Database, search: str, titles: set[str]) -> None:
    with database.write() as db:
        for number, title in enumerate(("100 % Ärger", "a_b Über uns", "AxB", "Straße")):
            add_video(db, number, title)
    with database.read() as db:
        page = list_videos(db, search=search)
    assert {video.title for video in page.items} == titles
    assert page.total == len(titles)


def test_a_page_costs_three_queries_however_long_it_is(database: Database) -> None:
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
    assert len(statements) == 3


def test_the_details_of_a_video_say_where_it_lies_and_what_it_measures(database: Database) -> None:
    with database.write() as db:
        big = {"size": 5 * 2**30, "duration_ms": 3_600_000, "width": 1920, "height": 1080, "frame_rate": "30000/1001"}
        add_clips(db, add_video(db, 1, "Match", **big), 2, 1)
    with database.read() as db:
        video = video_details(db, "video_1")
        assert master_key(db, "video_1") == "masters/1.mp4"
    assert (video.title, video.s3_key, video.duration_ms) == ("Match", "masters/1.mp4", 3_600_000)
    assert (video.width, video.height, video.frame_rate) == (1920, 1080, "30000/1001")
    assert (video.identified_count, video.exported_count) == (2, 1)


@pytest.mark.parametrize("video_id", BAD_IDS)
def test_an_unknown_video_is_not_found(database: Database, video_id: str) -> None:
    with database.write() as db:
        add_video(db, 1, "Match")
    with database.read() as db:
        with pytest.raises(VideoNotFound):
            video_details(db, video_id)
        with pytest.raises(VideoNotFound):
            master_key(db, video_id)
