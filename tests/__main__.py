"""Run the test suite: ``python -m tests`` installs Chromium and PostgreSQL if needed, then runs all tests and, beside them, the checks.

``python -m tests --thorough`` tries 1,000 random examples of each property instead of 30 fixed ones. Further arguments go to pytest and
skip the checks: ``python -m tests tests/unit -k timecode``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.browser.chromium import prepare_chromium
from tests.checks import Checks
from tests.system_packages import install_postgres, postgres_bin

ROOT = Path(__file__).resolve().parent.parent
WORKERS_A_CORE = 2
"""More workers than cores: many tests wait for a browser, a lease or a process, so with one worker per core a third of the time is idle."""


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise workers and hundreds of started apps each compile the same modules
    checks = None if set(arguments) - {"--thorough"} else Checks()
    prepare_chromium()
    if postgres_bin() is None:
        install_postgres()
    pytest = [sys.executable, "-m", "pytest"]
    if checks is None:
        return subprocess.run([*pytest, *arguments], check=False).returncode
    workers = ["-n", str(WORKERS_A_CORE * (os.cpu_count() or 1)), "--dist", "loadfile"]
    tests = subprocess.run([*pytest, *workers, *arguments], check=False, env=os.environ | checks.environment)
    outcomes = checks.wait()
    for outcome in outcomes:
        print(f"+ {outcome.name}: {'failed' if outcome.code else 'passed'} after {outcome.seconds:.0f} s", flush=True)
        if outcome.code:
            print(outcome.output, flush=True)
    return tests.returncode or int(any(outcome.code for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
