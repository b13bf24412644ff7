"""What the server does every hour: remove what people and pages have left and nobody needs any more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from clipviewer.errors import StorageError
from clipviewer.services.bucket import browser_probe
from clipviewer.services.container import Services
from clipviewer.services.library import removal
from clipviewer.services.library.uploading import Uploading

_LOG = logging.getLogger(__name__)


def tidy_up(services: Services, now: datetime) -> None:
    """Do all of it, at ``now``; what fails is tried again with the next hour, and keeps nothing else from being done."""
    duties: dict[str, Callable[[], None]] = {
        "what uploads have left": lambda: Uploading(services).sweep(now),
        "what checks of the storage have left": lambda: browser_probe.sweep(services, now),
        "deleted videos": lambda: _ask_for_removals(services, now),
    }
    for name, duty in duties.items():
        try:
            duty()
        except (StorageError, SQLAlchemyError):
            _LOG.warning("%s could not be removed; it is tried again in an hour", name)


def _ask_for_removals(services: Services, now: datetime) -> None:
    with services.database.write() as db:
        removal.ask_due(db, now)
