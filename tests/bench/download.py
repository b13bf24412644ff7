"""``POST …/download`` over kept-alive connections, against a bare FastAPI route that returns a constant; one process each.

The API is measured as ``create_api`` builds it, with session, clip and signature behind each response; the guard in front of it in
production limits the rate per client, so it is left out.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median

from fastapi import FastAPI

from clipviewer.api.app import create_api
from clipviewer.settings import load_settings
from tests.bench import Row
from tests.bench._serving import VIDEO, NextRequest, clip_key, prepare, request, services, serving

RUNS, SECONDS, CLIPS = 5, 1.5, 1000
GOALS = {1: "< 1.6 ms", 16: "≥ 1,800 /s"}
PATH = f"/api/clips/videos/{VIDEO}/download"


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        (cookie,) = prepare(Path(folder), CLIPS)
        with serving(f"{__name__}:ours", folder) as ours, serving(f"{__name__}:baseline", folder) as baseline:
            rows = []
            for clients in (1, 16, 64):
                requests = [_requests(cookie, number) for number in range(clients)]
                loads = [(ours.load(requests, SECONDS), baseline.load(requests, SECONDS)) for _ in range(RUNS)]
                rates = [median(pair[side].rate for pair in loads) for side in (0, 1)]
                times = [median(pair[side].p99 for pair in loads) for side in (0, 1)]
                cpu = [median(pair[side].cpu for pair in loads) for side in (0, 1)]
                rows.append(Row(f"requests per second, {clients} clients", *rates, unit="/s", goal=GOALS.get(clients, "")))
                rows.append(Row(f"p99, {clients} clients", *times, unit="ms"))
                rows.append(Row(f"CPU of a request, {clients} clients", *cpu, unit="ms"))
            return rows


def ours() -> FastAPI:
    """Return the API over the prepared database; called by uvicorn in the measured process."""
    return create_api(services(load_settings()))


def baseline() -> FastAPI:
    """Return a FastAPI app that does the minimum."""
    api = FastAPI()

    @api.post(PATH)
    async def constant() -> dict[str, str]:
        return {"url": "https://example.org/" + "x" * 400, "expiresAt": "2025-10-05T12:00:00.000Z"}

    return api


def _requests(cookie: str, number: int) -> NextRequest:
    """Yield one client's requests, for one clip after the other."""

    def next_request() -> bytes:
        nonlocal number
        number = (number + 64) % CLIPS
        return request("POST", PATH, cookie, json.dumps({"s3Key": clip_key(number)}).encode())

    return next_request
