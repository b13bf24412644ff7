"""The database: one engine, and transactions that behave alike on SQLite and PostgreSQL.

Services take a ``Session`` and never commit; the edge opens ``read()`` or ``write()`` around them. All of it is synchronous: call
it from a thread, never from the event loop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlmodel import Session, create_engine

from clipviewer.db.lookups import Lookups

_BUSY_TIMEOUT_MS = 15_000
_SQLITE_CONNECTIONS = 40  # as many as there are worker threads; opening one anew costs more than a query


class Database:
    """An engine, its two kinds of transaction, and ``lookups`` for what has to be quick."""

    def __init__(self, url: str) -> None:
        self.engine = _create_engine(url)
        self.lookups = Lookups(self.engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that writes: committed at the end, rolled back whole when anything is raised.

        SQLite takes its write lock at BEGIN: a deferred transaction that reads first fails at once with SQLITE_BUSY_SNAPSHOT when
        another one wrote in between, whatever the timeout.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            session.connection(execution_options={"clipviewer_writes": True})
            yield session
            session.commit()

    def migrate(self) -> None:
        """Bring the schema to the newest revision; a lock keeps two starting processes apart."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.connect().execution_options(clipviewer_writes=True) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(724150193)")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def dispose(self) -> None:
        self.lookups.close()
        self.engine.dispose()


def _create_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=20)
        engine.dialect.use_insertmanyvalues_wo_returning = True  # many rows are one statement, and what triggers count is counted once
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
