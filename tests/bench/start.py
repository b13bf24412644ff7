"""From the command to the first page, with the front end built: with an empty data directory, then with the existing one.

The baseline is the time Python takes to import the server's libraries.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from tests.bench import Row, seconds
from tests.bench._app import running_app

RUNS = 5
LIBRARIES = "reflex, fastapi, boto3, sqlmodel, alembic, uvicorn, argon2, jwt"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the command until "Ready" is printed, and until the sign-in page is served."""

    ready: float
    page: float


def run() -> list[Row]:
    with running_app():
        pass
    rounds = [_round() for _ in range(RUNS)]
    libraries = median(libraries for libraries, _, _ in rounds)
    starts = {"first start": [first for _, first, _ in rounds], "warm start": [again for _, _, again in rounds]}
    return [
        Row(
            f"{name} to {end}, against importing the libraries", median(getattr(start, field) for start in of_kind), libraries, goal="≤ 5 s"
        )
        for name, of_kind in starts.items()
        for end, field in (("Ready", "ready"), ("the first page", "page"))
    ]


def _round() -> tuple[float, Start, Start]:
    with tempfile.TemporaryDirectory() as folder:
        return seconds(_import_libraries), _start(Path(folder)), _start(Path(folder))


def _start(folder: Path) -> Start:
    begun = time.perf_counter()
    with running_app(folder) as app:
        httpx.get(f"{app.origin}/sign-in").raise_for_status()
        return Start(app.ready_after, time.perf_counter() - begun)


def _import_libraries() -> None:
    subprocess.run([sys.executable, "-c", f"import {LIBRARIES}"], check=True)
