"""Uploads to a bucket of another origin, and through the embedded store without filling the app's memory."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import expect

from clipviewer.db.models import Video
from clipviewer.domain.master_file import MIB
from clipviewer.settings import Settings
from clipviewer.storage.embedded.app import EmbeddedStore
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import open_store
from tests.browser.clip_footage import Footage
from tests.browser.running_app import EMAIL, PASSWORD, RunningApp, running_app
from tests.browser.watched_page import OpenRoom

SECRET = "a secret key that only this bucket has"
SIZE = 300 * MIB


@pytest.fixture
def cross_origin_app(app: RunningApp, tmp_path: Path) -> Iterator[RunningApp]:
    """The app over a bucket of another origin with the CORS rule from the README."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        (tmp_path / "secret_key").write_text(SECRET)
        keys = embedded_credentials(SECRET)
        store = open_store(Settings(data_dir=tmp_path, database_url="", port=port), keys)
        bucket = RunningApp("", 0, port, tmp_path, "", store, app.database, SECRET)
        with running_app(tmp_path, bucket_of=bucket, ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD) as cross_origin_app:
            served = EmbeddedStore(tmp_path / "objects", keys, cors_origins=(cross_origin_app.address,))
            server = uvicorn.Server(uvicorn.Config(served, log_level="warning", lifespan="off", ws="none"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            yield cross_origin_app
        server.should_exit = True
        thread.join(10)
        served.close()


def test_a_browser_uploads_to_a_bucket_of_another_origin(cross_origin_app: RunningApp, open_room: OpenRoom, footage: Footage) -> None:
    room = open_room(cross_origin_app, "/")
    with room.page.expect_file_chooser() as chooser:
        room.page.get_by_role("button", name="Upload videos").click()
    with room.page.expect_request(lambda request: request.method == "PUT") as sent:
        chooser.value.set_files(footage.long)
    link = room.page.get_by_role("region", name="Uploads").get_by_role("link", name=footage.long.name)
    expect(link).to_be_visible(timeout=60_000)
    assert not sent.value.url.startswith(cross_origin_app.address)
    with cross_origin_app.database.read() as db:
        video = db.get_one(Video, (link.get_attribute("href") or "").removeprefix("/videos/"))
    assert hashlib.sha256(cross_origin_app.store.get(video.s3_key)).digest() == hashlib.sha256(footage.long.read_bytes()).digest()


def test_large_files_do_not_increase_the_apps_memory(app: RunningApp, footage: Footage) -> None:
    head = footage.tiny.read_bytes()
    head += (SIZE - len(head)).to_bytes(4, "big") + b"free"
    status = Path(f"/proc/{app.process_id}/status")
    if not status.exists():
        pytest.skip("this system does not tell how much memory a process uses")

    def piece(start: int, size: int) -> bytes:
        return head[start : start + size].ljust(min(size, SIZE - start), b"\0")

    with app.pipeline() as api:
        upload = api.post("/api/uploads", json={"fileName": "large.mp4", "size": SIZE}).json()
        path = f"/api/uploads/{upload['id']}"
        Path(f"/proc/{app.process_id}/clear_refs").write_text("5")  # reset the peak
        before = peak_memory(status)

        def send(number: int) -> None:
            (part,) = api.post(f"{path}/parts", json={"parts": [{"partNumber": number}]}).json()["parts"]
            data = piece((number - 1) * upload["partSize"], part["size"])
            assert httpx.put(part["url"], content=data, timeout=60, trust_env=False).is_success

        with ThreadPoolExecutor(4) as senders:
            list(senders.map(send, range(1, upload["partCount"] + 1)))
        done = api.post(f"{path}/complete")
    assert done.is_success, done.text
    assert peak_memory(status) - before < 60 * MIB
    app.store.delete(f"videos/{upload['videoId']}/large.mp4")
    with app.database.write() as db:
        db.delete(db.get_one(Video, upload["videoId"]))


def peak_memory(status: Path) -> int:
    """Return the process's peak memory since the last reset, in bytes."""
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
