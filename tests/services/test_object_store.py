from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)

from clipviewer.errors import (
    ObjectMissing,
    PreconditionFailed,
    SigningFailed,
    StartupError,
    StorageClock,
    StorageCredentials,
    StorageDenied,
    StorageError,
    StorageUnreachable,
)
from clipviewer.services.bucket.signing import signer_for
from clipviewer.settings import Settings
from clipviewer.storage.s3 import ObjectStore, open_store
from clipviewer.storage.s3_errors import from_client_error, translate_errors
from tests.storage.serving import KEYS, serving

EMBEDDED = Settings(data_dir=Path("unused"), database_url="sqlite://")
BUCKET = replace(EMBEDDED, s3_bucket="team-clips")


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set credentials in the environment, and hide the machine's own AWS configuration."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    with serving(tmp_path / "store") as served:
        yield open_store(replace(EMBEDDED, port=served.port), KEYS)


@contextmanager
def error_server(status: int, code: str) -> Iterator[str]:
    """Run a server that returns one of S3's errors to every request, without a body to HEAD as S3 does; yield its address."""
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    class Refusal(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # answers Expect: 100-continue, for which boto3 would wait a second

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def client_error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")


def test_an_object_is_found_with_its_size_type_and_etag(store: ObjectStore) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    store.put("clips/ä b+c.mp4", b"footage", "video/mp4")
    found = store.head("clips/ä b+c.mp4")
    assert (found.key, found.size, found.content_type) == ("clips/ä b+c.mp4", 7, "video/mp4")
    assert found.etag == hashlib.md5(b"footage").hexdigest()
    assert found.modified_at.tzinfo is UTC
    assert found.modified_at >= before
    assert store.get("clips/ä b+c.mp4") == b"footage"


def test_a_range_ends_before_its_end(store: ObjectStore) -> None:
    store.put("a", b"0123456789", "text/plain")
    assert store.get_range("a", 2, 5) == b"234"
    assert store.get_range("a", 8, 100) == b"89"
    with pytest.raises(StorageError, match="ends before"):
        store.get_range("a", 10, 11)


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 3), (-1, 3)])
def test_a_range_without_bytes_is_refused(store: ObjectStore, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        store.get_range("a", start, end)


def test_a_file_is_uploaded_with_its_type(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"x" * 9_000_000)
    store.put_file("clip.mp4", path, "video/mp4")
    found = store.head("clip.mp4")
    assert (found.size, found.content_type) == (9_000_000, "video/mp4")


def test_listing_goes_over_all_pages_in_order_and_only_under_the_prefix(store: ObjectStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put(f"clips/{number:04}", b"", "text/plain"), range(1005)))
    store.put("other", b"", "text/plain")
    listed = list(store.list("clips/"))
    assert [found.key for found in listed] == [f"clips/{number:04}" for number in range(1005)]
    assert listed[0] == replace(store.head("clips/0000"), content_type="")


def test_a_copy_keeps_content_and_type(store: ObjectStore) -> None:
    store.put("a +ä", b"footage", "video/mp4")
    store.copy("a +ä", "b")
    assert store.get("b") == b"footage"
    assert store.head("b").content_type == "video/mp4"


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put("a", b"", "text/plain")
    store.delete("a")
    store.delete("a")
    with pytest.raises(ObjectMissing):
        store.head("a")


def test_a_missing_object_is_missing_for_every_operation(store: ObjectStore) -> None:
    for ask in (store.head, store.get, lambda key: store.get_range(key, 0, 1), lambda key: store.copy(key, "b")):
        with pytest.raises(ObjectMissing):
            ask("nothing")


def test_a_missing_bucket_names_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_key)
    with serving(tmp_path / "store") as served:
        store = open_store(replace(BUCKET, s3_endpoint_url=served.endpoint), KEYS)
        for ask in (store.get, lambda key: list(store.list(key)), lambda key: store.put(key, b"", "text/plain")):
            with pytest.raises(StorageError, match="CLIPVIEWER_S3_BUCKET"):
                ask("a")


