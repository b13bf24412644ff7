"""How late an event loop is; ``python -m tests.jobs.lag`` measures one that has nothing to do, until its input ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


async def worst_lag(ended: Callable[[], bool]) -> float:
    """By how many seconds the event loop was late at most, until ``ended``."""
    loop, worst = asyncio.get_running_loop(), 0.0
    while not ended():
        due = loop.time() + 0.01
        await asyncio.sleep(0.01)
        worst = max(worst, loop.time() - due)
    return worst


@contextmanager
def idle_loop() -> Iterator[Callable[[], float]]:
    """Gives the lag, at the end, of an idle loop in a process beside this one: what the machine itself was late by."""
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
