"""A worker in a separate process that can be killed at a landmark: ``python -m tests.faults.job_process FOLDER …``.

Arguments: data folder, database URL, port of the store, its secret key, landmark at which to be killed ("" for none), seconds after which
the jobs of a silent worker are taken over. Ends once no job is queued or running.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path

from clipviewer.db.session import Database
from clipviewer.jobs import landmarks
from clipviewer.jobs.worker import JobWorker
from clipviewer.services import retrying
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.services.library.activity import running
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import Sessions
from clipviewer.settings import Settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import open_store

VIDEO_ID = "video_small"


def open_services(folder: str, url: str, port: str, secret: str) -> Services:
    settings = Settings(data_dir=Path(folder), database_url=url, port=int(port))
    store = open_store(settings, embedded_credentials(secret))
    return Services(settings, Database(url), store, signer_for(settings, store), Sessions([secret]), Accounts(), ApiTokens())


def main(folder: str, url: str, port: str, secret: str, landmark: str, lease_seconds: str) -> None:
    warnings.simplefilter("error")
    services = open_services(folder, url, port, secret)

    def die(place: str) -> None:
        if place == landmark:
            os.kill(os.getpid(), signal.SIGKILL)

    landmarks.reached = die
    retrying.PAUSES, retrying.SPACE_SECONDS = (1,), 1
    worker = JobWorker(services, poll_seconds=0.1, silence=timedelta(seconds=int(lease_seconds)))
    worker.start()
    busy = True
    while busy:
        time.sleep(0.1)
        with services.database.read() as db:
            busy = running(db)[1] > 0
    worker.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
