"""DBOS: the durable queues that feed this process and every other one that shares its database.

Our rows say what is to be done and how far it is; DBOS decides which process does it and when, and remembers which steps of an attempt are
done. An attempt has one workflow, named after it, so handing it over twice changes nothing; whatever DBOS knows may be deleted while no
attempt runs, and is made again from the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID, WorkflowStatus

from clipviewer.jobs.kinds import Queue
from clipviewer.services.container import Services
from clipviewer.services.exporting.estimate import renders_at_once
from clipviewer.services.workers import Ticket

_EXPORTS, _LIBRARY = "exports", "library"
"""DBOS's queues. Looking into one costs 3 ms of CPU, so the jobs on the library share one, which is parted by our queues."""
_WAITING = ["ENQUEUED", "PENDING"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_MOST_FORGOTTEN = 500

# A handler of any kind keeps DBOS from writing to the console itself; its lines go the way of all others, redaction included.
logging.getLogger("dbos").addHandler(logging.NullHandler())


class Performer(Protocol):
    """What makes the attempts, in threads of DBOS. ``id`` is the process."""

    id: str

    def perform_export(self, ticket: Ticket) -> None: ...
    def perform_job(self, ticket: Ticket) -> None: ...


_performer: Performer | None = None


def open_queues(services: Services, performer: Performer, *, poll_seconds: float) -> None:
    """Go on with what the process was doing when it was killed, and begin to take from the queues. Takes about half a second."""
    global _performer
    _performer = performer
    DBOS(config=_configuration(services, performer.id))
    DBOS.launch()
    options: dict[str, Any] = {"polling_interval_sec": poll_seconds, "on_conflict": "always_update"}
    DBOS.register_queue(_EXPORTS, worker_concurrency=renders_at_once(), **options)
    DBOS.register_queue(_LIBRARY, partition_worker_concurrency=1, **options)


def close_queues() -> None:
    """Begin nothing more."""
    global _performer
    DBOS.destroy()
    _performer = None


def hand_over(queue: Queue, ticket: Ticket, priority: int = 1) -> None:
    """Have the attempt made by some process, the smallest ``priority`` first; does nothing if it was handed over already."""
    options = SetEnqueueOptions(priority=priority, queue_partition_key=None if queue is Queue.EXPORTS else queue.value)
    with SetWorkflowID(ticket.name), options:
        if queue is Queue.EXPORTS:
            DBOS.enqueue_workflow(_EXPORTS, export_workflow, ticket.id, ticket.attempt)
        else:
            DBOS.enqueue_workflow(_LIBRARY, library_workflow, ticket.id, ticket.attempt)


def handed_over(tickets: Collection[Ticket]) -> set[str]:
    """Return the names of those attempts that wait in a queue or are under way."""
    found = DBOS.list_workflows(workflow_ids=[ticket.name for ticket in tickets], status=_WAITING, load_input=False, load_output=False)
    return {workflow.workflow_id for workflow in found}


def forget_ended() -> None:
    """Delete the workflows that have ended: how, our own rows say."""
    _delete(DBOS.list_workflows(status=_ENDED, load_input=False, load_output=False, limit=_MOST_FORGOTTEN))


def forget_of_dead(alive: Collection[str]) -> None:
    """Delete what processes other than ``alive`` had begun; their jobs are handed over again."""
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    _delete([workflow for workflow in pending if workflow.executor_id not in alive])


def _delete(workflows: Sequence[WorkflowStatus]) -> None:
    if workflows:
        DBOS.delete_workflows([workflow.workflow_id for workflow in workflows])


@DBOS.workflow(name="export", max_recovery_attempts=5)
def export_workflow(job_id: str, attempt: int) -> None:
    """What DBOS calls for an export, also after a restart; it knows nothing but the ids."""
    if _performer is not None:
        _performer.perform_export(Ticket(job_id, attempt))


@DBOS.workflow(name="library_job", max_recovery_attempts=5)
def library_workflow(work_id: str, attempt: int) -> None:
    """What DBOS calls for a job on the library."""
    if _performer is not None:
        _performer.perform_job(Ticket(work_id, attempt))


def _configuration(services: Services, worker: str) -> DBOSConfig:
    url = services.database.engine.url
    shared = url.get_backend_name() == "postgresql"
    return {
        "name": "clipviewer",
        "system_database_url": url.render_as_string(hide_password=False) if shared else f"sqlite:///{services.settings.data_dir}/jobs.db",
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
