"""Single reading statements that somebody waits for, in threads of their own over connections that stay open.

A session, a connection from the pool and a transaction around one statement take longer than the statement. So each thread keeps a
connection in autocommit: a statement is a transaction of its own and sees all that was committed before it, such as a session that has
just been revoked.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
# SQLite answers from memory: more threads than one only take turns at the interpreter. PostgreSQL is waited for.
_THREADS = {"sqlite": 1, "postgresql": 8}


class Lookups:
    """``run`` asks without blocking the event loop and without ever waiting behind a writer or a long request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(_THREADS[engine.dialect.name], "lookup")
        self._of_thread = threading.local()
        self._open: set[Connection] = set()

    async def run(self, ask: Callable[[Connection], T]) -> T:
        """What ``ask`` finds, with a connection that only reads. It is called once more if the connection turns out to be lost."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, ask)

    def close(self) -> None:
        """Give the connections back; nothing can be asked any more."""
        self._threads.shutdown()
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _ask(self, ask: Callable[[Connection], T]) -> T:
        try:
            return ask(self._connection())
        except DBAPIError as error:
            self._leave()
            if not error.connection_invalidated:
                raise
        return ask(self._connection())

    def _connection(self) -> Connection:
        kept: Connection | None = getattr(self._of_thread, "connection", None)
        if kept is None:
            kept = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            kept.detach()  # The pool has others in its place, so that nobody who writes waits for this one.
            self._of_thread.connection = kept
            self._open.add(kept)
        return kept

    def _leave(self) -> None:
        kept: Connection = self._of_thread.connection
        self._of_thread.connection = None
        self._open.discard(kept)
        kept.close()
