"""Whether this process can do its work: what ``/api/health/ready`` tells load balancers, each part by name."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from sqlalchemy.orm import Session

from clipviewer.errors import StorageError
from clipviewer.services import workers
from clipviewer.services.container import Services
from clipviewer.services.disk import Disk

_STORAGE_SECONDS = 10.0
_REDIS_SECONDS = 2.0


class StorageProbe:
    """Asks the bucket whether it answers, at most every ten seconds, and one question at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._answers, self._asked_at = True, float("-inf")

    def answers(self) -> bool:
        """Return the last answer, or a new one if that is old. Blocks for as long as the bucket takes."""
        if time.monotonic() - self._asked_at < _STORAGE_SECONDS or not self._lock.acquire(blocking=False):
            return self._answers
        try:
            self._services.store.check(self._services.settings.s3_prefix)
            self._answers = True
        except StorageError:
            self._answers = False
        finally:
            self._asked_at = time.monotonic()
            self._lock.release()
        return self._answers


def keeps_pages(services: Services) -> bool:
    """Return whether Redis, if it is used, answers: it keeps the state of open pages. Blocks for a few seconds at most."""
    if services.settings.redis_url is None:
        return True
    from redis import Redis  # imported late, since few installations use it
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(services.settings.redis_url, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS) as redis:
            return bool(redis.ping())
    except RedisError:
        return False


def has_disk_space(services: Services) -> bool:
    """Return whether the data directory's disk has space left."""
    try:
        return not Disk(services.settings.data_dir).is_full()
    except OSError:
        return False


def why_jobs_wait(db: Session, services: Services, now: datetime) -> str:
    """Return why no job moves, as the end of a sentence; "" if a worker answers."""
    return workers.trouble(db, now, services.started_at)
