"""Start jobs again that failed because the storage refused something, once the doctor finds that it accepts it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import Video
from clipviewer.db.work_models import Work
from clipviewer.domain.job_state import Cause, JobState
from clipviewer.errors import ClipviewerError, StorageError
from clipviewer.services import work
from clipviewer.services.bucket.diagnosis import run_checks
from clipviewer.services.container import Services
from clipviewer.services.exporting import exports
from clipviewer.services.workers import Jobs
from clipviewer.storage.findings import Finding, Verdict

_MOST = 200
_UNTIL = timedelta(days=1)
"""How long after its first failure a job is still started again by itself."""
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 30, 60))
_CHECKS: dict[Cause, frozenset[str]] = {
    Cause.DENIED: frozenset({"list", "put", "get", "delete"}),
    Cause.CREDENTIALS: frozenset({"credentials", "server"}),
    Cause.CLOCK: frozenset({"clock", "server"}),
}
"""The doctor's checks that have to pass for each kind of failure. What was missing is looked for itself."""
_MODELS: tuple[Jobs, ...] = (ExportJob, Work)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refused:
    """A job that failed for ``cause``; ``key`` is its video's object, if it is about one."""

    id: str
    model: Jobs
    cause: Cause
    key: str | None
    retries: int
    failing_since: datetime


def retry_mended(services: Services, now: datetime) -> int:
    """Start those jobs again whose turn it is and that would succeed now; return their number.

    The storage is examined only if there are any.
    """
    with services.database.read() as db:
        due = [one for one, failed_at in _refused(db, now) if failed_at + _PAUSES[min(one.retries, len(_PAUSES) - 1)] <= now]
    if not due:
        return 0
    checks = {check for one in due for check in _CHECKS.get(one.cause, ())}
    found = run_checks(services.settings, services.store, []) if checks else ()
    return _retry(services, due, found)


def retry_after_checks(services: Services, findings: Iterable[Finding], now: datetime) -> int:
    """Start those jobs again that ``findings``, which somebody asked for, show to be mended; return their number."""
    with services.database.read() as db:
        refused = [one for one, _ in _refused(db, now)]
    return _retry(services, refused, findings)


def _retry(services: Services, refused: Collection[Refused], findings: Iterable[Finding]) -> int:
    passed = {finding.check for finding in findings if finding.verdict in (Verdict.OK, Verdict.WARNING)} if refused else set()
    count = 0
    for one in refused:
        mended = _exists(services, one.key) if one.cause is Cause.MISSING else _CHECKS[one.cause] <= passed
        if mended:
            with services.database.write() as db:
                count += _again(db, one)
    if count:
        _LOG.warning("%s jobs are started again: what the storage refused, it accepts now", count)
    return count


def _refused(db: Session, now: datetime) -> list[tuple[Refused, datetime]]:
    """Return the jobs that failed for what the storage refused, and when they did."""
    found: list[tuple[Refused, datetime]] = []
    causes = [cause.value for cause in (*_CHECKS, Cause.MISSING)]
    for model in _MODELS:
        ours = [col(model.id), col(model.cause), col(model.retries), col(model.failing_since), col(model.updated_at)]
        query = (
            select(*ours, col(Video.s3_key))
            .join(Video, col(Video.id) == col(model.video_id), isouter=True)
            .where(col(model.state) == JobState.FAILED, col(model.cause).in_(causes), col(model.failing_since) > now - _UNTIL)
            .order_by(col(model.updated_at))
            .limit(_MOST)
        )
        rows = db.execute(query)
        found += [(Refused(row.id, model, Cause(row.cause), row.s3_key, row.retries, row.failing_since), row.updated_at) for row in rows]
    return found


def _exists(services: Services, key: str | None) -> bool:
    try:
        return key is not None and bool(services.store.head(key))
    except StorageError:
        return False


def _again(db: Session, one: Refused) -> int:
    """Start the job again, remembering how often that was tried; return 0 if it cannot be."""
    db.execute(update(one.model).where(col(one.model.id) == one.id).values(cause=""))
    with suppress(ClipviewerError):
        again = exports.retry(db, one.id).id if one.model is ExportJob else work.retry(db, one.id).id
        history = {"retries": one.retries + 1, "failing_since": one.failing_since}
        db.execute(update(one.model).where(col(one.model.id) == again).values(**history))
        return 1
    return 0
