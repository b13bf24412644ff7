"""Handling of unexpected exceptions: the person sees a sentence with an id, and the log has the id with the traceback."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import reflex as rx
from redis.exceptions import RedisError
from reflex.event import EventSpec
from sqlalchemy.exc import OperationalError

from clipviewer.domain.ids import new_id
from clipviewer.errors import DiskFull
from clipviewer.services.disk import is_full_error

_LOG = logging.getLogger(__name__)
_REPORT_LENGTH = 2000


def handler_failed(exception: Exception) -> EventSpec:
    """Log an unexpected exception of an event handler and return what the page shows."""
    if isinstance(exception, RedisError):
        _LOG.warning("an event was lost: Redis does not answer (%s)", type(exception).__name__)
        lost: EventSpec = rx.call_script('dispatchEvent(new Event("pages-lost"))')  # assets/frame/lost_pages.client.js
        return lost
    if is_full_error(exception):
        _LOG.warning("an event handler failed: the disk is full (%s)", type(exception).__name__)
        full: EventSpec = rx.toast.error(DiskFull.title)
        return full
    error_id = new_id("error")
    _LOG.error("%s: an event handler failed", error_id, exc_info=exception)
    title = "The database cannot be reached" if isinstance(exception, OperationalError) else "Something went wrong"
    toast: EventSpec = rx.toast.error(title, description=f"The server log has details under {error_id}.")
    return toast


def task_failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an exception that nobody awaits, as asyncio does; on one line if Redis is away: Reflex starts its subscriptions again."""
    if isinstance(error := context.get("exception"), RedisError):
        _LOG.warning("a background task ended: Redis does not answer (%s)", type(error).__name__)
    else:
        loop.default_exception_handler(context)


def browser_failed(exception: Exception) -> None:
    """Log an error that a browser reported, on one line."""
    report = str(exception)[:_REPORT_LENGTH]
    _LOG.warning("a browser reported an error: %s", "".join(letter if letter.isprintable() else " " for letter in report))
