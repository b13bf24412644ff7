"""A request that completes an upload, in a process that is killed at a step of it.

Arguments: data folder, database URL, port of the store, its secret key, upload, and the step before or after which to be killed.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from typing import Any, NoReturn

from clipviewer.services.library import uploads
from clipviewer.services.library.uploading import Uploading
from tests.faults.job_process import open_services
from tests.services.upload_steps import ANNA, no_audit


def die(*_: Any, **__: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed processes do nothing")


def main(folder: str, url: str, port: str, secret: str, upload_id: str, step: str) -> None:
    uploading = Uploading(open_services(folder, url, port, secret), answered_within=timedelta())
    store: Any = uploading.services.store
    if step == "before it is recorded":
        uploads.claim = die
    elif step == "before the parts are joined":
        store.finish_upload = die
    elif step == "after the parts are joined":
        store.head = die
    elif step == "before it is a video":
        uploads.finish = die
    uploading.complete(upload_id, ANNA, no_audit)


if __name__ == "__main__":
    main(*sys.argv[1:])
