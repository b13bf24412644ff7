"""A database on a small disk that fills up. Arguments: the folder of the disk. Prints what works."""

from __future__ import annotations

import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from clipviewer.db.session import Database
from clipviewer.services import audit
from clipviewer.services.disk import Disk, is_full_error


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (1024**2, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass


def write(database: Database) -> None:
    """Write more than fits into what SQLite has already reserved."""
    with database.write() as db:
        for number in range(2_000):
            audit.record(db, "sign_in", actor=f"user_{number}", subject="x" * 500)


def main(folder: str) -> None:
    database, disk = Database(f"sqlite:///{folder}/clipviewer.db"), Disk(Path(folder))
    database.migrate()
    assert not disk.keep_reserve()
    fill(Path(folder) / "other")
    print("full: the reserve is", "there" if (Path(folder) / "reserve").exists() else "gone")
    try:
        write(database)
    except SQLAlchemyError as error:
        print("refused: the disk is full" if is_full_error(error) else f"refused: {error}")
    assert disk.keep_reserve()
    write(database)
    print("written")
    (Path(folder) / "other").unlink()
    assert not disk.keep_reserve()
    print("space again: the reserve is", "back" if (Path(folder) / "reserve").exists() else "gone")
    database.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
