"""One PostgreSQL server per test run, whatever the number of workers: the first that needs it starts it, the last one stops it.

Every user of the server holds a shared lock on its file ``users``. ``python -m tests.postgres FOLDER`` runs the server until it gets that
lock exclusively. The system drops the locks of a process however it ends, so a killed run leaves no server behind.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from clipviewer.db.session import Database
from tests.system_packages import postgres_bin

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "template"
PATIENCE = 30

_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
_EMPTY = """
DO $$ DECLARE place record; filled boolean; BEGIN
  FOR place IN SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename NOT IN ('alembic_version', 'dbos_migrations') LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', place.name) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %s', place.name); END IF;
  END LOOP;
  PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""


class WorkerDatabase:
    """A worker's migrated database, emptied between tests: that takes 2 ms, creating a new one 80 ms."""

    def __init__(self, folder: Path, name: str) -> None:
        administer(folder, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        self.url = url_of(folder, name)
        self._folder, self._name = folder, name
        self._connection = self._connect()

    def empty(self) -> None:
        """Delete every row once no connection is open; close what stays open, and fail the test that left it so."""
        try:
            left = self._wait_until_left_alone()
        except psycopg.OperationalError:  # a test of lost connections closes this one too
            self._connection = self._connect()
            left = self._wait_until_left_alone()
        self._connection.execute(_EMPTY)
        if left:
            pytest.fail(f"the test left {left} connections to the database open")

    def close(self) -> None:
        self._connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(host=str(self._folder), user="postgres", dbname=self._name, autocommit=True)
        connection.execute("SET session_replication_role = replica")  # skip triggers and foreign keys, since all rows are deleted
        return connection

    def _wait_until_left_alone(self) -> int:
        """Wait for the other connections to end; after ``PATIENCE`` s, end them and return how many there were."""
        deadline = time.monotonic() + PATIENCE
        while left := self._connection.execute(f"SELECT pid {_OTHERS}").fetchall():
            if time.monotonic() > deadline:
                self._connection.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}")
                return len(left)
            time.sleep(0.01)
        return 0


@contextmanager
def shared_server(run_folder: Path) -> Iterator[Path]:
    """Yield the folder of the run's server and keep the server running meanwhile; ``run_folder`` is shared by the workers."""
    note = run_folder / "postgres"
    with (run_folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = Path(note.read_text()) if note.exists() else None
        users = None if folder is None else _join(folder)
        if users is None:
            folder, users = _start()
            note.write_text(str(folder))
        fcntl.flock(lock, fcntl.LOCK_UN)
    assert folder is not None
    try:
        yield folder
    finally:
        os.close(users)


def administer(folder: Path, statement: str) -> None:
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


def url_of(folder: Path, name: str) -> str:
    return f"postgresql+psycopg://postgres@/{name}?host={folder}"


def _join(folder: Path) -> int | None:
    """Take a shared lock on the running server; return None if it is stopping."""
    try:
        users = os.open(folder / "users", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(users)
        return None
    return users


def _start() -> tuple[Path, int]:
    binaries = postgres_bin()
    if binaries is None:
        pytest.fail("PostgreSQL is missing: install it (Debian: apt-get install postgresql), the database tests run on it too")
    folder = Path(tempfile.mkdtemp(prefix="clipviewer-pg-"))
    (folder / "users").touch()
    users = _join(folder)
    assert users is not None
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    initdb = ["initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run(_as_owner(binaries, initdb), check=True, capture_output=True, cwd=folder)
    with (folder / "log").open("wb") as log:
        subprocess.run([sys.executable, "-m", "tests.postgres", str(folder)], cwd=ROOT, check=True, stdout=log, stderr=log)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            administer(folder, f"CREATE DATABASE {TEMPLATE}")
            break
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                pytest.fail("PostgreSQL did not start: " + (folder / "log").read_text()[-2000:])
            time.sleep(0.05)
    database = Database(url_of(folder, TEMPLATE))
    database.migrate()
    database.dispose()
    return folder, users


def _as_owner(binaries: Path, command: list[str]) -> list[str]:
    """Return the PostgreSQL command run as a user it accepts (it refuses root); the process ends with its parent."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        prefix = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "--pdeathsig=INT"]
    return [*prefix, str(binaries / command[0]), *command[1:]]


def _keep(folder: Path) -> None:
    """Run a server in ``folder`` in the background until nobody uses it, then remove it."""
    if os.fork():
        return
    os.setsid()
    binaries = postgres_bin()
    assert binaries is not None
    options = {"listen_addresses": "", "unix_socket_directories": str(folder), "max_connections": "200"}
    options |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
    switches = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen(_as_owner(binaries, ["postgres", "-D", str(folder / "data"), *switches]), cwd=folder)
    with (folder / "users").open() as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        server.send_signal(signal.SIGINT)
        server.wait(timeout=PATIENCE)
        shutil.rmtree(folder)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
