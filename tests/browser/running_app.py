"""The product as a person starts it: ``python -m clipviewer`` in a separate process, with its own data directory."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import BrowserContext
from sqlmodel import select

from clipviewer.db.adoption_models import SidecarDue
from clipviewer.db.models import User, Video
from clipviewer.db.session import Database
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import COOKIE, Sessions
from clipviewer.services.work import unfinished_work
from clipviewer.settings import EMBEDDED_BUCKET, EMBEDDED_PATH, load_settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import ObjectStore, open_store
from tests.jobs.attempts import wait_until

ROOT = Path(__file__).parents[2]
EMAIL = "anna@example.org"
PASSWORD = "reviewing-clips-daily"
BUILD_SECONDS = 240


@dataclass(frozen=True)
class RunningApp:
    """A running app: ``address`` is the origin, ``setup_link`` the printed one-time link, or ""."""

    address: str
    process_id: int
    port: int
    data_dir: Path
    setup_link: str
    store: ObjectStore
    database: Database
    _secret_key: str = field(repr=False)

    def pipeline(self) -> httpx.Client:
        """Return a client with a new API token, as a pipeline has it."""
        with self.database.write() as db:
            token = ApiTokens().create(db, "pipeline")
        return httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False)

    def sign_in(self, context: BrowserContext, email: str = EMAIL, address: str = "") -> None:
        """Give a browser at ``address`` a new session of that person, as the form would."""
        with self.database.write() as db:
            user_id = db.exec(select(User.id).where(User.email == email)).one()
            token = Sessions([self._secret_key]).start(db, user_id).token
        context.add_cookies([{"name": COOKIE, "value": token, "url": address or self.address, "httpOnly": True, "sameSite": "Lax"}])

    def master_key(self, video_id: str) -> str:
        """Return the key of that video's master in the store."""
        with self.database.read() as db:
            return db.get_one(Video, video_id).s3_key

    def wait_for_previews(self, s3_key: str) -> None:
        """Wait until that master's previews are made, so that no job notices later changes to its file."""
        wait_until(lambda: bool(self._previews(s3_key)))

    def wait_until_idle(self) -> None:
        """Wait until no library job is running and no sidecar is to be written, so that none changes pages or the store."""
        wait_until(lambda: not self._unfinished())

    def _unfinished(self) -> bool:
        with self.database.read() as db:
            return bool(unfinished_work(db)) or db.exec(select(SidecarDue)).first() is not None

    def _previews(self, s3_key: str) -> dict[str, Any]:
        with self.database.read() as db:
            return db.exec(select(Video.previews).where(Video.s3_key == s3_key)).one()


@contextmanager
def running_app(folder: Path, *, bucket_of: RunningApp | None = None, **settings: str) -> Iterator[RunningApp]:
    """Start the app with ``settings`` (names without ``CLIPVIEWER_``), wait until it is ready, stop it as Ctrl-C does.

    ``bucket_of``: use the store of that other app as the bucket, an S3 of another origin.
    """
    port = free_port()
    aws = {}
    if bucket_of is not None:
        settings |= {"S3_BUCKET": EMBEDDED_BUCKET, "S3_ENDPOINT_URL": f"http://127.0.0.1:{bucket_of.port}{EMBEDDED_PATH}"}
        lent = embedded_credentials((bucket_of.data_dir / "secret_key").read_text().strip())
        aws = {"AWS_ACCESS_KEY_ID": lent.access_key, "AWS_SECRET_ACCESS_KEY": lent.secret_key}
    given = {"DATA_DIR": str(folder / "data"), "PORT": str(port), "DEMO": "off", **settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLIPVIEWER_", "AWS_"))}
    environment = kept | aws | {f"CLIPVIEWER_{name}": value for name, value in given.items()}
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "clipviewer"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        text = wait_for_line(process, log, "Ready in" if "ADMIN_EMAIL" in settings else "/set-up/")
        link = re.search(r"http://\S+(/set-up/\S+)", text)
        address = f"http://localhost:{port}"
        read = load_settings({name: value for name, value in environment.items() if name.startswith("CLIPVIEWER_")}, folder)
        secret = (read.data_dir / "secret_key").read_text().strip()
        database = Database(read.database_url)
        yield RunningApp(
            address=address,
            process_id=process.pid,
            port=port,
            data_dir=read.data_dir,
            setup_link=address + link[1] if link else "",
            store=bucket_of.store if bucket_of else open_store(read, embedded_credentials(secret)),
            database=database,
            _secret_key=secret,
        )
        database.dispose()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_line(process: subprocess.Popen[bytes], log: Path, words: str) -> str:
    deadline = time.monotonic() + BUILD_SECONDS
    while not re.search(f"{words}.*\n", text := log.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the app did not start:\n{text[-3000:]}")
        time.sleep(0.05)
    return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
