"""Checks that run beside the tests, one after the other. The front-end build comes first, since browser tests wait for it.

To add a check, add a line to ``CHECKS``: its name and its command, which exits with 0 on success.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from clipviewer import frontend

BUILD = "clipviewer build"
CHECKS = {
    BUILD: [sys.executable, "-m", "clipviewer", "build"],
    "ruff check": [sys.executable, "-m", "ruff", "check", "."],
    "ruff format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "eslint and tsc": [sys.executable, "-m", "tests.lint"],
}
BUILDING = "TESTS_FRONT_END_LOCK"
"""Environment variable with the path of the file that stays locked while the front end is built."""


@dataclass(frozen=True)
class Outcome:
    """Result of a check: exit code, output, and duration in seconds."""

    name: str
    code: int
    output: str
    seconds: float


class Checks:
    """Runs all checks in the background and tells tests started afterwards that the front end is being built."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome] = []
        self._lock = tempfile.NamedTemporaryFile(prefix="clipviewer-front-end-")  # noqa: SIM115  # stays locked until the build has ended
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.environment = {BUILDING: self._lock.name}
        self._thread = Thread(target=self._run)
        self._thread.start()

    def wait(self) -> list[Outcome]:
        """Wait for all checks and return their outcomes."""
        self._thread.join()
        return self._outcomes

    def _run(self) -> None:
        for name, command in CHECKS.items():
            began = time.monotonic()
            ended = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
            self._outcomes.append(Outcome(name, ended.returncode, ended.stdout, time.monotonic() - began))
            if name == BUILD:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._lock.close()


def wait_for_front_end() -> None:
    """Wait until ``python -m tests`` has built the front end; fail the test if the build failed.

    Outside such a run this returns at once: the app builds what is missing when it starts.
    """
    name = os.environ.get(BUILDING)
    if name is None or not Path(name).exists():
        return
    with open(name) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
    if not frontend.is_built():
        pytest.fail("The front end was not built: the output of its build stands at the end of the run.")
