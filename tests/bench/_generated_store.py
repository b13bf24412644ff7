"""A store with generated objects: ``python -m tests.bench._generated_store PORT COUNT`` lists COUNT videos without content."""

from __future__ import annotations

import contextlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PAGE = 1_000
_OBJECT = (
    "<Contents><Key>videos/{0:06}.mp4</Key><LastModified>2025-10-05T12:00:00.000Z</LastModified><ETag>&quot;{0:032x}&quot;</ETag>"
    "<Size>1000000</Size><StorageClass>STANDARD</StorageClass></Contents>"
)


class GeneratedStore(BaseHTTPRequestHandler):
    """Handler that lists the objects and returns zeros as their content."""

    protocol_version = "HTTP/1.1"
    count = 0

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if "list-type" not in asked:
            self._answer(206, bytes(1_000), "video/mp4")
            return
        first = int(asked.get("continuation-token", ["0"])[0])
        prefix = asked.get("prefix", [""])[0]
        count = {"exports/": 0, "videos/0000": 100}.get(prefix, self.count)
        last = min(first + _PAGE, count)
        more = f"<NextContinuationToken>{last}</NextContinuationToken>" if last < count else ""
        objects = "".join(map(_OBJECT.format, range(first, last)))
        body = (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{str(last < count).lower()}</IsTruncated>{more}{objects}</ListBucketResult>"
        )
        self._answer(200, body.encode(), "application/xml")

    def do_HEAD(self) -> None:
        self.send_response(200)
        for name, value in (("Content-Length", "1000000"), ("ETag", '"0"'), ("Last-Modified", "Sun, 05 Oct 2025 12:00:00 GMT")):
            self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            super().handle()

    def log_message(self, *_: object) -> None:
        return

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    GeneratedStore.count = int(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), GeneratedStore).serve_forever()
