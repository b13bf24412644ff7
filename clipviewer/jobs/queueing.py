"""DBOS: the durable queues that feed this process and every other one that shares its database.

Our rows say what is to be done and how far it is; DBOS decides which process does it and when, and remembers which steps of an attempt are
done. An attempt has one workflow, named after it, so handing it over twice changes nothing; whatever DBOS knows may be deleted while no
attempt runs, and is made again from the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Protocol

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID, WorkflowStatus

from clipviewer.jobs.kinds import Queue
from clipviewer.services.container import Services
from clipviewer.services.exporting.estimate import renders_at_once
from clipviewer.services.workers import Ticket

_EXPORT, _LIBRARY = "export", "library_job"
_POLL_SECONDS = {Queue.EXPORTS: 0.5, Queue.PROCESSOR: 0.5, Queue.BUCKET: 1.0}
"""Every look costs about a millisecond of CPU."""
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


def open_queues(services: Services, performer: Performer) -> None:
    """Go on with what the process was doing when it was killed, and begin to take from the queues. Takes about half a second."""
    global _performer
    _performer = performer
    DBOS(config=_configuration(services, performer.id))
    DBOS.launch()
    for queue in Queue:
        limit = renders_at_once() if queue is Queue.EXPORTS else 1
        DBOS.register_queue(queue, worker_concurrency=limit, polling_interval_sec=_POLL_SECONDS[queue], on_conflict="always_update")


def close_queues() -> None:
    """Begin nothing more."""
    global _performer
    DBOS.destroy()
    _performer = None


def hand_over(queue: Queue, ticket: Ticket, priority: int = 1) -> None:
    """Have the attempt made by some process, the smallest ``priority`` first; does nothing if it was handed over already."""
    workflow = export_workflow if queue is Queue.EXPORTS else library_workflow
    with SetWorkflowID(ticket.name), SetEnqueueOptions(priority=priority):
        DBOS.enqueue_workflow(queue, workflow, ticket.id, ticket.attempt)


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


@DBOS.workflow(name=_EXPORT, max_recovery_attempts=5)
def export_workflow(job_id: str, attempt: int) -> None:
    """What DBOS calls for an export, also after a restart; it knows nothing but the ids."""
    if _performer is not None:
        _performer.perform_export(Ticket(job_id, attempt))


@DBOS.workflow(name=_LIBRARY, max_recovery_attempts=5)
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
