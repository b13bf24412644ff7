"""A source in the store, lent to ffmpeg on this machine: its signed URL stays out of the list of processes.

What was read once is kept until the end, so that looking at footage first and rendering it afterwards reads it from the store once.
"""

from __future__ import annotations

import re
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import IO
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from clipviewer.errors import (
    ClipviewerError,
    ObjectMissing,
    PreconditionFailed,
    StorageDenied,
    StorageError,
    StorageUnreachable,
)

BLOCK = 256 * 1024
MOST_BLOCKS = 8
KEPT_BYTES = 8 * 1024**3

_TIMEOUT = urllib3.Timeout(connect=5, read=10)
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_SEND_BUFFER = 128 * 1024
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)


class SourceRelay:
    """Serves one ``url`` at ``address`` on the loopback interface, under a path that nobody can guess, until it is closed.

    ``folder`` has the room for what is kept; the file has no name there, and is gone with the process. ``bytes_read`` counts what
    came from the store. After a read that failed, ``failure`` says why: a ``StorageError`` with a sentence for people.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.bytes_read = 0
        self.failure: ClipviewerError | None = None
        self._url = url
        self._pool = _pool(url)
        self._path = f"/{secrets.token_urlsafe(24)}"
        self._kept: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the relay
        self._blocks: set[int] = set()
        self._size: int | None = None
        self._etag = ""
        self._run = 1
        self._lock, self._closed = Lock(), Event()
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="source relay", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    def close(self) -> None:
        """End every read that is under way. Safe to call twice."""
        if not self._closed.is_set():
            self._closed.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server.hang_up()
            if not self._lock.locked():
                self._discard()

    def __enter__(self) -> SourceRelay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def serves(self, path: str) -> bool:
        return secrets.compare_digest(path.encode(), self._path.encode())

    def size(self) -> int:
        """Bytes of the source."""
        with self._reading():
            if self._size is None:
                self._fetch(0, 1)
            return self._size or 0

    def read(self, offset: int) -> bytes:
        """What lies at ``offset``, up to a few MiB; empty at the end. Raises ``StorageError``, and keeps it as ``failure``."""
        with self._reading():
            number = offset // BLOCK
            if number in self._blocks:
                self._kept.seek(offset)
                return self._kept.read(BLOCK - offset % BLOCK)
            self._run = min(self._run * 2, MOST_BLOCKS) if number - 1 in self._blocks else 1
            count = next((ahead for ahead in range(1, self._run) if number + ahead in self._blocks), self._run)
            return self._fetch(number * BLOCK, count)[offset % BLOCK :]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One read at a time. The store may keep one waiting longer than ``close`` may take: it then clears up itself."""
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
            except (urllib3.exceptions.HTTPError, _Unwell) as error:
                self.failure = StorageUnreachable("The storage does not send the source: check that it runs, then retry.")
                if pause is None or self._closed.wait(pause):
                    raise self.failure from error
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
        answer = self._pool.request("GET", self._url, headers=headers, redirect=False, retries=False, preload_content=False)
        try:
            found = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if answer.status != HTTPStatus.PARTIAL_CONTENT or found is None or int(found[1]) != first:
                raise _refusal(answer.status)
            wanted = min(last, int(found[3]) - 1) - first + 1
            data = bytearray()
            while len(data) < wanted and (piece := answer.read(64 * 1024)):
                self.bytes_read += len(piece)
                data += piece
                if self._closed.is_set():
                    raise StorageUnreachable
            if len(data) != wanted:
                raise _Unwell
        finally:
            answer.close()
        self._size, self._etag = int(found[3]), answer.headers.get("ETag", "")
        return bytes(data)

    def _keep(self, start: int, data: bytes) -> None:
        if len(self._blocks) * BLOCK >= KEPT_BYTES:
            return
        try:
            self._kept.seek(start)
            self._kept.write(data)
            self._kept.flush()
        except OSError as error:
            self.failure = StorageError("The disk of this machine is full: make room for the render, then retry.")
            raise self.failure from error
        self._blocks.update(range(start // BLOCK, -(-(start + len(data)) // BLOCK)))


class _Unwell(Exception):
    """An answer that may be better next time."""


def _refusal(status: int) -> Exception:
    match status:
        case HTTPStatus.NOT_FOUND:
            return ObjectMissing("The source is no longer in the bucket.")
        case HTTPStatus.FORBIDDEN | HTTPStatus.UNAUTHORIZED:
            return StorageDenied("The storage refuses the source: its address has expired, or the policy of the bucket forbids it. Retry.")
        case HTTPStatus.PRECONDITION_FAILED:
            return PreconditionFailed("The source was replaced while it was read: export again.")
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return StorageError("The source is empty.")
        case status if status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS:
            return _Unwell()
    return StorageError("The storage does not serve parts of an object (byte ranges), so no clip can be read from it.")


def _pool(url: str) -> urllib3.PoolManager:
    """Connections as the rest of the machine makes them: through its proxy, where it names one."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy, maxsize=2, timeout=_TIMEOUT)
    return urllib3.PoolManager(maxsize=2, timeout=_TIMEOUT)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, relay: SourceRelay) -> None:
        self.relay = relay
        self._opened: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def hang_up(self) -> None:
        for connection in list(self._opened):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
            self._opened.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        self._opened.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: why a read failed is kept by the relay, and a reader that hangs up is none."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        relay = self.server.relay
        if not relay.serves(self.path):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        size = relay.size()
        wanted = _RANGE.fullmatch(self.headers.get("Range", "")) or re.fullmatch("(0)()", "0")
        first = int(wanted[1]) if wanted else 0
        last = min(int(wanted[2]), size - 1) if wanted and wanted[2] else size - 1
        if first > last:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.end_headers()
            return
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        while first <= last:
            data = relay.read(first)[: last - first + 1]
            self.wfile.write(data)
            first += len(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the path is a secret."""
