"""A start that cannot succeed: one sentence that says what to do, and exit code 2. Nothing in the data directory changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clipviewer.cli import main
from clipviewer.db.session import Database
from clipviewer.settings import load_settings
from clipviewer.startup import open_database
from tests.browser.running_app import free_port

ROOT = Path(__file__).parents[2]
OWN = """
import signal, sys
from pathlib import Path
from clipviewer import startup
from clipviewer.errors import StartupError
try:
    startup.own_data_dir(Path(sys.argv[1]), wait="--wait" in sys.argv)
except StartupError as error:
    sys.exit(f"clipviewer: {error.detail}")
print("owned", flush=True)
signal.pause()
"""

Start = Callable[..., tuple[int, str]]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Start:
    """Return a function that runs a command over ``tmp_path`` that says one sentence only, and returns its exit code and the sentence."""

    def start(*arguments: str, **settings: str) -> tuple[int, str]:
        given = {"CLIPVIEWER_DATA_DIR": str(tmp_path), "CLIPVIEWER_PORT": "9", **settings}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        code = main(arguments)
        printed, said = capsys.readouterr()
        assert printed == ""
        assert "Traceback" not in said
        assert len(said.splitlines()) == 1, said
        return code, said

    return start


@contextmanager
def owner(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A process that owns ``folder``, or waits to, until it is killed."""
    command = [sys.executable, "-c", OWN, str(folder), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_data_directory_has_one_owner_until_that_process_ends(tmp_path: Path, start: Start) -> None:
    with owner(tmp_path) as first:
        assert line(first) == "owned\n"
        for command in ("serve", "dev"):
            code, said = start(command)
            assert (code, f"in use by another clipviewer (process {first.pid})" in said, "--wait" in said) == (2, True, True)
        with owner(tmp_path, "--wait") as second:
            assert f"process {first.pid}" in line(second)
            first.send_signal(signal.SIGKILL)
            assert line(second) == "owned\n"
            assert str(second.pid) in start("serve")[1]


def test_the_small_commands_run_beside_the_owner(tmp_path: Path) -> None:
    with owner(tmp_path) as process:
        assert line(process) == "owned\n"
        environment = {**os.environ, "CLIPVIEWER_DATA_DIR": str(tmp_path)}
        assert subprocess.run([sys.executable, "-m", "clipviewer", "token", "list"], cwd=ROOT, env=environment, check=False).returncode == 0


def set_revision(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


@pytest.mark.parametrize(
    ("revision", "said"), [("9999", "This data was written by a newer clipviewer"), ("ab12cd", "not of this clipviewer")]
)
def test_a_schema_of_another_release_is_one_sentence_and_stays(revision: str, said: str, start: Start, database: Database) -> None:
    before = read_revision(database)
    set_revision(database, revision)
    try:
        for command in (["token", "list"], ["serve"]):
            url = database.engine.url.render_as_string(hide_password=False)
            code, told = start(*command, CLIPVIEWER_DATABASE_URL=url, CLIPVIEWER_PORT=str(free_port()))
            assert (code, said in told, revision in told) == (2, True, True)
        assert read_revision(database) == revision
    finally:
        set_revision(database, before)


def read_revision(database: Database) -> str:
    with database.engine.connect() as connection:
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


@pytest.mark.parametrize("content", [b"this is no database at all, but something else" * 50, None], ids=["another file", "a folder"])
def test_an_unreadable_database_is_one_sentence_and_stays(content: bytes | None, start: Start, tmp_path: Path) -> None:
    path = tmp_path / "clipviewer.db"
    path.mkdir() if content is None else path.write_bytes(content)
    code, said = start("token", "list")
    assert (code, "the database cannot be opened" in said) == (2, True)
    assert content is None or path.read_bytes() == content


@pytest.mark.parametrize("content", [b"\xff\xfe not a key", b"", None], ids=["binary", "empty", "a folder"])
def test_an_unreadable_secret_key_is_one_sentence_that_names_it(content: bytes | None, start: Start, tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    path.mkdir() if content is None else path.write_bytes(content)
    for command in (["token", "list"], ["serve"]):
        code, said = start(*command, CLIPVIEWER_PORT=str(free_port()))
        assert (code, str(path) in said) == (2, True)
    assert not (tmp_path / "clipviewer.db").exists()


@pytest.mark.parametrize("name", ["exports", "work", "jobs.db"])
def test_a_start_that_could_run_no_jobs_is_one_sentence_that_names_the_file(name: str, start: Start, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no folder, and no database either" * 50)
    code, said = start("serve")
    assert (code, str(tmp_path / name) in said) == (2, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_secret_key_of_somebody_else_is_one_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch(0o000)
    code, said = start("token", "list")
    assert (code, "cannot be read" in said) == (2, True)


def test_a_migration_is_announced_only_when_it_begins(tmp_path: Path) -> None:
    settings, told = load_settings({"CLIPVIEWER_DATA_DIR": str(tmp_path)}, tmp_path), []
    for expected in (["begins"], ["begins"]):
        open_database(settings, lambda: told.append("begins")).dispose()
        assert told == expected
