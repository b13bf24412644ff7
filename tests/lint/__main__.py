"""``python -m tests.lint``: check every script in ``assets/`` with eslint and TypeScript."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from clipviewer.frontend import build_environment

_FOLDER = Path(__file__).parent
_ROOT = _FOLDER.parents[1]
_MODULES = _FOLDER / "node_modules"
_INSTALLED = _MODULES / "installed.json"
_CHECKS = (
    ("eslint/bin/eslint.js", "--config", str(_FOLDER / "eslint.config.js"), "assets"),
    ("typescript/bin/tsc", "--project", str(_FOLDER)),
)


def main() -> int:
    """Run the checks in parallel; return 0 if all pass, else 1."""
    _install()
    checks = [_start("node", str(_MODULES / script), *arguments) for script, *arguments in _CHECKS]
    return int({check.wait() for check in checks} != {0})


def _install() -> None:
    """Install what the lock file says, unless it is installed."""
    lock = (_FOLDER / "package-lock.json").read_bytes()
    if _INSTALLED.is_file() and _INSTALLED.read_bytes() == lock:
        return
    if _start("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=_FOLDER).wait() != 0:
        sys.exit("The packages that check the scripts could not be installed.")
    _INSTALLED.write_bytes(lock)


def _start(tool: str, *arguments: str, cwd: Path = _ROOT) -> subprocess.Popen[bytes]:
    """Start Node or npm of this virtual environment."""
    command: Sequence[str] = (str(Path(sysconfig.get_path("scripts")) / tool), *arguments)
    return subprocess.Popen(command, cwd=cwd, env=build_environment(os.environ))


if __name__ == "__main__":
    sys.exit(main())
