"""Health of the job worker in this process: its folders, its disk, and DBOS's queues."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from clipviewer.errors import DiskFull
from clipviewer.jobs import queueing
from clipviewer.jobs.kinds import Queue
from clipviewer.services.disk import Disk
from clipviewer.services.job_files import job_folders, prepare_folder
from clipviewer.services.workers import ANSWERS_WITHIN
from clipviewer.settings import Settings

_LOG = logging.getLogger(__name__)


class WorkerHealth:
    """The problem that prevents this process from running jobs, if any. While ``blocked``, the worker starts none."""

    def __init__(self, settings: Settings) -> None:
        self.blocked = False
        self._problem = ""
        self._folders, self._disk = job_folders(settings), Disk(settings.data_dir)
        self._moved: dict[Queue, float] = {}

    def examine(self) -> str:
        """Look again, and return the problem as the end of a sentence for people; "" if there is none."""
        found = self._find_obstacle()
        self.blocked = bool(found)
        found = found or self._find_stall()
        if found != self._problem:
            _LOG.warning("jobs are paused: %s" if found else "jobs run again%s", found)
        self._problem = found
        return found

    def moved(self, queue: Queue) -> None:
        """Note that a job of that queue begins or ends."""
        self._moved[queue] = time.monotonic()

    def waiting(self, queues: Collection[Queue]) -> None:
        """Note the queues of which jobs wait although none runs; the others move."""
        now = time.monotonic()
        self._moved = {queue: self._moved.get(queue, now) if queue in queues else now for queue in Queue}

    def _find_obstacle(self) -> str:
        for folder in self._folders:
            try:
                prepare_folder(folder)
            except OSError as error:
                return f"the folder {folder.name} of the data directory cannot be written to ({error.strerror})."
        try:
            if self._disk.keep_reserve():
                return f"{DiskFull.title[0].lower()}{DiskFull.title[1:]}."
            queueing.check()
        except OSError as error:
            return f"the data directory cannot be used ({error.strerror})."
        except Exception as error:
            _LOG.warning("the job queues cannot be used: %s", type(error).__name__)
            return "the job queues cannot be used. Restart the server; if that fails, it says what to do."
        return ""

    def _find_stall(self) -> str:
        if any(at < time.monotonic() - ANSWERS_WITHIN.total_seconds() for at in self._moved.values()):
            return f"no job has started for {ANSWERS_WITHIN.seconds // 60} minutes. Restart the server."
        return ""
