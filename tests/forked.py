"""Run a function in a process of its own that can be killed, forked from one that has everything imported: saves two seconds each."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_PRELOADED = ["clipviewer.cli", "tests.faults.job_process"]


def run_forked(function: Callable[..., Any], *arguments: Any, timeout: float = 120) -> int:
    """Return the exit code of a process that calls ``function``: 1 if that raised, negative for a signal. Kills it after ``timeout`` s."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    process = context.Process(target=function, args=arguments)
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        process.join()
        raise TimeoutError(f"the process did not end within {timeout:.0f} s")
    assert process.exitcode is not None
    return process.exitcode


def run_command(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m clipviewer`` with ``arguments`` and nothing but ``environment``, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        code = run_forked(_command, list(arguments), dict(environment), out, err)
        return subprocess.CompletedProcess(list(arguments), code, out.read_text(), err.read_text())


def _command(arguments: list[str], environment: dict[str, str], out: Path, err: Path) -> None:
    for path, descriptor in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    from clipviewer.cli import main

    sys.exit(main(arguments))
