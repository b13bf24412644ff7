"""The export worker of this process: durable workflows on DBOS, fed from the rows that requests write.

DBOS keeps which step of an attempt is done, in a SQLite file of its own or beside our tables in PostgreSQL, so that after a kill the work
goes on where it was. What an export is and who owns it is in our own tables alone.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy.exc import SQLAlchemyError

from clipviewer.db.models import utc_now
from clipviewer.domain.ids import new_id
from clipviewer.jobs.export_run import STEPS, ExportRun, remove_from_disk, remove_objects
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services import retention
from clipviewer.services.container import Services
from clipviewer.services.exporting import export_runs
from clipviewer.services.exporting.estimate import renders_at_once
from clipviewer.services.exporting.export_runs import Ticket

QUEUE, WORKFLOW = "exports", "export"
LEASE = timedelta(seconds=60)
_AHEAD = 50
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_MOST_FORGOTTEN = 500
_BEAT_SECONDS, _LOST_SECONDS, _SWEEP_SECONDS = 5.0, 15.0, 60.0
_LOG = logging.getLogger(__name__)

# A handler of any kind keeps DBOS from writing to the console itself; its lines go the way of all others, redaction included.
logging.getLogger("dbos").addHandler(logging.NullHandler())


class ExportEngine:
    """Renders queued exports in threads of this process until it is stopped; one per process."""

    def __init__(self, services: Services, *, poll_seconds: float = 1.0, lease: timedelta = LEASE) -> None:
        self.services = services
        self._folder = services.settings.data_dir / "exports"
        self._poll_seconds, self._lease = poll_seconds, lease
        self._ffmpeg = Ffmpeg(services.settings.ffmpeg)
        self._stopping = threading.Event()
        self._active: set[Ticket] = set()
        self._enqueued: set[Ticket] = set()
        self._desk = threading.Thread(target=self._keep_desk, name="export desk", daemon=True)

    def start(self) -> None:
        """Go on with what was interrupted, and begin to look for queued exports. Takes about half a second."""
        global _engine
        _engine = self
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        DBOS(config=_configuration(self.services))
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=renders_at_once(), polling_interval_sec=0.5, on_conflict="always_update")
        self._desk.start()

    def stop(self, patience: float = 10.0) -> None:
        """Stop rendering within a second; what was under way is queued again."""
        global _engine
        self._stopping.set()
        deadline = time.monotonic() + patience
        self._desk.join(timeout=patience)
        while self._active and time.monotonic() < deadline:
            time.sleep(0.05)
        DBOS.destroy()
        _engine = None

    def run(self, ticket: Ticket) -> None:
        """One attempt from its first step that is not done yet to its end."""
        run = ExportRun(self.services, ticket, self._folder, self._ffmpeg, stopping=self._stopping.is_set)
        self._active.add(ticket)
        try:
            for step in STEPS:
                if not DBOS.run_step({"name": step}, run.perform, step):
                    return
        finally:
            run.clean_up()
            self._active.discard(ticket)

    def _keep_desk(self) -> None:
        """Until the end: hand queued exports to DBOS, keep the leases of our own, take back lost ones, sweep."""
        due = dict.fromkeys((self._beat, self._take_back_lost, self._sweep), 0.0)
        periods = {self._beat: _BEAT_SECONDS, self._take_back_lost: _LOST_SECONDS, self._sweep: _SWEEP_SECONDS}
        while not self._stopping.is_set():
            now = time.monotonic()
            try:
                self._hand_over()
                for work in [work for work, at in due.items() if at <= now]:
                    due[work] = now + periods[work]
                    work()
            except SQLAlchemyError:
                _LOG.warning("the database did not answer the export worker; it goes on trying")
            except Exception:
                # Whatever it was: without its desk, the worker would never begin another export.
                _LOG.exception("the export worker stumbled; it goes on")
            self._stopping.wait(self._poll_seconds)

    def _hand_over(self) -> None:
        with self.services.database.read() as db:
            waiting = export_runs.queued(db, _AHEAD)
        for ticket in waiting:
            if ticket not in self._enqueued:
                with SetWorkflowID(f"{ticket.job_id}-{ticket.attempt}"):
                    DBOS.enqueue_workflow(QUEUE, export_workflow, ticket.job_id, ticket.attempt)
        self._enqueued = set(waiting)

    def _beat(self) -> None:
        if active := list(self._active):
            with self.services.database.write() as db:
                export_runs.keep_alive(db, active, utc_now())

    def _take_back_lost(self) -> None:
        with self.services.database.read() as db:
            lost = export_runs.lost(db, utc_now() - self._lease)
        for ticket in lost:
            with self.services.database.write() as db:
                export_runs.give_back(db, ticket, utc_now())

    def _sweep(self) -> None:
        """Remove what no attempt owns any more: files of this machine, objects in the bucket."""
        with self.services.database.read() as db:
            kept = {f"{ticket.job_id}-{ticket.attempt}" for ticket in (*export_runs.running(db), *export_runs.queued(db, _AHEAD))}
            keys = export_runs.leftovers(db)
        for path in self._folder.glob("job_*"):
            if path.name.partition(".")[0] not in kept:
                remove_from_disk(path)
        remove_objects(self.services, keys)
        self._forget_failed()
        self._forget_ended()

    def _forget_failed(self) -> None:
        """Drop exports that failed or were called off longer ago than the team keeps them."""
        with self.services.database.read() as db:
            since = retention.kept_since(db, utc_now())
            found = [] if since is None else [(video_id, since) for video_id in retention.videos_with_old_failures(db, since)]
        for video_id, before in found:
            with self.services.database.write() as db:
                retention.forget_failed_exports(db, video_id, before)

    def _forget_ended(self) -> None:
        """Drop DBOS's records of attempts that have ended: how, our own tables say. One that ended before it had its cell, because the
        database did not answer, is still queued there, and is handed over again.
        """
        ended = DBOS.list_workflows(name=WORKFLOW, status=_ENDED, load_input=False, load_output=False, limit=_MOST_FORGOTTEN)
        if ended:
            DBOS.delete_workflows([workflow.workflow_id for workflow in ended])
        self._enqueued.clear()


_engine: ExportEngine | None = None


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=5)
def export_workflow(job_id: str, attempt: int) -> None:
    """What DBOS calls, also after a restart; it knows nothing but the ids."""
    if _engine is not None:
        _engine.run(Ticket(job_id, attempt))


def _configuration(services: Services) -> DBOSConfig:
    """SQLite: the one process of this data directory, which finds its own work again. PostgreSQL: any number, each under a new name;
    the work of one that is gone is taken back by its lease.
    """
    url = services.database.engine.url
    shared = url.get_backend_name() == "postgresql"
    return {
        "name": "clipviewer",
        "system_database_url": url.render_as_string(hide_password=False) if shared else f"sqlite:///{services.settings.data_dir}/jobs.db",
        "dbos_system_schema": "clipviewer_jobs",
        "use_listen_notify": False,
        "executor_id": new_id("worker") if shared else "app",
        "application_version": "1",
        "serializer": DBOSPortableJSONSerializer(),
        "enable_otlp": False,
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 3600.0,
        "sys_db_pool_size": 5,
    }
