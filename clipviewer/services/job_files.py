"""Where jobs keep their files: a folder for exports, one for every other job, and DBOS's own database beside an SQLite one."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from clipviewer.errors import StartupError
from clipviewer.settings import Settings


def job_folders(settings: Settings) -> tuple[Path, Path]:
    """Return the folder of exports, and that of the other jobs."""
    return settings.data_dir / "exports", settings.data_dir / "work"


def queues_file(settings: Settings) -> Path:
    """Return DBOS's database, if ours is SQLite."""
    return settings.data_dir / "jobs.db"


def prepare_job_files(settings: Settings) -> None:
    """Create the folders. Raises ``StartupError`` with what to do if jobs cannot run."""
    for folder in job_folders(settings):
        try:
            prepare_folder(folder)
        except OSError as error:
            raise StartupError(f"Jobs cannot run: {folder} is not a folder that can be written to ({error.strerror}).") from error
    if not settings.database_url.startswith("sqlite"):
        return
    path = queues_file(settings)
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        told = f"Jobs cannot run: {path} cannot be read ({error}). Delete that file and start again: no job is lost."
        raise StartupError(told) from error


def prepare_folder(folder: Path) -> None:
    """Create the folder if needed, and write to it. Raises ``OSError``."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
    probe = folder / ".writable"
    probe.touch()
    probe.unlink()
