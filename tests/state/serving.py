"""Run the product's own command, with access to its database."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clipviewer import frontend, startup
from clipviewer.db.models import User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import COOKIE
from clipviewer.settings import load_settings
from tests.checks import wait_for_front_end

PATIENCE = 60
PROXY = "127.0.0.9"
"""Address of this machine that the tests let the app trust as its proxy."""


@dataclass(frozen=True)
class Person:
    """A person with an account and a session; ``cookie`` is a ``Cookie`` header."""

    id: str
    email: str
    session_id: str
    cookie: str


@dataclass(frozen=True)
class Running:
    """A running server; ``output`` collects everything it writes to stdout and stderr."""

    address: str
    services: Services
    data_dir: Path
    output: Path
    pid: int

    def person(self, role: Role = Role.VIEWER, *, password: str | None = None) -> Person:
        """Create a person and sign them in."""
        hashed = self.services.accounts.passwords.hash(password) if password else "no password"
        user = User(email=f"{new_id('mail')}@example.org", name=f"Kim {role}", role=role, password_hash=hashed)
        with self.services.database.write() as db:
            db.add(user)
            db.flush()
            session = self.services.sessions.start(db, user.id)
        return Person(user.id, user.email, session.id, f"{COOKIE}={session.token}")

    def log(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def running_app(folder: Path, module: str = "clipviewer", **settings: str) -> Iterator[Running]:
    """Run ``python -m clipviewer`` on a free port with its data in ``folder`` and an empty front end; stop it at the end.

    ``module`` is run instead if it starts the same command in another way.
    """
    wait_for_front_end()  # until then the build changes files that ``fingerprint`` reads
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data_dir = folder / "data"
    configured = {"CLIPVIEWER_DATA_DIR": str(data_dir), "CLIPVIEWER_PORT": str(port), "CLIPVIEWER_DEMO": "off"} | settings
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CLIPVIEWER_", "AWS_", "REFLEX_"))}
    environ |= configured | {"REFLEX_WEB_WORKDIR": str(_empty_front_end(folder / "web")), "PYTHONUNBUFFERED": "1"}
    output = folder / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", module], cwd=frontend.ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(address, process, output)
        loaded = load_settings(configured, folder)
        services = startup.open_services(loaded)
        try:
            yield Running(address, services, data_dir, output, process.pid)
        finally:
            services.database.dispose()
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _empty_front_end(folder: Path) -> Path:
    """Write an empty built front end that passes as up to date."""
    pages = folder / "build" / "client"
    pages.mkdir(parents=True)
    for name in ("index.html", "404.html"):
        (pages / name).write_text("<!doctype html><title>clipviewer</title>", encoding="utf-8")
    (folder / "clipviewer-build.json").write_text(json.dumps({"fingerprint": frontend.fingerprint()}), encoding="utf-8")
    return folder


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/api/health", timeout=5):
            return
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)
