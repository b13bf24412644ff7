"""The worker for the library's background work: one piece at a time, in a thread of this process.

Its own rows and leases, and no DBOS: such work has no steps that must not be repeated, so its row is all there is to remember.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from clipviewer.db.models import utc_now
from clipviewer.errors import ClipviewerError
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.services import retention, work
from clipviewer.services.container import Services
from clipviewer.services.work import WorkView

LEASE = timedelta(seconds=60)
_BEAT_SECONDS = 5.0
_SWEEP_SECONDS = 60.0
_LOOK_SECONDS = 0.3
_REPORT_SECONDS = 0.5
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class WorkRun:
    """What a kind of work is given: its row, an empty ``folder`` that is removed afterwards, and ways to report and to ask for the end."""

    services: Services
    item: WorkView
    folder: Path
    ffmpeg: Ffmpeg
    stopping: Callable[[], bool]
    _looked: float = 0.0
    _reported: float = 0.0
    _owned: bool = field(default=True)

    def report(self, share: float, note: str = "") -> None:
        """Tell how far it is, 0 to 1; writes twice a second at most."""
        if time.monotonic() - self._reported > _REPORT_SECONDS:
            self._reported = time.monotonic()
            with self.services.database.write() as db:
                work.report(db, self.item, utc_now(), progress=round(min(max(share, 0.0), 0.99), 3), note=note)

    def cancelled(self) -> bool:
        """Whether to stop at once; asks the database a few times a second at most."""
        if self.stopping():
            return True
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            with self.services.database.read() as db:
                self._owned = work.is_owned(db, self.item)
        return not self._owned

    def check(self) -> None:
        """Raises ``MediaCancelled`` once it is to stop."""
        if self.cancelled():
            raise MediaCancelled


Kind = Callable[[WorkRun], Mapping[str, Any]]
"""Does the work and gives its result as JSON. Raises a ``ClipviewerError`` with a sentence for people, or ``MediaCancelled``."""


class WorkDesk:
    """Does what waits until it is stopped; any number of processes may have any number of them.

    ``when_idle`` may ask for more where nothing has waited for a moment, and says whether it did.
    """

    def __init__(
        self,
        services: Services,
        kinds: Mapping[str, Kind],
        *,
        when_idle: Callable[[Session], bool] = lambda _: False,
        poll_seconds: float = 1.0,
        lease: timedelta = LEASE,
    ) -> None:
        self.services, self.kinds, self._when_idle = services, kinds, when_idle
        self._poll_seconds, self._lease = poll_seconds, lease
        self._folder = services.settings.data_dir / "work"
        self._ffmpeg = Ffmpeg(services.settings.ffmpeg)
        self._stopping = threading.Event()
        self._current: WorkView | None = None
        self._threads = [threading.Thread(target=target, name=name, daemon=True) for target, name in self._duties()]

    def start(self) -> None:
        """Begin; what an earlier process left on this machine's disk goes away."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.services.database.read() as db:
            kept = {_name(item) for item in work.unfinished_work(db, limit=1_000)}
        for left in self._folder.iterdir():
            if left.name not in kept:
                shutil.rmtree(left, ignore_errors=True)
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 10.0) -> None:
        """Stop within a second or two; what was under way waits again."""
        self._stopping.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def _duties(self) -> list[tuple[Callable[[], None], str]]:
        return [(self._work_on, "library work"), (self._keep_watch, "library work watch")]

    def _work_on(self) -> None:
        rested = False
        while not self._stopping.is_set():
            try:
                with self.services.database.write() as db:
                    item = work.claim_next(db, self.kinds, utc_now())
                    if item is None and rested and self._when_idle(db):
                        item = work.claim_next(db, self.kinds, utc_now())
                if item is not None:
                    rested = False
                    self._do(item)
                    continue
            except SQLAlchemyError:
                _LOG.warning("the database did not answer the library's worker; it goes on trying")
            self._stopping.wait(self._poll_seconds)
            rested = True

    def _keep_watch(self) -> None:
        """Keep the lease of what is done here, take back what nobody keeps, forget what failed long ago."""
        swept = float("-inf")
        while not self._stopping.wait(_BEAT_SECONDS):
            try:
                with self.services.database.write() as db:
                    if (item := self._current) is not None:
                        work.keep_alive(db, item, utc_now())
                    for lost in work.lost(db, utc_now() - self._lease):
                        work.give_back(db, lost, utc_now())
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    self.sweep()
            except SQLAlchemyError:
                _LOG.warning("the database did not answer the library's worker; it goes on trying")

    def sweep(self) -> None:
        """Forget what failed or was called off longer ago than the team keeps it."""
        with self.services.database.read() as db:
            since = retention.kept_since(db, utc_now())
        if since is not None:
            with self.services.database.write() as db:
                work.forget_failed(db, since)

    def _do(self, item: WorkView) -> None:
        folder = self._folder / _name(item)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._current = item
        try:
            result = self.kinds[item.kind](WorkRun(self.services, item, folder, self._ffmpeg, self._stopping.is_set))
        except MediaCancelled:
            self._end(lambda db: work.give_back(db, item, utc_now()))
        except Exception as error:
            reason, log = _explained(error)
            self._end(lambda db: work.fail(db, item, utc_now(), reason, log))
        else:
            self._end(lambda db: work.finish(db, item, utc_now(), result))
        finally:
            self._current = None
            shutil.rmtree(folder, ignore_errors=True)

    def _end(self, write: Callable[[Any], Any]) -> None:
        with self.services.database.write() as db:
            write(db)


def _name(item: WorkView) -> str:
    return f"{item.id}-{item.attempt}"


def _explained(error: Exception) -> tuple[str, str]:
    """The reason for people, and the last lines of what failed."""
    if isinstance(error, ClipviewerError):
        return error.detail, error.log if isinstance(error, MediaError) else ""
    _LOG.error("work on the library failed unexpectedly", exc_info=error)
    return "Something went wrong on the server. Its log tells more.", ""
