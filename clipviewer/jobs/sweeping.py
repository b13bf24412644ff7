"""Garbage collection: leftovers of attempts every minute, leftovers of people and pages every hour."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from clipviewer.db.export_models import ExportJob
from clipviewer.db.work_models import Work
from clipviewer.errors import StorageError
from clipviewer.jobs.export_run import remove_objects
from clipviewer.jobs.running import remove_from_disk
from clipviewer.services import retention, work, workers
from clipviewer.services.bucket import browser_probe
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.library import removal
from clipviewer.services.library.uploading import Uploading

_LOST = timedelta(minutes=3)
_LOG = logging.getLogger(__name__)


def _list(folder: Path) -> list[Path]:
    """Return what is in the folder; nothing while it cannot be read, which the worker's health tells."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def sweep_attempts(services: Services, now: datetime, *folders: Path) -> None:
    """Remove what no attempt owns any more, files in ``folders`` and objects in the bucket, and failed jobs past their retention."""
    found = [path for folder in folders for path in _list(folder)]  # before asking who owns it: an attempt claims its job before it writes
    with services.database.read() as db:
        kept = {ticket.name for ticket in (*workers.running(db, ExportJob), *workers.running(db, Work))}
        keys = export_runs.leftovers(db)
        since = retention.kept_since(db, now)
        videos = [] if since is None else retention.videos_with_old_failures(db, since)
    for path in found:
        if path.name.partition(".")[0] not in kept:
            remove_from_disk(path)
    remove_objects(services, keys)
    if since is not None:
        for video_id in videos:
            with services.database.write() as db:
                retention.forget_failed_exports(db, video_id, since)
        with services.database.write() as db:
            work.forget_failed(db, since)


def tidy_up(services: Services, now: datetime) -> None:
    """Hourly garbage collection; what fails is tried again an hour later, and stops nothing else."""
    duties: dict[str, Callable[[], None]] = {
        "uploads that nobody completed": lambda: Uploading(services).resume_idle(now),
        "leftovers of uploads": lambda: Uploading(services).sweep(now),
        "leftovers of storage checks": lambda: browser_probe.delete_old_probes(services, now),
        "deleted videos": lambda: _enqueue_removals(services, now),
    }
    for name, duty in duties.items():
        try:
            duty()
        except (StorageError, SQLAlchemyError):
            _LOG.warning("this failed and is tried again in an hour: %s", name)


def resume_uploads(services: Services, now: datetime) -> None:
    """Complete uploads whose sender was lost a minute ago."""
    Uploading(services).resume_idle(now, since=_LOST)


def _enqueue_removals(services: Services, now: datetime) -> None:
    with services.database.write() as db:
        removal.enqueue_expired(db, now)
