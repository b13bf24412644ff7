"""``POST …/download`` over kept-alive connections against a bare FastAPI route that returns a constant; one process each.

The API is measured as ``create_api`` makes it, with session, clip and signature behind each answer; the guard in front of it in
production limits what one client may ask per second, so it is left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from fastapi import FastAPI

from clipviewer.api.app import create_api
from clipviewer.db.models import ExportedClip, User, Video
from clipviewer.db.session import Database
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import COOKIE, Sessions
from clipviewer.settings import Settings, load_settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import open_store
from tests.bench import Row

RUNS, SECONDS, CLIPS = 5, 1.5, 1000
SECRET = "a secret key that only this benchmark has"
GOALS = {1: "< 1.6 ms", 16: "≥ 1,800 /s"}


@dataclass(frozen=True, slots=True)
class Load:
    """Answers per second, and the time in ms within which 99 of 100 came."""

    rate: float
    p99: float


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        cookie = _prepare(Path(folder))
        with _serving("ours", folder) as ours, _serving("baseline", folder) as baseline:
            rows = []
            for clients in (1, 16, 64):
                loads = [(_load(ours, cookie, clients), _load(baseline, cookie, clients)) for _ in range(RUNS)]
                rates = [median(pair[side].rate for pair in loads) for side in (0, 1)]
                times = [median(pair[side].p99 for pair in loads) for side in (0, 1)]
                rows.append(Row(f"requests per second, {clients} clients", *rates, unit="/s", goal=GOALS.get(clients, "")))
                rows.append(Row(f"p99, {clients} clients", *times, unit="ms"))
            return rows


def ours() -> FastAPI:
    """The API over the prepared database; uvicorn calls this in the process that is measured."""
    return create_api(_services(load_settings()))


def baseline() -> FastAPI:
    """The least that FastAPI can do."""
    api = FastAPI()

    @api.post("/api/clips/videos/video_1/download")
    async def constant() -> dict[str, str]:
        return {"url": "https://example.org/" + "x" * 400, "expiresAt": "2025-10-05T12:00:00.000Z"}

    return api


def _services(settings: Settings) -> Services:
    store = open_store(settings, embedded_credentials(SECRET))
    return Services(
        settings=settings,
        database=Database(settings.database_url),
        store=store,
        signer=signer_for(settings, store),
        sessions=Sessions([SECRET]),
        accounts=Accounts(),
        api_tokens=ApiTokens(),
    )


def _prepare(folder: Path) -> str:
    """A video with ``CLIPS`` clips and a person; gives the person's cookie."""
    services = _services(load_settings({"CLIPVIEWER_DATA_DIR": str(folder)}, folder))
    services.database.migrate()
    with services.database.write() as db:
        db.add_all(
            [
                User(id="user_1", email="a@example.org", name="A", role="viewer", password_hash=""),
                Video(id="video_1", title="V", s3_key="v"),
            ]
        )
        db.flush()
        for number in range(CLIPS):
            db.add(
                ExportedClip(
                    video_id="video_1",
                    start_ms=number,
                    end_ms=number + 1,
                    title="C",
                    s3_key=_key(number),
                    aspect_ratio="9:16",
                    target_language="en",
                )
            )
        cookie = services.sessions.start(db, "user_1").token
    services.database.dispose()
    return cookie


def _key(number: int) -> str:
    return f"youtube-videos/uuid/exported/clip_{number}.mp4"


@contextmanager
def _serving(name: str, folder: str) -> Iterator[int]:
    """The port of an own process that serves ``ours`` or ``baseline``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        f"{__name__}:{name}",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level=warning",
    ]
    with subprocess.Popen(command, env={**os.environ, "CLIPVIEWER_DATA_DIR": folder}) as process:
        try:
            deadline = time.monotonic() + 30
            while not _answers(port) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _load(port: int, cookie: str, clients: int) -> Load:
    took: list[float] = []

    async def all_clients() -> None:
        until = time.perf_counter() + SECONDS
        await asyncio.gather(*(_client(port, cookie, number, until, took) for number in range(clients)))

    start = time.perf_counter()
    asyncio.run(all_clients())
    elapsed = time.perf_counter() - start
    return Load(len(took) / elapsed, sorted(took)[int(len(took) * 0.99)] * 1000)


async def _client(port: int, cookie: str, number: int, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (start := time.perf_counter()) < until:
        number = (number + 64) % CLIPS
        body = json.dumps({"s3Key": _key(number)}).encode()
        head = f"POST /api/clips/videos/video_1/download HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {COOKIE}={cookie}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 200"):
            raise RuntimeError(answer.decode(errors="replace"))
        await reader.readexactly(int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        took.append(time.perf_counter() - start)
    writer.close()
