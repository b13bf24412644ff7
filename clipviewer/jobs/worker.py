"""The worker of this process: it hands queued jobs to DBOS, makes attempts, and takes over from processes that died.

A request only writes rows in its own transaction. Whatever happens to a process between any two lines here, the rows are still
there, and an attempt is handed over under its own name.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import utc_now
from clipviewer.db.work_models import Work
from clipviewer.domain.ids import is_id, new_id
from clipviewer.errors import StorageError
from clipviewer.jobs import kinds as all_kinds
from clipviewer.jobs import landmarks, mending, queueing, sweeping
from clipviewer.jobs.export_run import ExportRun
from clipviewer.jobs.health import WorkerHealth
from clipviewer.jobs.kinds import Kind, Queue
from clipviewer.jobs.running import LibraryAttempt, Rows
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services import work, workers
from clipviewer.services.adoption import video_sidecars
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.job_files import job_folders, prepare_job_files
from clipviewer.services.library import video_previews
from clipviewer.services.workers import Ticket

SILENCE = timedelta(seconds=60)
"""A process without a heartbeat for this long is considered dead."""

_AHEAD = 50
_BEAT_SECONDS, _BEHIND_SECONDS, _SWEEP_SECONDS, _HOUR_SECONDS = 5.0, 5.0, 60.0, 3600.0
_JOBS: tuple[tuple[Rows, workers.Jobs], ...] = ((export_runs, ExportJob), (work, Work))
_LOG = logging.getLogger(__name__)


class JobWorker:
    """Does jobs of every kind in threads of this process until it is stopped; one per process.

    On SQLite it is the only process of its data directory, which finds its own workflows again. On PostgreSQL there may be any number, each
    under a new name. It polls for queued rows every ``poll_seconds``, and DBOS's queues half as often, which costs more.
    """

    def __init__(
        self,
        services: Services,
        kinds: Mapping[str, Kind] | None = None,
        *,
        poll_seconds: float = 0.5,
        silence: timedelta = SILENCE,
    ) -> None:
        self.services = services
        self.id = new_id("worker") if services.database.engine.dialect.name == "postgresql" else "app"
        self._kinds = all_kinds.KINDS if kinds is None else kinds
        self._exports, self._library = job_folders(services.settings)
        self._poll_seconds, self._silence = poll_seconds, silence
        self._ffmpeg = Ffmpeg(services.settings.ffmpeg)
        self._stopping = threading.Event()
        self._active: dict[Ticket, Queue] = {}
        self._handed: set[Ticket] = set()
        self._health = WorkerHealth(services.settings)
        self._threads = [
            threading.Thread(target=self._repeat, args=(duties,), name=name, daemon=True)
            for name, duties in (
                ("jobs", {self._beat: _BEAT_SECONDS, self._reconcile: _SWEEP_SECONDS, self._hand_over: 0.0}),
                (
                    "job sweep",
                    {
                        self._sweep: _SWEEP_SECONDS,
                        self._retry_mended: _SWEEP_SECONDS,
                        self._write_behind: _BEHIND_SECONDS,
                        self._tidy_up: _HOUR_SECONDS,
                    },
                ),
            )
        ]

    def start(self) -> None:
        """Resume what was interrupted, and start polling for jobs."""
        prepare_job_files(self.services.settings)
        with self.services.database.write() as db:
            workers.beat(db, self.id, utc_now())
        queueing.open_queues(self.services, self.id, self.perform, poll_seconds=2 * self._poll_seconds)
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 10.0) -> None:
        """Stop within a second or two; unfinished jobs are queued again."""
        self._stopping.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        while self._active and time.monotonic() < deadline:
            time.sleep(0.05)
        queueing.close_queues()
        with self.services.database.write() as db:
            workers.leave(db, self.id)

    def perform(self, ticket: Ticket) -> None:
        """Make one attempt, from its first unfinished step to its end."""
        options: dict[str, Any] = {"worker": self.id, "stopping": self._stopping.is_set}
        if is_id(ticket.id, "job"):
            run = ExportRun(self.services, ticket, self._exports, self._ffmpeg, **options).run
            queue = Queue.EXPORTS
        else:
            with self.services.database.read() as db:
                item = work.find(db, ticket)
            if item is None or item.kind not in self._kinds:
                return
            kind = self._kinds[item.kind]
            attempt = LibraryAttempt(self.services, item, self._library / ticket.name, self._ffmpeg, **options)
            run, queue = partial(attempt.run, kind.perform), kind.queue
        self._active[ticket] = queue
        self._health.moved(queue)
        try:
            run()
        finally:
            self._health.moved(queue)
            del self._active[ticket]

    def _repeat(self, duties: Mapping[Callable[[], None], float]) -> None:
        """Run each of ``duties`` at its interval in seconds, until the end."""
        due = dict.fromkeys(duties, 0.0)
        while not self._stopping.is_set():
            for duty in [duty for duty, at in due.items() if at <= time.monotonic()]:
                due[duty] = time.monotonic() + duties[duty]
                try:
                    duty()
                except (SQLAlchemyError, StorageError) as error:
                    _LOG.warning("the worker keeps trying: %s", type(error).__name__)
                except Exception:
                    # Catch everything: without its duties, the worker would never start another job.
                    _LOG.exception("the worker hit an unexpected error and continues")
            self._stopping.wait(self._poll_seconds)

    def _hand_over(self) -> None:
        """Hand queued jobs to DBOS; if there are none, enqueue the next previews that nobody waits for.

        While this process can do none, they stay queued: a page then says why.
        """
        if self._health.blocked:
            return
        with self.services.database.read() as db:
            waiting = [(Queue.EXPORTS, ticket, 1) for ticket in export_runs.queued(db, _AHEAD)]
            for queue in (Queue.PROCESSOR, Queue.BUCKET, Queue.UPLOADS):
                kinds = [name for name, kind in self._kinds.items() if kind.queue is queue]
                waiting += [(queue, item.ticket, item.priority) for item in work.queued(db, kinds, _AHEAD)]
        for queue, ticket, priority in waiting:
            if ticket not in self._handed:
                queueing.hand_over(queue, ticket, priority)
                landmarks.reached("handed over")
        self._handed = {ticket for _, ticket, _ in waiting}
        self._health.waiting({queue for queue, _, _ in waiting} - set(self._active.values()))
        busy = {*list(self._active.values()), *(queue for queue, _, _ in waiting)}
        if not busy - {Queue.BUCKET, Queue.UPLOADS} and video_previews.KIND in self._kinds:
            self._enqueue_idle_previews()

    def _enqueue_idle_previews(self) -> None:
        with self.services.database.read() as db:
            if not video_previews.is_any_due(db):
                return
        with self.services.database.write() as db:
            enqueued = video_previews.enqueue_next_due(db)
        if enqueued:
            self._hand_over()

    def _beat(self) -> None:
        """Record that this process is alive, or why it can do no jobs, and release the jobs of dead ones."""
        now, problem = utc_now(), self._health.examine()
        with self.services.database.write() as db:
            workers.beat(db, self.id, now, problem)
            died = workers.forget_silent(db, now - self._silence)
        if died:
            self._reconcile()
        for rows, model in _JOBS:
            with self.services.database.read() as db:
                lost = workers.lost(db, model)
            self._release(rows, lost)

    def _reconcile(self) -> None:
        """Make DBOS and the rows agree, whatever went wrong between them."""
        with self.services.database.read() as db:
            alive = workers.alive(db)
        queueing.forget_of_dead(alive)
        queueing.forget_ended()
        self._handed = set()
        for rows, model in _JOBS:
            with self.services.database.read() as db:
                idle = [ticket for ticket in workers.running(db, model, self.id) if ticket not in self._active]
            known = queueing.handed_over(idle) if idle else set()
            self._release(rows, [ticket for ticket in idle if ticket.name not in known and ticket not in self._active])

    def _release(self, rows: Rows, tickets: Sequence[Ticket]) -> None:
        for ticket in tickets:
            with self.services.database.write() as db:
                rows.release(db, ticket, utc_now())

    def _sweep(self) -> None:
        now = utc_now()
        sweeping.sweep_attempts(self.services, now, self._exports, self._library)
        sweeping.resume_uploads(self.services, now)

    def _retry_mended(self) -> None:
        if self._is_first():
            mending.retry_mended(self.services, utc_now())

    def _write_behind(self) -> None:
        if self._is_first():
            video_sidecars.write_due(self.services)

    def _tidy_up(self) -> None:
        if self._is_first():
            sweeping.tidy_up(self.services, utc_now())

    def _is_first(self) -> bool:
        """Return whether this process does what one does for all of them."""
        with self.services.database.read() as db:
            return min(workers.alive(db)) == self.id
