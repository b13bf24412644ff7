"""Database access of event handlers: off the event loop, each call in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

from clipviewer.services.container import installed

T = TypeVar("T")


async def read(work: Callable[[Session], T]) -> T:
    """Return the result of ``work``, run in a read transaction in a database thread; ``work`` should wait for the database only."""
    return await installed().database.run_read(work)


async def write(work: Callable[[Session], T]) -> T:
    """Return the result of ``work``, run in a transaction that is committed, or rolled back if ``work`` raises."""
    return await installed().database.run_write(work)
