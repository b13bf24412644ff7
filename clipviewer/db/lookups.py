"""Latency-critical reads on dedicated autocommit connections, batched per event-loop tick.

A session and a transaction around one statement take longer than the statement, and passing a query to a thread and its result back
takes longer than both. Lookups have threads of their own, so that a player never waits behind a page's longer reads.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from clipviewer.db.kept_connections import KeptConnections

T = TypeVar("T")
_Ask = Callable[[Connection], Any]
# SQLite answers from memory, so more than one thread would only contend for the GIL. PostgreSQL threads wait for the network.
_THREADS = {"sqlite": 1, "postgresql": 8}


class Lookups:
    """``run`` never blocks the event loop, and never waits behind a writer or a long request."""

    def __init__(self, engine: Engine) -> None:
        self._connections = KeptConnections(engine, autocommit=True)
        self._threads = ThreadPoolExecutor(_THREADS[engine.dialect.name], "lookup")
        self._asked: dict[AbstractEventLoop, list[tuple[_Ask, Future[Any]]]] = {}

    async def run(self, ask: Callable[[Connection], T]) -> T:
        """Return what ``ask`` returns with a read-only connection. It is called once more if the connection turns out to be lost."""
        loop = asyncio.get_running_loop()
        answer: Future[T] = loop.create_future()
        asked = self._asked.setdefault(loop, [])
        asked.append((ask, answer))
        if len(asked) == 1:
            loop.call_soon(self._flush, loop)
        return await answer

    def close(self) -> None:
        """Close the connections; later calls of ``run`` fail."""
        self._threads.shutdown()
        self._connections.close()

    def _flush(self, loop: AbstractEventLoop) -> None:
        """Send everything queued in this tick to one thread."""
        asked = self._asked.pop(loop)
        asks, answers = [ask for ask, _ in asked], [answer for _, answer in asked]
        try:
            loop.run_in_executor(self._threads, self._run_all, asks).add_done_callback(partial(_deliver, answers))
        except RuntimeError as error:
            for answer in answers:
                answer.set_exception(error)

    def _run_all(self, asks: Sequence[_Ask]) -> list[tuple[Any, Exception | None]]:
        found: list[tuple[Any, Exception | None]] = []
        for ask in asks:
            try:
                found.append((self._connections.run(ask), None))
            except Exception as error:
                found.append((None, error))
        return found


def _deliver(answers: Sequence[Future[Any]], done: Future[list[tuple[Any, Exception | None]]]) -> None:
    for answer, (value, error) in zip(answers, done.result(), strict=True):
        if answer.done():
            continue
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(error)
