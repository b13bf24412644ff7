"""Import a prefix of 100,000 videos while the app runs: the latency of requests meanwhile, and the time of a second import.

Another process generates the listing. The event loop's lag is the response time of a route that does nothing, requested every
10 ms; a click renames a video, which waits for the database's single writer. The baseline is the same app in the same run while
idle.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import quantiles
from threading import Event, Thread

import httpx

from tests.bench import Row
from tests.bench._app import App, free_port, running_app

OBJECTS = 100_000
_IDLE_SECONDS = 15
_ASK_EVERY, _CLICK_EVERY = 0.01, 0.5


def run() -> list[Row]:
    with _generated_store() as settings, running_app(settings=settings) as app, app.client() as client:
        _adopt(client, "videos/0000")  # wait for a hundred videos, so that there is something to click
        idle, before = _Watched(app, lambda: time.sleep(_IDLE_SECONDS)), app.resident_mib()
        first, after = _Watched(app, lambda: _adopt(client)), app.resident_mib()
        again = _Watched(app, lambda: _adopt(client))
    return [
        Row(f"first run ({OBJECTS / first.took:,.0f} objects a second), against a second that finds nothing new", first.took, again.took),
        *_waits("event loop, first run", first.lags, idle.lags, "≤ 50 ms"),
        *_waits("event loop, second run", again.lags, idle.lags, "≤ 50 ms"),
        *_waits("click, first run", first.clicks, idle.clicks, "≤ 50 ms more"),
        *_waits("click, second run", again.clicks, idle.clicks, "≤ 50 ms more"),
        Row("memory after the first run, against before", after, before, "MiB"),
    ]


class _Watched:
    """The duration of ``work``, and the waiting times measured meanwhile, in seconds."""

    def __init__(self, app: App, work: Callable[[], object]) -> None:
        self.lags: list[float] = []
        self.clicks: list[float] = []
        ended = Event()
        watchers = [Thread(target=self._ask, args=(app, ended)), Thread(target=self._click, args=(app, ended))]
        for thread in watchers:
            thread.start()
        began = time.perf_counter()
        work()
        self.took = time.perf_counter() - began
        ended.set()
        for thread in watchers:
            thread.join()

    def _ask(self, app: App, ended: Event) -> None:
        request = b"GET /api/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with socket.create_connection(("127.0.0.1", app.port)) as connection:
            while not ended.wait(_ASK_EVERY):
                began = time.perf_counter()
                connection.sendall(request)
                if not connection.recv(65_536):
                    raise RuntimeError("the server closed the connection")
                self.lags.append(time.perf_counter() - began)

    def _click(self, app: App, ended: Event) -> None:
        with app.client() as client:
            video_id = client.get("/api/clips/videos", params={"limit": 1}).raise_for_status().json()["videos"][0]["id"]
            number = 0
            while not ended.wait(_CLICK_EVERY):
                number += 1
                began = time.perf_counter()
                client.patch(f"/api/clips/videos/{video_id}", json={"title": f"Title {number}"}).raise_for_status()
                self.clicks.append(time.perf_counter() - began)


def _waits(name: str, ours: list[float], baseline: list[float], goal: str) -> list[Row]:
    return [
        Row(f"{name}: longest wait", max(ours), max(baseline), goal=goal),
        Row(f"{name}: p99", quantiles(ours, n=100)[98], quantiles(baseline, n=100)[98]),
    ]


def _adopt(client: httpx.Client, prefix: str = "") -> None:
    asked = client.post("/api/library/adopt", json={"prefix": prefix}).raise_for_status().json()
    while (work := client.get(f"/api/work/{asked['id']}").raise_for_status().json())["state"] in ("queued", "running"):
        time.sleep(0.2)
    if work["state"] != "done":
        raise RuntimeError(work["note"])


@contextmanager
def _generated_store() -> Iterator[dict[str, str]]:
    """Run the generated store; yield the environment variables of an app over it."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench._generated_store", str(port), str(OBJECTS)])
    try:
        yield {
            "CLIPVIEWER_S3_BUCKET": "made-up",
            "CLIPVIEWER_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }
    finally:
        process.terminate()
        process.wait()