def test_wrong_keys_are_distinguished_from_a_policy_even_without_a_response_body(tmp_path: Path) -> None:
    with serving(tmp_path / "store") as served:
        store = open_store(replace(EMBEDDED, port=served.port), replace(KEYS, secret_key="another"))
        with pytest.raises(StorageCredentials):
            store.head("a")


ERRORS = [
    (404, "NoSuchKey", ObjectMissing),
    (403, "SignatureDoesNotMatch", StorageCredentials),
    (403, "RequestTimeTooSkewed", StorageClock),
    (403, "InvalidAccessKeyId", StorageCredentials),
    (400, "ExpiredToken", StorageCredentials),
    (403, "AccessDenied", StorageDenied),
    (412, "PreconditionFailed", PreconditionFailed),
    (400, "SomethingNew", StorageError),
]


@pytest.mark.parametrize(("status", "code", "expected"), ERRORS)
def test_refusals_are_distinguished(status: int, code: str, expected: type[StorageError], tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    with error_server(status, code) as address:
        store = open_store(replace(BUCKET, s3_endpoint_url=address), KEYS)
        asks = [
            lambda: store.head("a"),
            lambda: store.get("a"),
            lambda: list(store.list("a")),
            lambda: store.put("a", b"x", "text/plain"),
            lambda: store.put_file("a", path, "text/plain"),
            lambda: store.delete("a"),
        ]
        for ask in asks:
            with pytest.raises(StorageError) as refusal:
                ask()
            assert type(refusal.value) is expected


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(StorageUnreachable):
            open_store(replace(BUCKET, s3_endpoint_url=address), KEYS).get("a")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EndpointConnectionError(endpoint_url="x"), StorageUnreachable),
        (ReadTimeoutError(endpoint_url="x"), StorageUnreachable),
        (SSLError(endpoint_url="x", error="x"), StorageUnreachable),
        (ResponseStreamingError(error="x"), StorageUnreachable),
        (NoCredentialsError(), StorageCredentials),
        (CredentialRetrievalError(provider="x", error_msg="x"), StorageCredentials),
        (BotoCoreError(), StorageError),
        (client_error("SlowDown", 503), StorageUnreachable),
        (client_error("", 500), StorageUnreachable),
        (client_error("404", 404), ObjectMissing),
        (client_error("403", 403), StorageDenied),
        (client_error("412", 412), PreconditionFailed),
        (client_error("ConditionalRequestConflict", 409), PreconditionFailed),
    ],
)
def test_errors_of_the_client_library_are_translated(error: Exception, expected: type[StorageError]) -> None:
    with pytest.raises(StorageError) as translation, translate_errors():
        raise error
    assert type(translation.value) is expected


def test_a_wrong_region_names_the_setting() -> None:
    assert "CLIPVIEWER_S3_REGION" in from_client_error(client_error("AuthorizationHeaderMalformed", 400)).detail


def test_errors_that_are_not_of_the_storage_pass_through(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put_file("a", tmp_path / "nothing", "text/plain")


def test_without_credentials_the_store_opens_and_every_use_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    store = open_store(BUCKET, KEYS)
    with pytest.raises(StorageCredentials):
        store.get("a")
    with pytest.raises(SigningFailed, match="AWS_ACCESS_KEY_ID"):
        signer_for(BUCKET, store).sign("a")


def test_half_of_a_key_pair_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StartupError, match="cannot be set up"):
        open_store(BUCKET, KEYS)


def test_the_embedded_store_is_asked_with_its_own_keys_on_this_machine_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    with error_server(404, "NoSuchKey") as address:
        store = open_store(replace(EMBEDDED, port=int(address.rsplit(":", 1)[1])), KEYS)
        assert store.credentials() == KEYS
        assert store.bucket == "clipviewer"
        with pytest.raises(ObjectMissing):
            store.get("a")


def test_server_and_signed_urls_use_one_store_whatever_the_aws_configuration_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with error_server(403, "AccessDenied") as elsewhere, error_server(404, "NoSuchKey") as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", elsewhere)
        with pytest.raises(ObjectMissing):
            open_store(replace(BUCKET, s3_endpoint_url=address), KEYS).get("a")
