"""A worker whose disk fills up: a small disk in a mount namespace, which any user may create on most systems."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sqlmodel import select

from clipviewer.db.models import ExportedClip
from clipviewer.domain.job_state import JobState
from clipviewer.services.cells.board import CellView
from clipviewer.services.exporting.exports import retry
from tests.faults.conftest import Scene

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

UNSHARE = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
# Exits with 8 if that is not allowed, and with 9 if something is left on the disk.
RUN = """
mount -t tmpfs -o "size=$1" tmpfs "$2" || exit 8
folder=$2; shift 2
"$@"; code=$?
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
def test_a_full_disk_fails_the_export_with_what_to_do_and_a_retry_finishes_it(size: str, scene: Scene, job: CellView) -> None:
    assert scene.work(under=small_disk(scene.folder / "exports", size)) == 0
    failed = scene.job(job.id)
    assert failed.state == JobState.FAILED
    assert "disk" in failed.reason
    assert "disk is full" in failed.reason.lower()
    assert scene.exported() == []
    with scene.database.write() as db:
        assert db.exec(select(ExportedClip)).all() == []
        retry(db, job.id)
    assert scene.work() == 0
    assert scene.job(job.id).state == JobState.DONE
