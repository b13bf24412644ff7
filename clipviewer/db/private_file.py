"""SQLite files that only their owner can read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def make_private(path: Path) -> None:
    """Give a database file, which is created if it is missing, mode 0600. SQLite gives its journal files the mode of the database."""
    path.touch(mode=0o600)
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        with suppress(FileNotFoundError):
            file.chmod(0o600)
