"""One anonymous client attacks a running server; the app keeps answering everybody else, and the log stays short."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlmodel import select

from clipviewer.db.models import AuditEntry
from clipviewer.domain.permissions import Role
from clipviewer.server import raise_open_file_limit
from clipviewer.services.people.sessions import COOKIE
from tests.faults.attacker import MALFORMED, Attacker, Bystander, is_open, resident_mib
from tests.state.serving import PROXY, Running, running_app

PASSWORD = "seven brown otters"
PATIENCE = 60


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    raise_open_file_limit()  # the attacker opens more than 1,024 sockets
    folder = tmp_path_factory.mktemp("attacked")
    with running_app(folder, module="tests.faults.hasty_server", CLIPVIEWER_TRUSTED_PROXIES=PROXY) as running:
        yield running


@pytest.fixture
def attacker(app: Running) -> Attacker:
    return Attacker(urlsplit(app.address).port or 0)


@pytest.fixture
def bystander(attacker: Attacker) -> Iterator[Bystander]:
    """Somebody elsewhere, who gets every answer. How soon is what ``python -m tests.bench attack`` measures."""
    bystander = Bystander(attacker.port)
    with bystander.watching():
        yield bystander
    assert bystander.failed == []


@pytest.fixture(autouse=True)
def _short_log_without_tracebacks(app: Running) -> Iterator[None]:
    logged = len(app.log())
    yield
    written = app.log()[logged:]
    assert "Traceback" not in written
    assert len(written.splitlines()) <= 8, written
    assert all(len(line) < 200 for line in written.splitlines()), written


def test_endless_headers_are_stopped(app: Running, attacker: Attacker, bystander: Bystander) -> None:
    before = resident_mib(app.pid)
    with ThreadPoolExecutor(4) as pool:
        attempts = list(pool.map(lambda _: attacker.send_endless_header(), range(4)))
    assert {answer.partition(b"\r\n")[0] for _, answer in attempts} <= {b"HTTP/1.1 431 Request Header Fields Too Large", b""}
    assert max(sent for sent, _ in attempts) < 40_000_000
    assert resident_mib(app.pid) - before < 50


def test_a_thousand_idle_connections_keep_nobody_out_and_are_closed(app: Running, attacker: Attacker, bystander: Bystander) -> None:
    before = resident_mib(app.pid)
    neighbour = Bystander(attacker.port, source="127.0.0.1")
    with attacker.holding(1_500) as connections:
        neighbour.ask()
        deadline = time.monotonic() + PATIENCE
        while any(map(is_open, connections)):
            assert time.monotonic() < deadline, "idle connections stay open"
            time.sleep(0.1)
    neighbour.ask()
    assert neighbour.failed == []
    assert resident_mib(app.pid) - before < 100


def test_malformed_frames_close_their_sockets(attacker: Attacker, bystander: Bystander) -> None:
    assert [attacker.send_malformed(frame) for frame in (*MALFORMED, *MALFORMED)] == [1007] * 2 * len(MALFORMED)
    assert attacker.send_long_handshake() == 431


def test_hanging_up_and_garbage_are_no_errors(attacker: Attacker, bystander: Bystander) -> None:
    for _ in range(20):
        attacker.hang_up()
        attacker.send_garbage()


def test_a_misspelt_prefix_imports_nothing(app: Running) -> None:
    with app.services.database.write() as db:
        token = app.services.api_tokens.create(db, "pipeline")
    with httpx.Client(base_url=app.address, headers={"Authorization": f"Bearer {token}"}) as client:
        refused = client.post("/api/library/adopt", json={"prefx": "talks/"})
        assert (refused.status_code, "prefx" in refused.text) == (422, True)
        assert client.get("/api/work").json() == {"work": []}


def test_guessing_locks_nobody_else_out_and_only_the_proxy_is_believed(app: Running, attacker: Attacker) -> None:
    ada, bob = (app.person(Role.VIEWER, password=PASSWORD) for _ in range(2))

    def sign_in(client: httpx.Client, email: str, password: str, **headers: str) -> int:
        client.cookies.clear()
        return client.post(f"{app.address}/api/auth/sign-in", json={"email": email, "password": password}, headers=headers).status_code

    with httpx.Client(timeout=PATIENCE) as office, httpx.Client(transport=httpx.HTTPTransport(local_address=PROXY)) as proxy:
        for number in range(51):
            forged = {"X-Forwarded-For": f"198.51.100.{number}"}
            assert sign_in(office, f"nobody{number}@example.org", "wrong", **forged) == 401
        assert sign_in(office, ada.email, PASSWORD) == 200
        while sign_in(office, bob.email, "wrong") != 429:
            pass
        assert sign_in(office, bob.email, PASSWORD) == 429
        assert sign_in(office, bob.email, PASSWORD, Cookie=bob.cookie) == 200
        assert sign_in(proxy, bob.email, PASSWORD, **{"X-Forwarded-For": "192.0.2.7"}) == 200
    with app.services.database.read() as db:
        addresses = {entry.address for entry in db.exec(select(AuditEntry))}
    assert addresses - {""} == {"127.0.0.1", "192.0.2.7"}


def test_a_foreign_scheme_is_refused(app: Running) -> None:
    headers = {"Origin": app.address.replace("http", "https"), "Cookie": f"{COOKIE}=x"}
    assert httpx.post(f"{app.address}/api/auth/sign-out", headers=headers).status_code == 403


def test_every_file_of_the_app_is_private_and_it_may_open_many(app: Running) -> None:
    databases = list(app.data_dir.glob("*.db*"))
    assert len(databases) >= 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in databases} == {0o600}
    (limit,) = (line for line in Path(f"/proc/{app.pid}/limits").read_text().splitlines() if line.startswith("Max open files"))
    soft, hard = limit.split()[3:5]
    assert soft == hard
