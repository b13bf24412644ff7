"""On SQLite the index of words tells by its own numbers which videos it has found: they hold whatever is added, renamed and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlmodel import Session

import clipviewer.db
from clipviewer.db.models import IdentifiedClip, Video
from clipviewer.db.session import Database
from clipviewer.services.library.listing import Wanted, list_videos
from clipviewer.services.library.tags import write_tags

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SCRIPTS = Path(clipviewer.db.__file__).parent / "migrations"


def titles(db: Session, text: str) -> list[str]:
    page = list_videos(db, Wanted(text))
    assert page.total == len(page.items)
    return sorted(video.title for video in page.items)


def add(db: Session, number: int, title: str) -> None:
    db.add(Video(id=f"video_{number}", title=title, s3_key=f"{number}.mp4"))
    db.flush()


def mark(db: Session, number: int, title: str) -> None:
    db.add(IdentifiedClip(id=f"clip_{title}", video_id=f"video_{number}", reference=title, start_ms=0, end_ms=1, title=title))
    db.flush()


def check_index(db: Session) -> None:
    """FTS5 compares its words with the texts they come from (https://sqlite.org/fts5.html, "The 'integrity-check' Command")."""
    db.connection().exec_driver_sql("INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)")


def test_clips_that_come_in_turns_are_each_found_in_their_own_video(database: Database) -> None:
    with database.write() as db:
        for number, title in ((1, "Harbour"), (2, "Market"), (3, "Station")):
            add(db, number, title)
        for turn in range(5):
            for number in (2, 1, 3):
                mark(db, number, f"scene{turn}of{number}")
        write_tags(db, {"video_1": ["gulls"], "video_3": ["trains"]})
    with database.write() as db:
        for turn in range(5):
            assert [titles(db, f"scene{turn}of{number}") for number in (1, 2, 3)] == [["Harbour"], ["Market"], ["Station"]]
        assert titles(db, "scene") == ["Harbour", "Market", "Station"]
        assert (titles(db, "gulls"), titles(db, "trains")) == (["Harbour"], ["Station"])
        check_index(db)


def test_a_video_that_follows_a_deleted_one_inherits_no_words(database: Database) -> None:
    with database.write() as db:
        add(db, 1, "Harbour")
        add(db, 2, "Market")
        mark(db, 2, "lemons")
    with database.write() as db:
        db.delete(db.get_one(Video, "video_2"))
        db.flush()
        add(db, 3, "Station")
        mark(db, 1, "gulls")
        mark(db, 3, "trains")
        assert titles(db, "lemons") == titles(db, "market") == []
        assert (titles(db, "gulls"), titles(db, "trains")) == (["Harbour"], ["Station"])
        renamed = db.get_one(IdentifiedClip, "clip_gulls")
        renamed.title = "terns"
        db.delete(db.get_one(IdentifiedClip, "clip_trains"))
        db.flush()
        assert (titles(db, "terns"), titles(db, "gulls"), titles(db, "trains")) == (["Harbour"], [], [])
        check_index(db)


def test_what_was_there_before_is_found_as_before(database: Database) -> None:
    """There and back again: what the older version has written is found by the newer one, and the other way round."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))

    def migrate(work: object, revision: str) -> None:
        with database.engine.connect().execution_options(clipviewer_writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            work(config, revision)  # type: ignore[operator]

    with database.write() as db:
        add(db, 1, "Harbour")
        add(db, 2, "Market")
    migrate(command.downgrade, "0013")
    with database.write() as db:
        run = db.connection().exec_driver_sql
        run("UPDATE search_entry SET number = (SELECT count(*) FROM search_entry e WHERE e.number <= search_entry.number)")
        run("INSERT INTO search_index(search_index) VALUES ('rebuild')")
        for owner, video_id, body in (("a", "video_2", "lemons"), ("b", "video_1", "gulls"), ("c", "video_2", "oranges")):
            run("INSERT INTO search_entry(owner, video_id, body) VALUES (?, ?, ?)", (owner, video_id, body))
        assert run("SELECT max(number) FROM search_entry").scalar_one() == 5
        check_index(db)
    migrate(command.upgrade, "head")
    with database.write() as db:
        for text, title in (("market", "Market"), ("lemons", "Market"), ("gulls", "Harbour"), ("oranges", "Market")):
            assert titles(db, text) == [title], text
        add(db, 3, "Station")
        mark(db, 1, "terns")
        assert (titles(db, "station"), titles(db, "terns")) == (["Station"], ["Harbour"])
        check_index(db)
