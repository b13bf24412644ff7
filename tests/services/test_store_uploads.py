"""Multipart uploads as boto3's client sends them, to stores that differ in their responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clipviewer.errors import StorageDenied
from clipviewer.settings import Settings
from clipviewer.storage.s3 import ObjectStore, StoredPart, open_store
from tests.storage.serving import KEYS

BEGUN = b"<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>"
NO_UPLOAD = b"<Error><Code>NoSuchUpload</Code></Error>"
ONE_PART = (
    b'<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><ETag>"e1"</ETag><Size>7</Size>'
    b"<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part></ListPartsResult>"
)
Answer = tuple[int, bytes, dict[str, str]]


class ReceivedRequests:
    """The requests a store received: method, query and body of each, and the checksum algorithm named."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bytes]] = []
        self.algorithms: list[str | None] = []


@contextmanager
def running_store(answer: Callable[[str, str, ReceivedRequests], Answer]) -> Iterator[tuple[ObjectStore, ReceivedRequests]]:
    received = ReceivedRequests()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = self.path.partition("?")[2]
            received.requests.append((self.command, query, body))
            received.algorithms.append(self.headers.get("x-amz-checksum-algorithm"))
            status, content, headers = answer(self.command, query, received)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        settings = Settings(data_dir=Path("unused"), database_url="", port=server.server_address[1])
        yield open_store(replace(settings), KEYS), received
    finally:
        server.shutdown()
        server.server_close()


def test_a_store_that_compares_checksums_is_sent_the_algorithm() -> None:
    with running_store(lambda *_: (200, BEGUN, {"x-amz-checksum-algorithm": "CRC32"})) as (store, received):
        assert store.start_upload("a.mp4", "video/mp4") == ("up-1", True)
    assert received.algorithms == ["CRC32"]


def test_a_store_that_ignores_checksums_is_not_relied_on() -> None:
    with running_store(lambda *_: (200, BEGUN, {})) as (store, _):
        assert store.start_upload("a.mp4", "video/mp4") == ("up-1", False)


@pytest.mark.parametrize(("status", "code"), [(501, "NotImplemented"), (400, "InvalidArgument"), (400, "InvalidRequest")])
def test_a_store_that_refuses_checksums_gets_none(status: int, code: str) -> None:
    refusal = f"<Error><Code>{code}</Code></Error>".encode()

    def answer(_method: str, _query: str, received: ReceivedRequests) -> Answer:
        return (status, refusal, {}) if received.algorithms[-1] else (200, BEGUN, {})

    with running_store(answer) as (store, received):
        assert store.start_upload("a.mp4", "video/mp4") == ("up-1", False)
    assert received.algorithms[-1] is None


def test_a_store_that_denies_uploads_is_not_asked_twice() -> None:
    with (
        running_store(lambda *_: (403, b"<Error><Code>AccessDenied</Code></Error>", {})) as (store, received),
        pytest.raises(StorageDenied),
    ):
        store.start_upload("a.mp4", "video/mp4")
    assert len(received.requests) == 1


def test_the_checksums_listed_by_a_store_are_sent_on_completion() -> None:
    done = b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
    with running_store(lambda method, *_: (200, ONE_PART if method == "GET" else done, {})) as (store, received):
        parts = store.parts("a.mp4", "up-1")
        assert parts == [StoredPart(1, 7, '"e1"', "y/Q5Jg==")]
        store.finish_upload("a.mp4", "up-1", parts)
    assert b"<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32>" in received.requests[-1][2]


def test_an_abort_is_repeated_until_no_part_is_left() -> None:
    def answer(method: str, _query: str, received: ReceivedRequests) -> Answer:
        aborts = [request for request in received.requests if request[0] == "DELETE"]
        if method == "DELETE":
            return (204, b"", {})
        return (200, ONE_PART, {}) if len(aborts) < 2 else (404, NO_UPLOAD, {})

    with running_store(answer) as (store, received):
        store.abort_upload("a.mp4", "up-1")
    assert [method for method, *_ in received.requests] == ["DELETE", "GET", "DELETE", "GET"]


def test_aborting_a_missing_upload_succeeds() -> None:
    with running_store(lambda *_: (404, NO_UPLOAD, {})) as (store, received):
        store.abort_upload("a.mp4", "up-1")
    assert len(received.requests) == 1
