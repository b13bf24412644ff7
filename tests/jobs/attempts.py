"""Run attempts at exports, step by step or in a thread, as the worker does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.jobs.export_run import STEPS, ExportRun
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.services.cells.board import CellView, cell
from clipviewer.services.container import Services
from clipviewer.services.exporting.export_runs import Ticket
from clipviewer.services.exporting.exports import request_exports, retry
from tests.jobs.conftest import VIDEO_ID


def enqueue_export(room: Services, clip: str = "clip_1") -> CellView:
    with room.database.write() as db:
        return request_exports(db, VIDEO_ID, [clip], ExportChoices([AspectRatio.PORTRAIT]))[0]


def retried(room: Services, job: CellView) -> CellView:
    with room.database.write() as db:
        return retry(db, job.id)


def reloaded(room: Services, job: CellView) -> CellView:
    with room.database.read() as db:
        return cell(db, job.id)


def run_attempt(room: Services, job: CellView, folder: Path, patience: Sequence[float] = (0.1, 0.1)) -> CellView:
    """Run the job's current attempt to its end."""
    run = ExportRun(room, Ticket(job.id, job.attempt), folder, Ffmpeg(), patience=patience)
    try:
        all(run.perform(step) for step in STEPS)
    finally:
        run.clean_up()
    return reloaded(room, job)


@contextmanager
def attempt_in_thread(room: Services, job: CellView, folder: Path, patience: Sequence[float] = (0.5,) * 20) -> Iterator[Thread]:
    """Run the job's current attempt in a thread beside the test, and wait for it at the end."""
    thread = Thread(target=run_attempt, args=(room, job, folder, patience))
    thread.start()
    try:
        yield thread
    finally:
        thread.join(60)
    assert not thread.is_alive()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
