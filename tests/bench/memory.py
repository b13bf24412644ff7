"""The server's resident memory: idle, after 10,000 signed URLs, and with 100 clip rooms open, then closed and as many opened again.

``original`` is the application that this one replaces, measured elsewhere: idle, and after load. A room is a websocket that loads it as
a page does; the server keeps a closed room's state for a while, so that a returning page finds it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from tests.bench import Row
from tests.bench._app import App, exported_key, footage, running_app
from tests.state.tab import HYDRATE, Tab, open_tab

DOWNLOADS, CLIENTS, ROOMS, CLIPS = 10_000, 10, 100, 1_000
NAME = "remembered"
ORIGINAL_IDLE, ORIGINAL_LOADED = 123, 544
_READY = '"phase_rx_state_":"ready"'


def run() -> list[Row]:
    with running_app() as app:
        idle = app.resident_mib()
        video_id = app.add_video(NAME, CLIPS, footage(2, 180, 320, 150))
        filled = app.resident_mib()
        with ExitStack() as stack:
            clients = [stack.enter_context(app.client()) for _ in range(CLIENTS)]
            signed_in = app.resident_mib()
            _download(clients, video_id)
            downloaded = app.resident_mib()
        _open_rooms(app, video_id, 1)
        before = app.resident_mib()
        opened = _open_rooms(app, video_id, ROOMS)
        again = _open_rooms(app, video_id, ROOMS)
    return [
        Row("idle, against the original (elsewhere)", idle, ORIGINAL_IDLE, "MiB", "≤ 200 MiB"),
        Row(f"after registering {CLIPS:,} clips, against idle", filled, idle, "MiB"),
        Row(f"after {CLIENTS} sign-ins, against before them", signed_in, filled, "MiB"),
        Row(f"after {DOWNLOADS:,} downloads, against the original after load (elsewhere)", downloaded, ORIGINAL_LOADED, "MiB", "≤ 300 MiB"),
        Row(f"after {DOWNLOADS:,} downloads, against before them", downloaded, signed_in, "MiB", "flat"),
        Row(f"with {ROOMS} rooms open, against one", opened, before, "MiB", "flat"),
        Row(f"with {ROOMS} others open, against the first", again, opened, "MiB", "flat"),
        Row("each of the first rooms, against 200 KiB", (opened - before) * 1024 / ROOMS, 200, "KiB", "≤ 200 KiB"),
    ]


def _download(clients: list[httpx.Client], video_id: str) -> None:
    """Request ``DOWNLOADS`` URLs with as many sessions as the rate limit requires."""

    def ask(client: httpx.Client) -> None:
        for number in range(DOWNLOADS // CLIENTS):
            body = {"s3Key": exported_key(NAME, number % CLIPS)}
            while (answer := client.post(f"/api/clips/videos/{video_id}/download", json=body)).status_code == 429:
                time.sleep(float(answer.headers["Retry-After"]))
            answer.raise_for_status()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, clients))


def _open_rooms(app: App, video_id: str, rooms: int) -> float:
    """Open ``rooms`` at once, return the memory in MiB, then close them."""
    with app.client() as client, ExitStack() as stack:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        for _ in range(rooms):
            _load(stack.enter_context(open_tab(app.origin, cookie=cookie, path=f"/videos/{video_id}")))
        return app.resident_mib()


def _load(tab: Tab) -> None:
    tab.send(HYDRATE)
    tab.wait_for(_READY)
