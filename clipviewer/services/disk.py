"""The disk of the data directory: whether it is full, and a reserve that keeps the database writable when it is.

The reserve is a file. It is given up when other files have taken almost everything, so that people can still sign in and delete, and
laid by again once there is space. While it is gone, no job starts.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from psycopg.errors import DiskFull as PostgresDiskFull
from sqlalchemy.exc import DBAPIError

MIB = 1024**2
RESERVE = 8 * MIB
LOW = 8 * MIB
"""Free bytes below which the reserve is given up."""


def is_full_error(error: BaseException | None) -> bool:
    """Return whether the error, also one of the database, says that a disk is full or a quota used up."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, DBAPIError):
        return isinstance(error.orig, PostgresDiskFull) or getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return False


class Disk:
    """The disk of ``folder``. ``reserve`` and ``low`` are bytes."""

    def __init__(self, folder: Path, *, reserve: int = RESERVE, low: int = LOW) -> None:
        self._folder, self._path = folder, folder / "reserve"
        self._reserve, self._low = reserve, low

    def is_full(self) -> bool:
        """Return whether less than the reserve is left: too little to start anything."""
        return shutil.disk_usage(self._folder).free < self._low

    def keep_reserve(self) -> bool:
        """Give up the reserve or lay it by, as the free space requires; return whether the disk is full."""
        free = shutil.disk_usage(self._folder).free
        if self._path.exists():
            if free >= self._low:
                return False
            self._path.unlink(missing_ok=True)
            return True
        if free < self._reserve + 2 * self._low:
            return True
        try:
            self._path.touch(mode=0o600)
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._reserve)
        except OSError as error:
            self._path.unlink(missing_ok=True)
            return is_full_error(error)
        return False
