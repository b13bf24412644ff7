"""Single statements over persistent connections: what they see, what they wait for, and lost connections."""

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from clipviewer.db.models import Video
from clipviewer.db.session import Database

_COUNT = text("SELECT count(*) FROM video")


def count(db: Connection) -> int:
    return int(db.execute(_COUNT).scalar_one())


def look_up_count(database: Database) -> int:
    return asyncio.run(database.lookups.run(count))


def test_each_look_up_sees_earlier_commits(database: Database) -> None:
    assert look_up_count(database) == 0
    for number in range(1, 4):
        with database.write() as db:
            db.add(Video(title="V", s3_key=f"{number}.mp4"))
        assert look_up_count(database) == number


def test_look_ups_neither_wait_for_writers_nor_see_uncommitted_rows(database: Database) -> None:
    with database.write() as db:
        db.add(Video(title="V", s3_key="1.mp4"))
        db.flush()
        assert look_up_count(database) == 0


def test_no_transaction_stays_open_between_two_look_ups(database: Database) -> None:
    """An open transaction would keep reading an old snapshot and, on SQLite, keep the log from being emptied."""
    begun: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: begun.append(args[2]))
    look_up_count(database)
    assert [statement for statement in begun if "BEGIN" in statement] == []


def test_the_connection_is_kept(database: Database) -> None:
    opened: list[object] = []
    event.listen(database.engine, "checkout", lambda connection, *_: opened.append(connection))

    async def ask_again_and_again() -> None:
        for _ in range(20):
            await database.lookups.run(count)

    asyncio.run(ask_again_and_again())
    assert 1 <= len(opened) <= 8


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_lost_connection_is_reopened(database: Database) -> None:
    assert look_up_count(database) == 0
    with database.write() as db:
        db.connection().exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert look_up_count(database) == 0


def test_a_failed_statement_does_not_affect_the_next(database: Database) -> None:
    with pytest.raises(DBAPIError, match="nowhere"):
        asyncio.run(database.lookups.run(lambda db: db.execute(text("SELECT * FROM nowhere"))))
    assert look_up_count(database) == 0


def test_the_event_loop_is_not_blocked(database: Database) -> None:
    released = threading.Event()

    def wait_for_the_loop(_db: Connection) -> bool:
        return released.wait(timeout=30)

    async def both() -> bool:
        asked = asyncio.ensure_future(database.lookups.run(wait_for_the_loop))
        await asyncio.sleep(0)
        released.set()
        return await asked

    assert asyncio.run(both())


def test_concurrent_look_ups_each_get_their_own_result(database: Database) -> None:
    async def ask_all() -> list[object]:
        asks = [text("SELECT 1"), text("SELECT * FROM nowhere"), text("SELECT 3")]
        answers = (database.lookups.run(lambda db, ask=ask: db.execute(ask).scalar_one()) for ask in asks)  # type: ignore[misc]
        return await asyncio.gather(*answers, return_exceptions=True)

    first, wrong, last = asyncio.run(ask_all())
    assert (first, last) == (1, 3)
    assert isinstance(wrong, DBAPIError)


def test_a_cancelled_look_up_does_not_cancel_others(database: Database) -> None:
    async def leave_and_stay() -> int:
        leaving, staying = (asyncio.ensure_future(database.lookups.run(count)) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(leave_and_stay()) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_closed_database_refuses_queries(database: Database) -> None:
    database.dispose()
    with pytest.raises(RuntimeError, match="shutdown"):
        look_up_count(database)


def test_a_database_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'nowhere' / 'clipviewer.db'}")
    with pytest.raises(OperationalError):
        look_up_count(gone)
    gone.dispose()
