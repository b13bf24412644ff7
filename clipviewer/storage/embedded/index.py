"""The index of the embedded store: one SQLite file with every object, upload and part, and their files.

An upload becomes visible, whole or not at all, when this index changes. Keys sort by their UTF-8 bytes, as in S3. Everything here
blocks: call it from a thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.files import Blob

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    key TEXT PRIMARY KEY, size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL, headers TEXT NOT NULL, blobs TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS upload (id TEXT PRIMARY KEY, key TEXT NOT NULL, headers TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS part (
    upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE, number INTEGER NOT NULL,
    blob TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified INTEGER NOT NULL,
    PRIMARY KEY (upload, number)
);
"""
_OBJECT = "key, size, etag, modified, headers, blobs"


@dataclass(frozen=True, slots=True)
class Entry:
    """An object. ``etag`` has no quotes; ``modified`` is UTC in whole seconds; ``headers`` are returned unchanged."""

    key: str
    size: int
    etag: str
    modified: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    blobs: Sequence[Blob] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload in progress."""

    id: str
    key: str
    created: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    blob: Blob
    etag: str
    modified: datetime


class Index:
    """The SQLite file at ``path``. One writer at a time; readers never wait for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        path.touch(mode=0o600)
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._writer.executescript(_SCHEMA)

    def close(self) -> None:
        """Close every connection. No other call may be running."""
        with self._lock:
            self._writer.close()
        while not self._readers.empty():
            self._readers.get().close()

    def get(self, key: str) -> Entry | None:
        with self._reading() as connection:
            return _entry_at(connection, key)

    def keys(self, first: str, after: bool, end: str | None, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries in order, without headers and files: from ``first`` (or ``after`` it), before ``end``."""
        sign = ">" if after else ">="
        bound, values = ("", (first, limit)) if end is None else (" AND key < ?", (first, end, limit))
        query = f"SELECT key, size, etag, modified FROM object WHERE key {sign} ?{bound} ORDER BY key LIMIT ?"  # noqa: S608 - fixed text
        with self._reading() as connection:
            return [Entry(key, size, etag, _moment(modified)) for key, size, etag, modified in connection.execute(query, values)]

    def put(self, entry: Entry, allow: Callable[[Entry | None], None], upload: str | None = None) -> Sequence[Blob]:
        """Store ``entry`` under its key unless ``allow`` raises on the current entry; return the files that are no longer used.

        With ``upload``, that upload ends in the same transaction; raises ``S3Failure`` (InvalidPart) if the files are no longer its parts.
        """
        with self._writing() as connection:
            before = _entry_at(connection, entry.key)
            allow(before)
            freed = list(before.blobs) if before else []
            if upload is not None:
                parts = _end_upload(connection, upload)
                if not set(entry.blobs) <= set(parts):
                    raise S3Failure("InvalidPart")
                freed += parts
            blobs = json.dumps([[blob.name, blob.size] for blob in entry.blobs])
            connection.execute(
                f"INSERT OR REPLACE INTO object ({_OBJECT}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - fixed text
                (entry.key, entry.size, entry.etag, _stamp(entry.modified), json.dumps(dict(entry.headers)), blobs),
            )
        kept = {blob.name for blob in entry.blobs}
        return [blob for blob in freed if blob.name not in kept]

    def delete(self, keys: Sequence[str]) -> Sequence[Blob]:
        """Delete the objects; return the files that are no longer used."""
        freed: list[Blob] = []
        with self._writing() as connection:
            for key in keys:
                before = _entry_at(connection, key)
                if before:
                    freed += before.blobs
                    connection.execute("DELETE FROM object WHERE key = ?", (key,))
        return freed

    def start_upload(self, upload: Upload) -> None:
        with self._writing() as connection:
            row = (upload.id, upload.key, json.dumps(dict(upload.headers)), _stamp(upload.created))
            connection.execute("INSERT INTO upload (id, key, headers, created) VALUES (?, ?, ?, ?)", row)

    def upload(self, upload_id: str) -> Upload | None:
        with self._reading() as connection:
            row = connection.execute("SELECT id, key, created, headers FROM upload WHERE id = ?", (upload_id,)).fetchone()
        return None if row is None else Upload(row[0], row[1], _moment(row[2]), json.loads(row[3]))

    def uploads(self, prefix: str) -> list[Upload]:
        """Return the open uploads of keys that start with ``prefix``, by key and then by id."""
        with self._reading() as connection:
            rows = connection.execute("SELECT id, key, created FROM upload ORDER BY key, id").fetchall()
        return [Upload(row[0], row[1], _moment(row[2])) for row in rows if row[1].startswith(prefix)]

    def put_part(self, upload_id: str, part: Part) -> Sequence[Blob]:
        """Add or replace a part; return the files that are no longer used. Raises ``S3Failure`` (NoSuchUpload)."""
        with self._writing() as connection:
            if connection.execute("SELECT 1 FROM upload WHERE id = ?", (upload_id,)).fetchone() is None:
                raise S3Failure("NoSuchUpload")
            key = (upload_id, part.number)
            before = connection.execute("SELECT blob, size FROM part WHERE upload = ? AND number = ?", key).fetchall()
            row = (*key, part.blob.name, part.blob.size, part.etag, _stamp(part.modified))
            connection.execute("INSERT OR REPLACE INTO part (upload, number, blob, size, etag, modified) VALUES (?, ?, ?, ?, ?, ?)", row)
        return [Blob(*row) for row in before]

    def parts(self, upload_id: str) -> list[Part]:
        """Return the parts in ascending order."""
        query = "SELECT number, blob, size, etag, modified FROM part WHERE upload = ? ORDER BY number"
        with self._reading() as connection:
            rows = connection.execute(query, (upload_id,)).fetchall()
        return [Part(row[0], Blob(row[1], row[2]), row[3], _moment(row[4])) for row in rows]

    def end_upload(self, upload_id: str) -> Sequence[Blob]:
        """Abort an upload; return the files that are no longer used."""
        with self._writing() as connection:
            return _end_upload(connection, upload_id)

    def blob_names(self) -> set[str]:
        """Return the names of all files in use."""
        with self._reading() as connection:
            names = {name for (name,) in connection.execute("SELECT blob FROM part")}
            for (blobs,) in connection.execute("SELECT blobs FROM object"):
                names.update(name for name, _ in json.loads(blobs))
        return names

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._readers.get_nowait()
        except Empty:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._readers.put(connection)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=15, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        return connection


def _entry_at(connection: sqlite3.Connection, key: str) -> Entry | None:
    row: tuple[Any, ...] | None = connection.execute(f"SELECT {_OBJECT} FROM object WHERE key = ?", (key,)).fetchone()  # noqa: S608 - fixed text
    if row is None:
        return None
    blobs = [Blob(name, size) for name, size in json.loads(row[5])]
    return Entry(row[0], row[1], row[2], _moment(row[3]), json.loads(row[4]), blobs)


def _end_upload(connection: sqlite3.Connection, upload_id: str) -> list[Blob]:
    rows = connection.execute("SELECT blob, size FROM part WHERE upload = ?", (upload_id,)).fetchall()
    connection.execute("DELETE FROM upload WHERE id = ?", (upload_id,))
    return [Blob(*row) for row in rows]


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)
