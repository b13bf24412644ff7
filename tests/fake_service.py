"""A fake JSON service on the loopback interface, for tests of the clients of outside services."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[int, bytes, dict[str, str]]]


class Service(ThreadingHTTPServer):
    """A server that returns ``answers`` in order and repeats the last; ``asked`` records path, Authorization and body of each request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None, dict[str, Any]]] = []
        self.answers: list[Answer] = [answer]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, self.headers["Authorization"], body))
        answers = self.server.answers
        status, answer, headers = (answers.pop(0) if len(answers) > 1 else answers[0])(body)
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(answer))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # the client may have stopped waiting
            self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing, so that test output shows failures only."""


@contextmanager
def running_service(answer: Answer) -> Iterator[Service]:
    """Run a service that responds with ``answer``."""
    with Service(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fixed_answer(status: int, body: bytes = b'{"error": "hidden-word"}', **headers: str) -> Answer:
    """Return an answer that is the same for every request; header names are written with ``_`` for ``-``."""
    return lambda asked: (status, body, {name.replace("_", "-"): value for name, value in headers.items()})
