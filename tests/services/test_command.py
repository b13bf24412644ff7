"""``python -m clipviewer`` as a person uses it: starting, a wrong setting, a signal."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from clipviewer.db.session import Database
from tests.api.stores import running_bucket
from tests.forked import run_command

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret key that only this bucket has"

pytestmark = pytest.mark.usefixtures("front_end")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLIPVIEWER_")}
    return {**inherited, "CLIPVIEWER_DATA_DIR": str(folder), "CLIPVIEWER_DEMO": "off", **settings}


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run_command(arguments, environment(folder, **settings))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Started:
    """A server in a process group of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "clipviewer"],
            cwd=ROOT,
            env=environment(folder, CLIPVIEWER_PORT=str(self.port), **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first line of output that matches; fail if the process ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match
        pytest.fail(f"never said {pattern!r}: {self.lines}")

    def stop(self) -> int:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    server = Started(tmp_path / "data")
    yield server
    server.stop()
    if server.process.stdout is not None:
        server.process.stdout.close()


def test_starting_prints_the_address_and_one_set_up_link(started: Started, tmp_path: Path) -> None:
    address = started.wait_for(r"Ready in [0-9.]+ s: (\S+)")[1]
    token = started.wait_for(r"/set-up/(\S+)")[1]
    assert address == f"http://localhost:{started.port}"
    base = f"http://127.0.0.1:{started.port}"
    admin = {"token": token, "name": "Anna", "email": "anna@example.org", "password": "reviewing-clips-daily"}
    with httpx.Client(base_url=base) as client:
        assert client.get("/api/health").json()["status"] == "ok"
        assert client.post("/api/auth/set-up", json=admin).status_code == 201
        assert client.get("/api/auth/session").json()["user"]["role"] == "admin"
        assert client.post("/api/auth/set-up", json=admin).status_code != 201
    for name in ("", "secret_key", "clipviewer.db"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) & 0o077 == 0


def test_a_page_without_a_session_leads_to_the_sign_in_page_and_back(started: Started) -> None:
    started.wait_for("Ready")
    answer = httpx.get(f"http://127.0.0.1:{started.port}/videos/video_1?clip=clip_2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fvideos%2Fvideo_1%3Fclip%3Dclip_2"


def test_ctrl_c_ends_the_server_within_seconds_and_frees_the_port(started: Started) -> None:
    started.wait_for("Ready")
    begun = time.monotonic()
    started.stop()
    assert time.monotonic() - begun < 10
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", started.port))


def test_a_quiet_connection_is_not_closed_before_its_client_does(started: Started) -> None:
    """Clients and proxies keep connections for five seconds to a minute: a request sent as the server closes one would be lost."""
    started.wait_for("Ready")
    with closing(HTTPConnection("127.0.0.1", started.port)) as connection:
        connection.request("GET", "/api/health")
        assert json.load(connection.getresponse())["status"] == "ok"
        closed, _, _ = select.select([connection.sock], [], [], 6)
        assert not closed


def test_a_second_start_needs_no_build(started: Started) -> None:
    started.wait_for("Ready")
    assert not [line for line in started.lines if "building" in line]


def test_a_configured_admin_replaces_the_set_up_link(tmp_path: Path) -> None:
    server = Started(tmp_path, CLIPVIEWER_ADMIN_EMAIL="anna@example.org", CLIPVIEWER_ADMIN_PASSWORD="reviewing-clips-daily")
    try:
        server.wait_for("Ready")
        credentials = {"email": "anna@example.org", "password": "reviewing-clips-daily"}
        answer = httpx.post(f"http://127.0.0.1:{server.port}/api/auth/sign-in", json=credentials)
        assert answer.json()["user"]["role"] == "admin"
    finally:
        server.stop()
        if server.process.stdout is not None:
            server.lines += server.process.stdout.readlines()
            server.process.stdout.close()
    assert not [line for line in server.lines if "/set-up/" in line]


def test_a_taken_port_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "clipviewer"]
        given = environment(tmp_path, CLIPVIEWER_PORT=port)
        refused(subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=120, check=False), f"port {port}")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"CLIPVIEWER_PORT": "http"}, "CLIPVIEWER_PORT"),
        ({"CLIPVIEWER_URL_TTL": "7200"}, "CLIPVIEWER_URL_TTL"),
        ({"CLIPVIEWER_SECRET_KEY": "changeme"}, "CLIPVIEWER_SECRET_KEY"),
        ({"CLIPVIEWER_DATABASE_URL": "mysql://db"}, "CLIPVIEWER_DATABASE_URL"),
        ({"CLIPVIEWER_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, "CLIPVIEWER_DATABASE_URL"),
        ({"CLIPVIEWER_PROT": "3000"}, "CLIPVIEWER_PROT"),
        ({"CLIPVIEWER_ADMIN_EMAIL": "anna@example.org"}, "CLIPVIEWER_ADMIN_PASSWORD"),
        ({"CLIPVIEWER_ADMIN_EMAIL": "anna@example.org", "CLIPVIEWER_ADMIN_PASSWORD": "short"}, "CLIPVIEWER_ADMIN_PASSWORD"),
        ({"CLIPVIEWER_HOST": "no.such.host.invalid"}, "CLIPVIEWER_HOST"),
    ],
)
def test_a_broken_setting_is_one_sentence_that_names_it(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    refused(run(tmp_path, **{"CLIPVIEWER_PORT": str(free_port()), **settings}), named)


def test_a_data_directory_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(run(tmp_path / "file"), "CLIPVIEWER_DATA_DIR")


def test_a_token_is_shown_once_and_can_be_revoked(tmp_path: Path) -> None:
    made = run(tmp_path, "token", "create", "nightly")
    assert made.returncode == 0
    assert re.fullmatch(r"cv_\S{40,}\n", made.stdout)
    listed = run(tmp_path, "token", "list").stdout
    assert "nightly" in listed
    assert made.stdout.strip() not in listed
    identifier = re.search(r"token_\w+", listed)
    assert identifier is not None
    assert run(tmp_path, "token", "revoke", identifier[0]).returncode == 0
    assert "revoked" in run(tmp_path, "token", "list").stdout
    assert run(tmp_path, "token", "revoke", "token_unknown").returncode == 1


def test_the_doctor_says_that_the_embedded_store_needs_the_app(tmp_path: Path) -> None:
    ended = run(tmp_path, "doctor", CLIPVIEWER_PORT=str(free_port()))
    assert ended.returncode == 1, ended.stderr
    assert re.search(r"^failed +server .*\n +Start the app", ended.stdout, re.MULTILINE)
    told = json.loads(run(tmp_path, "doctor", "--json", CLIPVIEWER_PORT=str(free_port())).stdout)
    assert (told["healthy"], told["iamPolicy"]) == (False, None)
    assert {found["verdict"] for found in told["findings"]} == {"ok", "failed", "not checked"}


def refused(result: subprocess.CompletedProcess[str], named: str) -> None:
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith("clipviewer: ")
    assert named in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert "Traceback" not in result.stderr


def test_a_separate_worker_requires_postgresql(tmp_path: Path) -> None:
    ended = run(tmp_path, "worker")
    assert (ended.returncode, "CLIPVIEWER_DATABASE_URL" in ended.stderr) == (2, True)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_separate_worker_on_postgresql_stops_cleanly_within_seconds(tmp_path: Path, database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    worker = subprocess.Popen(
        [sys.executable, "-m", "clipviewer", "worker"],
        cwd=ROOT,
        env=environment(tmp_path, CLIPVIEWER_DATABASE_URL=url),
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        try:
            assert "Running jobs" in worker.stdout.readline()
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(timeout=15) == 0
        finally:
            worker.kill()


def test_adopt_says_what_it_found_and_a_dry_run_does_nothing(tmp_path: Path) -> None:
    with running_bucket(SECRET, tmp_path / "store") as bucket:
        port = str(urlsplit(bucket._client.meta.endpoint_url).port)
        bucket.put("talks/a.mp4", b"a film", "video/mp4")
        bucket.put("talks/a.de.vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nHallo\n", "text/vtt")
        bucket.put("talks/notes.txt", b"notes", "text/plain")
        settings = {"CLIPVIEWER_SECRET_KEY": SECRET, "CLIPVIEWER_PORT": port}
        dry = run(tmp_path / "data", "adopt", "talks/", "--dry-run", **settings)
        first = run(tmp_path / "data", "adopt", "talks/", **settings)
        again = run(tmp_path / "data", "adopt", "talks/", **settings)
        wrong = run(tmp_path / "data", "adopt", "../x", **settings)
    assert dry.stdout.splitlines() == [
        "talks/: 3 objects",
        "  1 video, 1 caption file",
        "    talks/a.mp4",
        "    talks/a.de.vtt",
        "  Left out, 1: neither video nor captions",
    ]
    assert "  1 video, 1 caption file imported" in first.stdout
    assert "  Nothing new\n  2 already in the library" in again.stdout
    assert (wrong.returncode, wrong.stderr.startswith("clipviewer: This is not a valid prefix")) == (1, True)
