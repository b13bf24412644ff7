"""Fixtures that every room shares: a database of each kind, and the services as the product composes them.

A test that takes ``database`` (or ``services``) runs twice, on SQLite and on PostgreSQL. One that is not about the database says
``@pytest.mark.parametrize("database", ["sqlite"], indirect=True)``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings

from clipviewer.db.session import Database
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from clipviewer.services.people.accounts import Accounts
from clipviewer.services.people.api_tokens import ApiTokens
from clipviewer.services.people.sessions import Sessions
from clipviewer.settings import load_settings
from clipviewer.storage.embedded.credentials import embedded_credentials
from clipviewer.storage.s3 import ObjectStore, open_store

SECRET = "a secret key that only the tests have"


hypothesis_settings.register_profile("clipviewer", deadline=None, derandomize=True)
hypothesis_settings.load_profile("clipviewer")


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = datetime(2025, 10, 5, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL of our own on a unix socket, with a migrated ``template``; gives the socket's folder."""
    binaries = _postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="clipviewer-pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        prefix = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "--pdeathsig=INT"]
    data = folder / "data"
    initdb = [*prefix, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
    options = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off", "synchronous_commit": "off"}
    switches = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*prefix, str(binaries / "postgres"), "-D", str(data), *switches], stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(folder, server)
        _administer(folder, "CREATE DATABASE template")
        database = Database(_postgres_url(folder, "template"))
        database.migrate()
        database.dispose()
        yield str(folder)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database of this test alone."""
    if request.param == "sqlite":
        path = tmp_path / "clipviewer.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.dispose()
        return
    folder = Path(request.getfixturevalue("postgres_server"))
    name = f"test_{uuid.uuid4().hex}"
    _administer(folder, f"CREATE DATABASE {name} TEMPLATE template")
    database = Database(_postgres_url(folder, name))
    yield database
    database.dispose()
    _administer(folder, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def unreachable_store(tmp_path_factory: pytest.TempPathFactory) -> ObjectStore:
    """A client of the embedded store at an address where nothing listens; made once, it takes half a second."""
    folder = tmp_path_factory.mktemp("store")
    return open_store(load_settings({"CLIPVIEWER_PORT": "9"}, folder), embedded_credentials(SECRET))


@pytest.fixture
def services(database: Database, tmp_path: Path, unreachable_store: ObjectStore) -> Services:
    """The services as the product composes them, over ``database``; put a store of your own in with ``dataclasses.replace``."""
    settings = load_settings({"CLIPVIEWER_DATA_DIR": str(tmp_path / "data"), "CLIPVIEWER_SECRET_KEY": SECRET}, tmp_path)
    store = unreachable_store
    return Services(
        settings=settings,
        database=database,
        store=store,
        signer=signer_for(settings, store),
        sessions=Sessions([SECRET]),
        accounts=Accounts(),
        api_tokens=ApiTokens(),
    )


def _postgres_binaries() -> Path:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    if not installed:
        pytest.fail("PostgreSQL is missing: install it (Debian: apt-get install postgresql), the database tests run on it too")
    return installed[-1].parent


def _wait_for(folder: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=30)
    while True:
        try:
            _administer(folder, "SELECT 1")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or datetime.now(UTC) > deadline:
                pytest.fail("PostgreSQL did not start: " + (folder / "log").read_text()[-2000:])


def _administer(folder: Path, statement: str) -> None:
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def _postgres_url(folder: Path, name: str) -> str:
    return f"postgresql+psycopg://postgres@/{name}?host={folder}"
