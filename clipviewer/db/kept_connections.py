"""Connections that stay open, one per thread that uses them.

Taking one from the pool, testing it and returning it takes longer than most queries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")


class KeptConnections:
    """With ``autocommit`` each statement is a transaction of its own and sees everything committed before it."""

    def __init__(self, engine: Engine, *, autocommit: bool = False) -> None:
        self._engine = engine
        self._options = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
        self._of_thread = threading.local()
        self._open: set[Connection] = set()

    def run(self, read: Callable[[Connection], T]) -> T:
        """Return what ``read`` returns with this thread's connection. It is called once more if the connection turns out to be lost."""
        try:
            return read(self._connection())
        except DBAPIError as error:
            self._discard()
            if not error.connection_invalidated:
                raise
        return read(self._connection())

    def close(self) -> None:
        """Close the connections of all threads, which must have ended."""
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _connection(self) -> Connection:
        kept: Connection | None = getattr(self._of_thread, "connection", None)
        if kept is None:
            kept = self._engine.connect().execution_options(**self._options)
            kept.detach()  # The pool replaces it, so that no writer waits for this one.
            self._of_thread.connection = kept
            self._open.add(kept)
        return kept

    def _discard(self) -> None:
        kept: Connection | None = getattr(self._of_thread, "connection", None)
        if kept is not None:
            self._of_thread.connection = None
            self._open.discard(kept)
            kept.close()
