"""The database: one engine, and transactions that behave alike on SQLite and PostgreSQL.

Services take a ``Session`` and never commit; their callers open a transaction around them. From the event loop that is ``run_read`` or
``run_write``, which run in a few threads of the database's own; in a thread that does more than database work, such as a job, it is
``read()`` or ``write()``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Executable, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session as PlainSession
from sqlmodel import Session, create_engine

from clipviewer.db.executor import Executor
from clipviewer.db.kept_connections import KeptConnections
from clipviewer.db.lookups import Lookups

T = TypeVar("T")
# SQLite answers from memory, so threads only contend for the GIL. Measured with 64 clients and a list of 50 clips: two threads
# take about as much CPU as one, four 1.1 times that, eight 1.6 times. Two, so that a long read does not block the others. PostgreSQL
# threads wait for the network.
_READERS = {"sqlite": 2, "postgresql": 8}
_WRITERS = {"sqlite": 1, "postgresql": 8}
_BUSY_TIMEOUT_MS = 15_000
_SQLITE_CONNECTIONS = 40  # more than jobs and requests hold at once; opening one costs more than a query


class _Session(Session):
    """A session whose ``execute`` works on rows: for a small query, the mapper would take as long as the query.

    Loaded objects are not synchronized with bulk changes. Objects are read by ``scalars`` and ``get``. An UPDATE with a list of rows is
    the mapper's, which finds each by its primary key.
    """

    def execute(self, statement: Executable, params: Any = None, **options: Any) -> Any:
        if options or (statement.is_update and params is not None):
            return PlainSession.execute(self, statement, params, **options)
        return self.connection().execute(statement, params)


class UnknownSchema(Exception):
    """The schema is of a revision that this release does not have. Its text is a sentence for people."""


class Database:
    """An engine, its two kinds of transaction, and ``lookups`` for latency-critical reads."""

    def __init__(self, url: str) -> None:
        self.engine = _create_engine(url)
        self.lookups = Lookups(self.engine)
        self._kept = KeptConnections(self.engine)
        self._readers = Executor("database-read", _READERS[self.engine.dialect.name])
        self._writers = Executor("database-write", _WRITERS[self.engine.dialect.name])

    async def run_read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` with a read-only session, off the event loop; return what it returns, or raise what it raises.

        It is run once more if the connection turns out to be lost. The threads are few, so it must not wait for anything but the database:
        not for the store, a media file or a password hash.
        """

        def read(connection: Connection) -> T:
            with Session(connection, expire_on_commit=False) as session:
                return work(session)

        return await self._readers.run(lambda: self._kept.run(read))

    async def run_write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction that is committed at its end, or rolled back when it raises; otherwise like ``run_read``.

        Writers have threads of their own, so that readers never wait for them. SQLite takes one writer at a time, so there it is one.
        """

        def run() -> T:
            with self.write() as session:
                return work(session)

        return await self._writers.run(run)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a read-only session; nothing is committed."""
        with _Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that is committed at the end, and rolled back if anything is raised.

        SQLite takes its write lock at BEGIN: a deferred transaction that reads first fails at once with SQLITE_BUSY_SNAPSHOT when
        another one wrote in between, whatever the timeout.
        """
        with _Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"clipviewer_writes": True})
            yield session
            session.commit()

    def migrate(self, before: Callable[[], None] = lambda: None) -> None:
        """Upgrade the schema to the newest revision; a lock keeps two starting processes apart. ``before`` is called if there is one.

        Raises ``UnknownSchema`` if the schema is of a revision that this release does not have.
        """
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.connect().execution_options(clipviewer_writes=True) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(724150193)")
            if not _is_newest(connection, ScriptDirectory.from_config(config)):
                before()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def dispose(self) -> None:
        for executor in (self.lookups, self._readers, self._writers):
            executor.close()
        self._kept.close()
        self.engine.dispose()


def _is_newest(connection: Connection, known: ScriptDirectory) -> bool:
    """Return whether the schema is of the newest revision. Raises ``UnknownSchema`` if it is of none of them."""
    revisions = {script.revision for script in known.walk_revisions()}
    newest = max(revisions)
    heads = MigrationContext.configure(connection).get_current_heads()
    for found in heads:
        if found not in revisions:
            if found.isdigit() and found > newest:
                raise UnknownSchema(f"This data was written by a newer clipviewer: its schema is {found}, this release knows {newest}.")
            raise UnknownSchema(f"This database is not of this clipviewer: its schema is {found}, this release knows {newest}.")
    return heads == (newest,)


def _create_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=20)
        engine.dialect.use_insertmanyvalues_wo_returning = True  # insert many rows in one statement, so that triggers count once
        return engine
    waits = {"timeout": _BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    engine = create_engine(url, hide_parameters=True, pool_size=_SQLITE_CONNECTIONS, connect_args=waits)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={_BUSY_TIMEOUT_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("clipviewer_writes", False) else "BEGIN")
