"""A small store whose responses to range requests a test defines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = Callable[[BaseHTTPRequestHandler, bytes, int, int], None]


@contextmanager
def range_server(data: bytes, answer: Answer) -> Iterator[str]:
    """Run a store that responds to each range request with ``answer(handler, data, first, last)``; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"])
            assert wanted is not None
            answer(self, data, int(wanted[1]), min(int(wanted[2]), len(data) - 1))

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.daemon_threads = True
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/bucket/clip.mp4?X-Amz-Signature=secret"
        finally:
            server.shutdown()


def send_range(handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int, sent: int | None = None, etag: str = '"one"') -> None:
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
    handler.send_header("Content-Length", str(last - first + 1))
    handler.send_header("ETag", etag)
    handler.end_headers()
    handler.wfile.write(data[first : last + 1][:sent])


def refuse_with(status: int) -> Answer:
    return lambda handler, data, first, last: handler.send_error(status)
