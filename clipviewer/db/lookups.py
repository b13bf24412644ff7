"""Single reading statements that somebody waits for, in threads of their own over connections that stay open.

A session, a connection from the pool and a transaction around one statement take longer than the statement. So each thread keeps a
connection in autocommit: a statement is a transaction of its own and sees all that was committed before it, such as a session that has
just been revoked. And handing a question to a thread and its answer back takes longer than both, so those who ask at the same moment
go together.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
_Ask = Callable[[Connection], Any]
# SQLite answers from memory: more threads than one only take turns at the interpreter. PostgreSQL is waited for.
_THREADS = {"sqlite": 1, "postgresql": 8}


class Lookups:
    """``run`` asks without blocking the event loop and without ever waiting behind a writer or a long request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(_THREADS[engine.dialect.name], "lookup")
        self._asked: dict[AbstractEventLoop, list[tuple[_Ask, Future[Any]]]] = {}
        self._of_thread = threading.local()
        self._open: set[Connection] = set()

    async def run(self, ask: Callable[[Connection], T]) -> T:
        """What ``ask`` finds, with a connection that only reads. It is called once more if the connection turns out to be lost."""
        loop = asyncio.get_running_loop()
        answer: Future[T] = loop.create_future()
        asked = self._asked.setdefault(loop, [])
        asked.append((ask, answer))
        if len(asked) == 1:
            loop.call_soon(self._send, loop)
        return await answer

    def close(self) -> None:
        """Give the connections back; nothing can be asked any more."""
        self._threads.shutdown()
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _send(self, loop: AbstractEventLoop) -> None:
        """All that was asked since the loop last came by, to one thread."""
        asked = self._asked.pop(loop)
        asks, answers = [ask for ask, _ in asked], [answer for _, answer in asked]
        try:
            loop.run_in_executor(self._threads, self._ask_all, asks).add_done_callback(partial(_hand_back, answers))
        except RuntimeError as error:
            for answer in answers:
                answer.set_exception(error)

    def _ask_all(self, asks: Sequence[_Ask]) -> list[tuple[Any, Exception | None]]:
        found: list[tuple[Any, Exception | None]] = []
        for ask in asks:
            try:
                found.append((self._ask(ask), None))
            except Exception as error:
                found.append((None, error))
        return found

    def _ask(self, ask: _Ask) -> Any:
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
        kept: Connection | None = getattr(self._of_thread, "connection", None)
        if kept is not None:
            self._of_thread.connection = None
            self._open.discard(kept)
            kept.close()


def _hand_back(answers: Sequence[Future[Any]], done: Future[list[tuple[Any, Exception | None]]]) -> None:
    for answer, (value, error) in zip(answers, done.result(), strict=True):
        if answer.done():
            continue
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(error)
