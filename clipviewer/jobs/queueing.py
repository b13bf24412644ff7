"""DBOS: the durable queues that feed this process and every other one that shares its database.

Our rows say what is to be done and how far it is; DBOS decides which process does it and when, and remembers which steps of an attempt are
done. An attempt has one workflow, named after it, so handing it over twice changes nothing. DBOS's own records may be deleted while no
attempt runs; they are rebuilt from the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID, WorkflowStatus

from clipviewer.db.private_file import make_private
from clipviewer.jobs.kinds import Queue
from clipviewer.services.container import Services
from clipviewer.services.exporting.estimate import renders_at_once
from clipviewer.services.job_files import queues_file
from clipviewer.services.workers import Ticket

_EXPORTS, _LIBRARY = "exports", "library"
"""DBOS's queues. Polling one costs 3 ms of CPU, so the jobs on the library share one, partitioned by our queues."""
_WAITING = ["ENQUEUED", "PENDING"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_MOST_FORGOTTEN = 500

# A handler of any kind keeps DBOS from writing to the console itself; its lines go the way of all others, redaction included.
logging.getLogger("dbos").addHandler(logging.NullHandler())


Perform = Callable[[Ticket], None]
_perform: Perform | None = None


def open_queues(services: Services, worker: str, perform: Perform, *, poll_seconds: float) -> None:
    """Resume what ``worker`` was doing when it was killed, and start calling ``perform`` with attempts, in threads of DBOS."""
    global _perform
    _perform = perform
    DBOS(config=_configuration(services, worker))
    DBOS.launch()
    _delete(DBOS.list_workflows(name="export", load_input=False, load_output=False))  # of an earlier release: they are handed over again
    options: dict[str, Any] = {"polling_interval_sec": poll_seconds, "on_conflict": "always_update"}
    DBOS.register_queue(_EXPORTS, worker_concurrency=renders_at_once(), **options)
    DBOS.register_queue(_LIBRARY, partition_worker_concurrency=1, **options)


def close_queues() -> None:
    """Start nothing more."""
    global _perform
    DBOS.destroy()
    _perform = None


def hand_over(queue: Queue, ticket: Ticket, priority: int = 1) -> None:
    """Let some process make the attempt, the smallest ``priority`` first; does nothing if it was handed over already."""
    name, part = (_EXPORTS, None) if queue is Queue.EXPORTS else (_LIBRARY, queue.value)
    with SetWorkflowID(ticket.name), SetEnqueueOptions(priority=priority, queue_partition_key=part):
        DBOS.enqueue_workflow(name, job, ticket.id, ticket.attempt)


def handed_over(tickets: Collection[Ticket]) -> set[str]:
    """Return the names of those attempts that are queued or running."""
    found = DBOS.list_workflows(workflow_ids=[ticket.name for ticket in tickets], status=_WAITING, load_input=False, load_output=False)
    return {workflow.workflow_id for workflow in found}


def check() -> None:
    """Raise an exception of DBOS or of its database if jobs can be neither handed over nor taken."""
    DBOS.list_workflows(workflow_ids=["none"], load_input=False, load_output=False)


def forget_ended() -> None:
    """Delete the workflows that have ended; our own rows say how."""
    _delete(DBOS.list_workflows(status=_ENDED, load_input=False, load_output=False, limit=_MOST_FORGOTTEN))


def forget_of_dead(alive: Collection[str]) -> None:
    """Delete the workflows of processes other than ``alive``; their jobs are handed over again."""
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    _delete([workflow for workflow in pending if workflow.executor_id not in alive])


def _delete(workflows: Sequence[WorkflowStatus]) -> None:
    if workflows:
        DBOS.delete_workflows([workflow.workflow_id for workflow in workflows])


@DBOS.workflow(name="job", max_recovery_attempts=5)
def job(job_id: str, attempt: int) -> None:
    """Make an attempt, or resume it after a restart. Called by DBOS."""
    if _perform is not None:
        _perform(Ticket(job_id, attempt))


def _configuration(services: Services, worker: str) -> DBOSConfig:
    url = services.database.engine.url
    own = queues_file(services.settings)
    shared = url.get_backend_name() == "postgresql"
    if not shared:
        make_private(own)
    return {
        "name": "clipviewer",
        "system_database_url": url.render_as_string(hide_password=False) if shared else f"sqlite:///{own}",
        "dbos_system_schema": "clipviewer_jobs",
        "use_listen_notify": False,
        "executor_id": worker,
        "application_version": "1",
        "serializer": DBOSPortableJSONSerializer(),
        "enable_otlp": False,
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 3600.0,
        "sys_db_pool_size": 5,
    }
