"""Database work from an event loop: where it runs, what it returns, and what waits for what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from clipviewer.db.executor import Executor
from clipviewer.db.models import Video
from clipviewer.db.session import Database

PATIENCE = 30


def titles(db: Session) -> list[str]:
    return list(db.exec(select(Video.title).order_by(Video.title)))


def adding(title: str) -> Callable[[Session], None]:
    return lambda db: db.add(Video(title=title, s3_key=f"{title}.mp4"))


def test_a_write_is_committed_and_the_next_read_sees_it(database: Database) -> None:
    async def write_and_read() -> list[str]:
        await database.run_write(adding("One"))
        return await database.run_read(titles)

    assert asyncio.run(write_and_read()) == ["One"]


def test_a_write_that_raises_leaves_nothing_and_says_why(database: Database) -> None:
    def fail(db: Session) -> None:
        adding("Lost")(db)
        db.flush()
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        asyncio.run(database.run_write(fail))
    assert asyncio.run(database.run_read(titles)) == []


def test_no_transaction_stays_open_between_two_reads(database: Database) -> None:
    """An open transaction would keep reading an old snapshot and, on SQLite, keep the log from being emptied."""
    ended: list[object] = []
    event.listen(database.engine, "rollback", ended.append)
    assert asyncio.run(database.run_read(titles)) == []
    assert len(ended) == 1
    with database.write() as db:
        adding("One")(db)
    assert asyncio.run(database.run_read(titles)) == ["One"]
    assert len(ended) == 2


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_lost_connection_is_reopened(database: Database) -> None:
    assert asyncio.run(database.run_read(titles)) == []
    with database.write() as db:
        db.connection().exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert asyncio.run(database.run_read(titles)) == []


def test_a_failed_read_does_not_affect_the_next(database: Database) -> None:
    with pytest.raises(DBAPIError, match="nowhere"):
        asyncio.run(database.run_read(lambda db: db.connection().execute(text("SELECT * FROM nowhere"))))
    assert asyncio.run(database.run_read(titles)) == []


def test_readers_do_not_wait_for_writers_however_many(database: Database) -> None:
    go_on = threading.Event()

    def write_slowly(_db: Session) -> None:
        assert go_on.wait(PATIENCE)

    async def read_meanwhile() -> list[str]:
        writes = [asyncio.ensure_future(database.run_write(write_slowly)) for _ in range(20)]
        try:
            return await asyncio.wait_for(database.run_read(titles), PATIENCE)
        finally:
            go_on.set()
            await asyncio.gather(*writes)

    assert asyncio.run(read_meanwhile()) == []


def test_the_event_loop_is_not_blocked(database: Database) -> None:
    released = threading.Event()

    async def both() -> bool:
        waiting = asyncio.ensure_future(database.run_read(lambda _db: released.wait(PATIENCE)))
        await asyncio.sleep(0)
        released.set()
        return await waiting

    assert asyncio.run(both())


def test_the_number_of_threads_is_limited() -> None:
    executor = Executor("few", 2)
    busy, most, lock = 0, 0, threading.Lock()
    names: set[str] = set()

    def count() -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
            names.add(threading.current_thread().name)
        with lock:
            busy -= 1

    async def ask() -> None:
        await asyncio.gather(*(executor.run(count) for _ in range(200)))

    asyncio.run(ask())
    executor.close()
    assert most <= 2
    assert names <= {"few_0", "few_1"}


def test_abandoned_work_is_not_started() -> None:
    executor = Executor("one", 1)
    release, done = threading.Event(), list[str]()

    async def cancel_the_second() -> None:
        first = asyncio.ensure_future(executor.run(lambda: release.wait(PATIENCE)))
        second = asyncio.ensure_future(executor.run(lambda: done.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        release.set()
        await first
        await executor.run(lambda: done.append("third"))

    asyncio.run(cancel_the_second())
    executor.close()
    assert done == ["third"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_closed_database_refuses_queries(database: Database) -> None:
    database.dispose()
    for run in (database.run_read, database.run_write):
        with pytest.raises(RuntimeError, match="shutdown"):
            asyncio.run(run(titles))
