"""Database work of event handlers: off the event loop, each call in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlmodel import Session

from clipviewer.services.container import installed

T = TypeVar("T")


async def read(work: Callable[[Session], T]) -> T:
    """Return what ``work`` returns, run in a read transaction."""
    return await asyncio.to_thread(_read, work)


async def write(work: Callable[[Session], T]) -> T:
    """Return what ``work`` returns, run in a transaction that is committed, or rolled back whole if ``work`` raises."""
    return await asyncio.to_thread(_write, work)


def _read(work: Callable[[Session], T]) -> T:
    with installed().database.read() as db:
        return work(db)


def _write(work: Callable[[Session], T]) -> T:
    with installed().database.write() as db:
        return work(db)
