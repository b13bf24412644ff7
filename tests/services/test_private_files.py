"""Databases are readable by their owner only, also those that an earlier version has left open to others."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from clipviewer import startup
from clipviewer.errors import StartupError
from clipviewer.services.disk import Disk
from clipviewer.settings import load_settings


def test_a_database_and_its_journal_are_private(tmp_path: Path) -> None:
    file = tmp_path / "clipviewer.db"
    file.touch(mode=0o644)
    settings = load_settings({"CLIPVIEWER_DATA_DIR": str(tmp_path)}, tmp_path)
    database = startup.open_database(settings)
    try:
        with database.read() as db:
            db.connection().exec_driver_sql("SELECT 1")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("clipviewer.db*")}
    finally:
        database.dispose()
    assert modes == dict.fromkeys(("clipviewer.db", "clipviewer.db-wal", "clipviewer.db-shm"), 0o600)


def test_a_database_in_a_folder_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    settings = load_settings({"CLIPVIEWER_DATABASE_URL": f"sqlite:///{tmp_path}/missing/clipviewer.db"}, tmp_path)
    with pytest.raises(StartupError, match=r"^CLIPVIEWER_DATABASE_URL: the database cannot be opened \(No such file or directory\)\.$"):
        startup.open_database(settings)


def test_the_reserve_of_disk_space_is_private(tmp_path: Path) -> None:
    Disk(tmp_path, reserve=4096, low=0).keep_reserve()
    assert stat.S_IMODE((tmp_path / "reserve").stat().st_mode) == 0o600
