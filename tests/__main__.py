"""``python -m tests``: gets what the tests need (a Chromium, PostgreSQL), then runs the checks and every test.

Further arguments go to pytest: ``python -m tests tests/unit -k timecode``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.browser.chromium import prepare_chromium
from tests.system_packages import install_postgres, postgres_bin

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    prepare_chromium()
    if postgres_bin() is None:
        install_postgres()
    if not arguments:
        for check in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
            print("+", *check, flush=True)
            if subprocess.run([sys.executable, "-m", *check], check=False).returncode:
                return 1
        print("+ clipviewer build", flush=True)
        if subprocess.run([sys.executable, "-m", "clipviewer", "build"], check=False).returncode:
            return 1
        arguments = ["-n", str(os.cpu_count() or 1), "--dist", "loadfile"]
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
