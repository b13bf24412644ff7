"""What one anonymous client costs everybody else: latency of a health request, the server's memory, and the length of its log.

The baseline of a latency is the same request while nobody attacks; that of memory is the server before the attack. The deadlines are the
product's own, so that holding connections takes half a minute.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from clipviewer.server import raise_open_file_limit
from tests.bench import Row
from tests.faults.attacker import MALFORMED, Attacker, Bystander, is_open, resident_mib
from tests.state.serving import Running, running_app

HELD, SECONDS = 1_500, 5


def run() -> list[Row]:
    raise_open_file_limit()
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as app:
        attacker = Attacker(urlsplit(app.address).port or 0)
        calm = Bystander(attacker.port)
        with calm.watching():
            time.sleep(SECONDS)
        rows = _attack(app, calm, "an endless header", attacker.send_endless_header, pause=0.1, goal="≤ 2")
        rows += _attack(app, calm, "endless headers without a pause", attacker.send_endless_header)
        with ThreadPoolExecutor(8) as pool:
            rows += _attack(app, calm, "8 endless headers", lambda: list(pool.map(lambda _: attacker.send_endless_header(), range(8))))
        rows += _attack(app, calm, f"{HELD:,} silent, half-header and half-body connections", lambda: _hold(attacker))
        logged = len(app.log())
        rows += _attack(app, calm, "malformed frames", lambda: [attacker.send_malformed(frame) for frame in MALFORMED])
        rows += _attack(app, calm, "hang-ups and garbage", lambda: (attacker.hang_up(), attacker.send_garbage()))
        written = len(app.log()) - logged
    return [*rows, Row(f"log of {2 * SECONDS} s of malformed frames, hang-ups and garbage", written, 0, "B")]


def _attack(app: Running, calm: Bystander, name: str, attack: Callable[[], object], *, pause: float = 0, goal: str = "") -> list[Row]:
    """Repeat the attack for a while, with a pause in seconds after each time."""
    bystander, before, until, times = Bystander(calm.port), resident_mib(app.pid), time.monotonic() + SECONDS, 0
    with bystander.watching():
        while time.monotonic() < until:
            attack()
            times += 1
            time.sleep(pause)
    if bystander.failed:
        raise RuntimeError(f"{name}: {len(bystander.failed)} health requests failed: {set(bystander.failed)}")
    return [
        Row(f"{name}, {times} times: median health request", bystander.median(), calm.median(), goal=goal),
        Row(f"{name}: slowest health request", bystander.worst(), calm.worst()),
        Row(f"{name}: memory", resident_mib(app.pid), before, "MiB", "flat"),
    ]


def _hold(attacker: Attacker) -> None:
    with attacker.holding(HELD) as connections:
        while any(map(is_open, connections)):
            time.sleep(0.5)
