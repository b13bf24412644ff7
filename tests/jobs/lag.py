"""Measure the lag of an event loop; ``python -m tests.jobs.lag`` measures an idle one until its input ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


async def worst_lag(ended: Callable[[], bool]) -> float:
    """Return the largest lag of the event loop in seconds, measured until ``ended``."""
    loop, worst = asyncio.get_running_loop(), 0.0
    while not ended():
        due = loop.time() + 0.01
        await asyncio.sleep(0.01)
        worst = max(worst, loop.time() - due)
    return worst


@contextmanager
def idle_loop() -> Iterator[Callable[[], float]]:
    """Measure an idle loop in a process beside this one; its lag, available at the end, is that of the machine itself."""
    command = [sys.executable, "-m", "tests.jobs.lag"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as beside:
        assert beside.stdout
        assert beside.stdout.readline() == "measuring\n"
        yield lambda: float(beside.communicate()[0])


async def _until_the_input_ends() -> float:
    end = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    print("measuring", flush=True)
    return await worst_lag(end.done)


if __name__ == "__main__":
    print(asyncio.run(_until_the_input_ends()))
