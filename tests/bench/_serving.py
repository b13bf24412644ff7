"""One uvicorn process over a prepared database, closed-loop clients on kept-alive connections, and the CPU time it uses."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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

SECRET = "a secret key that only this benchmark has"
VIDEO = "video_1"
_TICKS = os.sysconf("SC_CLK_TCK")

NextRequest = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Load:
    """Responses per second, median and 99th percentile of their latency in ms, and the server's CPU ms per response."""

    rate: float
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    process: subprocess.Popen[bytes]

    def load(self, requests: list[NextRequest], seconds: float) -> Load:
        """Open one connection for each of ``requests``, which yields the next request after each response."""
        took: list[float] = []

        async def all_clients() -> None:
            until = time.perf_counter() + seconds
            await asyncio.gather(*(_client(self.port, request, until, took) for request in requests))

        start, cpu = time.perf_counter(), self._cpu_seconds()
        asyncio.run(all_clients())
        elapsed, cpu = time.perf_counter() - start, self._cpu_seconds() - cpu
        took.sort()
        p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
        return Load(len(took) / elapsed, p50, p99, cpu * 1000 / len(took))

    def _cpu_seconds(self) -> float:
        """Return user plus system time of the process (proc(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def services(settings: Settings) -> Services:
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


def prepare(folder: Path, clips: int, people: int = 1) -> list[str]:
    """Create a video with ``clips`` exported clips; return the ``Cookie`` headers of the given number of signed-in people."""
    made = services(load_settings({"CLIPVIEWER_DATA_DIR": str(folder)}, folder))
    made.database.migrate()
    with made.database.write() as db:
        names = [f"user_{number}" for number in range(people)]
        db.add_all([User(id=name, email=f"{name}@example.org", name="A", role="viewer", password_hash="") for name in names])
        db.add(Video(id=VIDEO, title="V", s3_key="v"))
        db.flush()
        db.add_all([_clip(number) for number in range(clips)])
        cookies = [f"{COOKIE}={made.sessions.start(db, name).token}" for name in names]
    made.database.dispose()
    return cookies


def _clip(number: int) -> ExportedClip:
    start = number * 31_007
    return ExportedClip(
        video_id=VIDEO,
        start_ms=start,
        end_ms=start + 29_043,
        title=f"The goal of minute {number}",
        s3_key=clip_key(number),
        aspect_ratio="9:16",
        target_language="en",
    )


def clip_key(number: int) -> str:
    return f"youtube-videos/uuid/exported/clip_{number}.mp4"


def request(method: str, path: str, cookie: str, body: bytes = b"") -> bytes:
    """Return an HTTP/1.1 request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def serving(factory: str, folder: str) -> Iterator[Server]:
    """Run a process that serves the app built by ``factory`` (``module:function``), with the data directory ``folder``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--port", str(port), "--no-access-log", "--log-level=warning"]
    with subprocess.Popen(command, env={**os.environ, "CLIPVIEWER_DATA_DIR": folder}) as process:
        try:
            deadline = time.monotonic() + 30
            while not _answers(port) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            yield Server(port, process)
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def _client(port: int, next_request: NextRequest, until: float, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (start := time.perf_counter()) < until:
        writer.write(next_request())
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 200"):
            raise RuntimeError(answer.decode(errors="replace"))
        await reader.readexactly(int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        took.append(time.perf_counter() - start)
    writer.close()
