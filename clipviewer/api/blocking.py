"""Threads for calls that block on something other than the database: the store, a media file, a password hash."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")
_THREADS = CapacityLimiter(16)


async def run_blocking(work: Callable[..., T], *arguments: object) -> T:
    """Run ``work(*arguments)`` in one of 16 threads; return what it returns, or raise what it raises."""
    return await to_thread.run_sync(work, *arguments, limiter=_THREADS)
