"""A worker whose disk fills up: a small disk in a mount namespace, which any user may create on most systems."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import CellView
from tests.faults.conftest import Scene
from tests.jobs.attempts import wait_until

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

UNSHARE = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
# Exits with 8 if that is not allowed, and with 9 if something is left on the disk. Once there is a file ``more``, the disk grows.
RUN = """
mount -t tmpfs -o "size=$1" tmpfs "$2" || exit 8
folder=$2; shift 2
(until [ -e "$folder.more" ]; do sleep 0.1; done; mount -o remount,size=100m "$folder") &
"$@"; code=$?
touch "$folder.more"; wait
[ -z "$(ls -A "$folder")" ] || exit 9
exit $code
"""


def small_disk(folder: Path, size: str) -> list[str]:
    """Return the command under which a process finds a disk of ``size`` at ``folder``; skip the test if the system forbids it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [*UNSHARE, RUN, "sh", size, str(folder)]
    try:
        tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare (util-linux) here to make a small disk with")
    if tried.returncode:
        pytest.skip("this system does not let a user mount a disk of their own")
    return command


@pytest.mark.parametrize("size", ["400k", "1000k"], ids=["while the source is read", "while the export is written"])
def test_an_export_that_fails_for_space_says_so_and_goes_on_by_itself(size: str, scene: Scene, job: CellView) -> None:
    folder = scene.folder / "exports"
    command = small_disk(folder, size)
    more = folder.with_suffix(".more")
    more.unlink()
    with ThreadPoolExecutor(1) as thread:
        ended = thread.submit(scene.work, under=command)
        try:
            wait_until(lambda: scene.job(job.id).attempt > 1)
            waiting = scene.job(job.id)
            assert waiting.reason.startswith("The server's disk is full: delete videos or exports")
            assert "goes on by itself" in waiting.reason
            assert scene.exported() == []
        finally:
            more.touch()
        assert ended.result() == 0
    assert scene.job(job.id).state == JobState.DONE
