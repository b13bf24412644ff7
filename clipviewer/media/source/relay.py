"""Serve a source in the store to a local ffmpeg, so that its presigned URL stays out of the process list.

What was read is kept until the end, so that analysing and then rendering reads it from the store once.
"""

from __future__ import annotations

import re
import secrets
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType

from clipviewer.errors import ClipviewerError
from clipviewer.media.source.stored_source import SourceReader, StoredSource

_SEND_BUFFER = 128 * 1024
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})", re.ASCII)


class SourceRelay:
    """Serves ``source`` at ``address`` on the loopback interface, under an unguessable path, until it is closed.

    ``folder`` holds what is kept. Raises what ``source.address`` raises.
    """

    def __init__(self, source: StoredSource, folder: Path) -> None:
        self._reader = SourceReader(source, folder)
        self._path = f"/{secrets.token_urlsafe(24)}"
        self._server = _Server(self._reader, self._path)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="source relay", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    @property
    def bytes_read(self) -> int:
        """Bytes read from the store."""
        return self._reader.bytes_read

    @property
    def failure(self) -> ClipviewerError | None:
        """Why the store does not deliver, or why the last read failed."""
        return self._reader.failure

    def size(self) -> int:
        """The source's size in bytes."""
        return self._reader.size()

    def read(self, offset: int) -> bytes:
        """Read as ``SourceReader.read`` does."""
        return self._reader.read(offset)

    def close(self) -> None:
        """End every running read. Safe to call twice."""
        if self._thread.is_alive():
            self._reader.close()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server.hang_up()

    def __enter__(self) -> SourceRelay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self, reader: SourceReader, path: str) -> None:
        self.reader, self.path = reader, path
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
        """Ignore errors: the reader keeps the reason, and a client that disconnects is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        reader = self.server.reader
        if not secrets.compare_digest(self.path.encode(), self.server.path.encode()):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        size = reader.size()
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
            data = reader.read(first)[: last - first + 1]
            self.wfile.write(data)
            first += len(data)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the path is a secret."""
