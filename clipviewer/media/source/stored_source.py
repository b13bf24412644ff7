"""Read an object of the store in ranges, with retries, and no byte twice."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from threading import Event, Lock
from typing import IO
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from clipviewer.domain.clock_skew import describe_skew
from clipviewer.errors import (
    ClipviewerError,
    DiskFull,
    ObjectMissing,
    PreconditionFailed,
    StorageClock,
    StorageDenied,
    StorageError,
    StorageUnreachable,
)

BLOCK = 256 * 1024
MOST_BLOCKS = 8
KEPT_BYTES = 8 * 1024**3

_TIMEOUT = urllib3.Timeout(connect=5, read=10)
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_SLOW_SECONDS, _TOO_SLOW_SECONDS = 8.0, 50.0  # Below the patience of who reads here: a probe waits 15 s, a render 60 s.
_AHEAD_SECONDS = 2.0
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredSource:
    """An object of the store. ``address`` returns a currently valid URL: reading may outlast one, or its credentials.

    ``etag``, without quotes, must still match the object; "" accepts any.
    """

    address: Callable[[], str]
    etag: str = ""


Source = StoredSource | str
"""What a clip is cut from: an object of the store, an http(s) URL, or a path."""


class SourceReader:
    """Reads ``source`` until it is closed, one thread at a time. What was read is kept in an unnamed file in ``folder``.

    ``bytes_read`` counts bytes from the store. While the store does not deliver, and after a failed read, ``failure`` says why, in a
    sentence for people. Raises what ``source.address`` raises.
    """

    def __init__(self, source: StoredSource, folder: Path) -> None:
        self.bytes_read = 0
        self.failure: ClipviewerError | None = None
        self._source = source
        self._pool = _pool(source.address())
        self._kept: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the reader
        self._blocks: set[int] = set()
        self._size: int | None = None
        self._etag = f'"{source.etag}"' if source.etag else ""
        self._run, self._quick = 1, True
        self._lock, self._closed = Lock(), Event()

    def close(self) -> None:
        """Refuse further reads, and end the running one as soon as the store allows. Safe to call twice."""
        if not self._closed.is_set():
            self._closed.set()
            if not self._lock.locked():
                self._discard()

    def size(self) -> int:
        """The source's size in bytes."""
        with self._reading():
            if self._size is None:
                self._fetch(0, 1)
            return self._size or 0

    def read(self, offset: int) -> bytes:
        """Return up to a few MiB from ``offset``; empty at the end. Raises ``StorageError``, and keeps it as ``failure``."""
        with self._reading():
            number = offset // BLOCK
            if number in self._blocks:
                self._kept.seek(offset)
                return self._kept.read(BLOCK - offset % BLOCK)
            self._run = min(self._run * 2, MOST_BLOCKS) if number - 1 in self._blocks and self._quick else 1
            count = next((ahead for ahead in range(1, self._run) if number + ahead in self._blocks), self._run)
            return self._fetch(number * BLOCK, count)[offset % BLOCK :]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Hold the reader for one read. The store may block longer than ``close`` may take; the read then cleans up itself."""
        try:
            with self._lock:
                if self._closed.is_set():
                    raise StorageUnreachable
                yield
        finally:
            if self._closed.is_set():
                self._discard()

    def _discard(self) -> None:
        with self._lock:
            self._pool.clear()
            self._kept.close()

    def _fetch(self, start: int, count: int) -> bytes:
        for pause in (*_PAUSES, None):
            try:
                data = self._request(start, start + count * BLOCK - 1)
            except (urllib3.exceptions.HTTPError, _RetryableResponse) as error:
                self.failure = StorageUnreachable("The storage does not send the source: check that it is running, then retry.")
                if pause is None or self._closed.wait(pause):
                    raise self.failure from error
            except StorageDenied as error:
                # Keys that are changed in the middle are not changed here and in the store at the very same moment.
                self.failure = error
                if pause is None or not self.bytes_read or self._closed.wait(pause):
                    raise
            except ClipviewerError as error:
                self.failure = error
                raise
            else:
                self.failure = None
                self._keep(start, data)
                return data
        raise AssertionError

    def _request(self, first: int, last: int) -> bytes:
        if self._closed.is_set():
            raise StorageUnreachable
        headers = {"Range": f"bytes={first}-{last}", "Accept-Encoding": "identity"}
        if self._etag:
            headers["If-Match"] = self._etag
        started = time.monotonic()
        answer = self._answer(headers)
        try:
            found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if answer.status != HTTPStatus.PARTIAL_CONTENT or found is None or int(found[1]) != first:
                raise _refusal(answer.status, answer.headers.get("Date", ""))
            etag = answer.headers.get("ETag", "").removeprefix("W/")
            if self._etag and etag and etag != self._etag:
                raise _refusal(HTTPStatus.PRECONDITION_FAILED)
            wanted = min(last, int(found[3]) - 1) - first + 1
            data = bytearray()
            while len(data) < wanted and (piece := answer.read1(64 * 1024)):
                self.bytes_read += len(piece)
                data += piece
                self._check_pace(time.monotonic() - started)
            if len(data) != wanted:
                raise _RetryableResponse
        finally:
            answer.close()
        self._size, self._etag = int(found[3]), self._etag or etag
        self._quick = time.monotonic() - started < _AHEAD_SECONDS
        return bytes(data)

    def _answer(self, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Return the store's response. A refusal counts only if a URL made after it is refused too."""
        address = self._source.address()
        answer = self._get(address, headers)
        if answer.status in _REFUSED and (renewed := self._source.address()) != address:
            answer.close()
            answer = self._get(renewed, headers)
        return answer

    def _get(self, address: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        return self._pool.request("GET", address, headers=headers, redirect=False, retries=False, preload_content=False)

    def _check_pace(self, seconds: float) -> None:
        """Check the pace between two pieces of a response, so that whoever gives up waiting learns why."""
        if self._closed.is_set():
            raise StorageUnreachable
        if seconds > _SLOW_SECONDS:
            self.failure = StorageUnreachable("The storage sends the source too slowly: check the network between them, then retry.")
        if seconds > _TOO_SLOW_SECONDS and self.failure is not None:
            raise self.failure

    def _keep(self, start: int, data: bytes) -> None:
        if len(self._blocks) * BLOCK >= KEPT_BYTES:
            return
        try:
            self._kept.seek(start)
            self._kept.write(data)
            self._kept.flush()
        except OSError as error:
            self.failure = DiskFull()
            raise self.failure from error
        self._blocks.update(range(start // BLOCK, -(-(start + len(data)) // BLOCK)))


class _RetryableResponse(Exception):
    """A response that may be better next time."""


def _refusal(status: int, date: str = "") -> Exception:
    match status:
        case HTTPStatus.NOT_FOUND:
            return ObjectMissing("The source is no longer in the bucket.")
        case status if status in _REFUSED and (skewed := describe_skew(date, datetime.now(UTC))):
            return StorageClock(f"{skewed}.")
        case status if status in _REFUSED:
            return StorageDenied("The storage refuses the source: check the server's credentials and the policy of the bucket, then retry.")
        case HTTPStatus.PRECONDITION_FAILED:
            return PreconditionFailed("The source was replaced while it was being read: export again.")
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return StorageError("The source is empty.")
        case status if status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS:
            return _RetryableResponse()
    return StorageError("The storage does not support byte ranges, so no clip can be read from it.")


def _pool(url: str) -> urllib3.PoolManager:
    """Make a connection pool through the machine's proxy, if it has one."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, maxsize=2, timeout=_TIMEOUT)
    return urllib3.PoolManager(maxsize=2, timeout=_TIMEOUT)
