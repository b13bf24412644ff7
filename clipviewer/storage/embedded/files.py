"""The files of the embedded store: write-once, with random names, so that a key never becomes a path.

``incoming/`` holds uploads in progress, ``data/xx/`` complete files. A file counts only once the index names it; others are removed when
the store opens. Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipviewer.storage.embedded.errors import S3Failure

KEPT_FREE = 12 * 1024**2
"""Bytes of the disk that objects leave free, so that the database can still be written."""


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of ``size`` bytes. A multipart object has several."""

    name: str
    size: int


class Files:
    """The private folder ``root`` and its files."""

    def __init__(self, root: Path) -> None:
        self._incoming = root / "incoming"
        self._data = root / "data"
        for folder in (root, self._incoming, self._data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        self._lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def sole_user(self) -> bool:
        """Return whether no other process has the folder open. If so, none can open it until ``share`` is called."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Share the folder with other processes, waiting for one that is removing leftovers."""
        fcntl.flock(self._lock, fcntl.LOCK_SH)

    def close(self) -> None:
        os.close(self._lock)

    def path(self, name: str) -> Path:
        return self._data / name[:2] / name

    def create(self) -> Incoming:
        """Create a new, empty file that the index does not name yet."""
        name = secrets.token_hex(16)
        return Incoming(self._incoming / name, self.path(name))

    def clone(self, blobs: Sequence[Blob]) -> list[Blob]:
        """Duplicate blobs under new names, by hard links where the file system has them."""
        made: list[Blob] = []
        try:
            for blob in blobs:
                name = secrets.token_hex(16)
                made.append(Blob(name, blob.size))
                target = self.path(name)
                target.parent.mkdir(mode=0o700, exist_ok=True)
                try:
                    os.link(self.path(blob.name), target)
                except FileNotFoundError:
                    raise
                except OSError:
                    shutil.copyfile(self.path(blob.name), target)
                _sync(target)
                _sync(target.parent)
        except OSError as error:
            self.remove(made)
            raise _failure(error) from error
        return made

    def remove(self, blobs: Collection[Blob]) -> None:
        for blob in blobs:
            self.path(blob.name).unlink(missing_ok=True)

    def sweep(self, kept: Collection[str]) -> int:
        """Delete every file whose name is not in ``kept``; return their number."""
        stale = [*self._incoming.iterdir(), *(path for path in self._data.glob("*/*") if path.name not in kept)]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)


class Incoming:
    """A file being received. ``finish`` makes it durable under its final name; ``discard`` removes it."""

    def __init__(self, path: Path, target: Path) -> None:
        self._path, self._target = path, target
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._descriptor = -1
        self.size = 0
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _failure(error) from error

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises ``S3Failure`` (InsufficientStorage) if the disk is almost full."""
        if shutil.disk_usage(self._path.parent).free < KEPT_FREE:
            raise S3Failure("InsufficientStorage")
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise _failure(error) from error
        self._md5.update(data)
        self.size += len(data)

    @property
    def md5(self) -> bytes:
        return self._md5.digest()

    def finish(self) -> Blob:
        """Flush to disk and move to the final name."""
        try:
            os.fsync(self._descriptor)
            self._close()
            self._target.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(self._path, self._target)
            _sync(self._target.parent)
        except OSError as error:
            raise _failure(error) from error
        return Blob(self._target.name, self.size)

    def discard(self) -> None:
        self._close()
        self._path.unlink(missing_ok=True)
        self._target.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Reader:
    """Reads ``length`` bytes from offset ``start`` of the concatenated blobs. The first file is opened at once.

    Raises ``FileNotFoundError`` if a file is gone.
    """

    def __init__(self, files: Files, blobs: Sequence[Blob], start: int, length: int) -> None:
        self._files = files
        self._blobs = list(blobs)
        self._descriptor = -1
        self._offset = start
        self.left = length
        while self._blobs and self._offset >= self._blobs[0].size:
            self._offset -= self._blobs.pop(0).size
        if self.left:
            self._open()

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes; empty only at the end."""
        if not self.left:
            return b""
        while self._offset >= self._blobs[0].size:
            self._offset = 0
            self._blobs.pop(0)
            self._open()
        data = os.pread(self._descriptor, min(size, self.left), self._offset)
        if not data:
            raise FileNotFoundError("a file of the store is shorter than its index states")
        self._offset += len(data)
        self.left -= len(data)
        return data

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        self.close()
        self._descriptor = os.open(self._files.path(self._blobs[0].name), os.O_RDONLY | os.O_CLOEXEC)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failure(error: OSError) -> Exception:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return S3Failure("InsufficientStorage") if full else error
