"""``GET …/exported`` of 50 clips over kept-alive connections, against a bare FastAPI route with the same bytes; one process each.

The API is measured behind its production guards, which limit the rate per person; therefore 64 people take turns.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import cycle
from pathlib import Path
from statistics import median

from fastapi import FastAPI, Response
from starlette.types import ASGIApp

from clipviewer.api.app import create_api
from clipviewer.api.guard import guarded
from clipviewer.settings import load_settings
from tests.bench import Row
from tests.bench._serving import VIDEO, Load, NextRequest, prepare, request, services, serving

RUNS, SECONDS, CLIPS, PEOPLE = 5, 1.5, 50, 64
CLIENTS = (1, 16, 64)
PATH = f"/api/clips/videos/{VIDEO}/exported"


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        cookies = prepare(Path(folder), CLIPS, PEOPLE)
        with serving(f"{__name__}:ours", folder) as ours, serving(f"{__name__}:baseline", folder) as baseline:
            rows, cpu_of_one = list[Row](), 0.0
            for clients in CLIENTS:
                requests = [_requests(cookies[number:] + cookies[:number]) for number in range(clients)]
                pairs = [(ours.load(requests, SECONDS), baseline.load(requests, SECONDS)) for _ in range(RUNS)]
                mine, bare = (_medians([pair[side] for pair in pairs]) for side in (0, 1))
                cpu_of_one = cpu_of_one or mine.cpu
                rows += [
                    Row(f"requests per second, {clients} clients", mine.rate, bare.rate, unit="/s"),
                    Row(f"p50, {clients} clients", mine.p50, bare.p50, unit="ms"),
                    Row(f"p99, {clients} clients", mine.p99, bare.p99, unit="ms"),
                    Row(f"CPU of a request, {clients} clients", mine.cpu, bare.cpu, unit="ms"),
                ]
                if clients > 1:
                    rows.append(Row(f"CPU of a request, {clients} clients to 1 client", mine.cpu, cpu_of_one, unit="ms", goal="≤ 1.1"))
            return rows


def ours() -> ASGIApp:
    """Return the API over the prepared database; called by uvicorn in the measured process."""
    sys.setswitchinterval(0.001)  # as the server does
    made = services(load_settings())
    return guarded(create_api(made), made.settings, made.sessions)


def baseline() -> FastAPI:
    """Return a FastAPI app that does the minimum, with as many bytes."""
    api = FastAPI()
    clip = (
        b'{"id":"clip_0123456789abcdef0123","videoId":"video_1","identifiedClipId":null,"title":"The goal of minute 10","start":"310.070",'
        b'"end":"339.113","s3Key":"youtube-videos/uuid/exported/clip_10.mp4","aspectRatio":"9:16","targetLanguage":"en","size":0,'
        b'"createdAt":"2025-10-05T12:00:00.000Z"}'
    )
    body = b"[" + b",".join([clip] * CLIPS) + b"]"

    @api.get(PATH)
    async def constant() -> Response:
        return Response(body, media_type="application/json")

    return api


def _requests(cookies: list[str]) -> NextRequest:
    """Yield one client's requests: always the same, each time as the next person."""
    asked = cycle([request("GET", PATH, cookie) for cookie in cookies])
    return lambda: next(asked)


def _medians(loads: list[Load]) -> Load:
    return Load(*(median(getattr(load, name) for load in loads) for name in ("rate", "p50", "p99", "cpu")))
