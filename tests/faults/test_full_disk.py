"""A worker whose disk fills up: a small disk in a mount namespace, which any user may create on most systems."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import CellView
from tests.faults.conftest import ROOT, Scene
from tests.jobs.attempts import wait_until

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
    folder.with_suffix(".more").unlink()
    return command


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("size", ["400k", "1000k"], ids=["while the source is read", "while the export is written"])
def test_an_export_that_fails_for_space_says_so_and_goes_on_by_itself(size: str, scene: Scene, job: CellView) -> None:
    folder = scene.folder / "exports"
    command = small_disk(folder, size)
    more = folder.with_suffix(".more")
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


def test_signing_in_and_deleting_work_on_a_full_disk(tmp_path: Path) -> None:
    command = [*small_disk(tmp_path / "data", "40m"), sys.executable, "-m", "tests.faults.full_disk_process", str(tmp_path / "data")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode in (0, 9), ended.stderr
    said = ended.stdout.splitlines()
    assert said[:2] == ["full: the reserve is there", "refused: the disk is full"]
    assert said[2:] == ["written", "space again: the reserve is back"]
