"""A few threads for database work that event loops wait for.

Python threads take turns at one interpreter lock, and each waiting thread wakes up once per switch interval. With the 40 threads
that ASGI frameworks use, passing the lock around cost four times as much as the work itself.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Executor:
    """Runs functions in at most ``threads`` threads of its own, first come, first served, for every event loop of the process."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, name)

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns, or raise what it raises.

        If the caller is cancelled, work that has begun continues, and work that has not is skipped. Raises ``RuntimeError`` once closed.
        """
        loop = asyncio.get_running_loop()
        future: Future[T] = loop.create_future()
        self._pool.submit(_run, work, loop, future)
        return await future

    def close(self) -> None:
        """End the threads after they have finished the work they were given."""
        self._pool.shutdown()


def _run(work: Callable[[], T], loop: AbstractEventLoop, future: Future[T]) -> None:
    if future.cancelled():
        return
    result: Any = None
    failure: BaseException | None = None
    try:
        result = work()
    except BaseException as error:
        failure = error
    try:
        loop.call_soon_threadsafe(_settle, future, result, failure)
    except RuntimeError:  # the loop was closed meanwhile: nobody is waiting
        if not loop.is_closed():
            raise


def _settle(future: Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
