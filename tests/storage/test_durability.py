"""What the folder holds across restarts, crashes and aborted uploads, for every allowed key."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clipviewer.domain.object_key import check_object_key
from clipviewer.errors import DiskFull, StorageFull
from clipviewer.storage.embedded.app import EmbeddedStore
from clipviewer.storage.embedded.files import Files
from tests.api.stores import running_bucket
from tests.storage.raw import signed_headers
from tests.storage.serving import BUCKET, KEYS, Served, files, using

PART = b"p" * (5 * 1024 * 1024)
CHILD = """
import pathlib, sys
from tests.storage.serving import serving
with serving(pathlib.Path(sys.argv[1])) as served:
    print(served.port, flush=True)
    sys.stdin.read()
"""


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread or process does; fail after ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@contextmanager
def begin_put(served_host: str, key: str, size: int, body: bytes) -> Iterator[socket.socket]:
    """Return a connection with a PUT of ``size`` bytes under way, of which ``body`` is sent."""
    target = f"/s3/{BUCKET}/{key}"
    headers = signed_headers("PUT", f"http://{served_host}{target}", payload="UNSIGNED-PAYLOAD") | {"Content-Length": str(size)}
    lines = [f"PUT {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    host, _, port = served_host.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        yield connection


def test_a_restart_keeps_objects_and_their_metadata(tmp_path: Path) -> None:
    said = {"ContentType": "video/mp4", "ContentDisposition": "inline", "Metadata": {"a": "ü".encode().hex()}}
    with using(tmp_path / "o") as (_, client):
        client.put_object(Bucket=BUCKET, Key="a/ü.mp4", Body=b"footage", **said)
        before = client.head_object(Bucket=BUCKET, Key="a/ü.mp4")
    with using(tmp_path / "o") as (_, client):
        after = client.head_object(Bucket=BUCKET, Key="a/ü.mp4")
        for name in ("ETag", "LastModified", "ContentLength", *said):
            assert after[name] == before[name]
        assert client.get_object(Bucket=BUCKET, Key="a/ü.mp4")["Body"].read() == b"footage"


def test_a_restart_keeps_unfinished_multipart_uploads(tmp_path: Path) -> None:
    with using(tmp_path / "o") as (_, client):
        named = {"Bucket": BUCKET, "Key": "a"}
        upload = client.create_multipart_upload(**named)["UploadId"]
        first = client.upload_part(**named, UploadId=upload, PartNumber=1, Body=PART)["ETag"]
    with using(tmp_path / "o") as (_, client):
        second = client.upload_part(**named, UploadId=upload, PartNumber=2, Body=b"end")["ETag"]
        parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
        client.complete_multipart_upload(**named, UploadId=upload, MultipartUpload={"Parts": parts})
        assert client.get_object(**named)["Body"].read() == PART + b"end"


def test_an_upload_that_nobody_continues_is_swept_after_a_week(tmp_path: Path) -> None:
    with using(tmp_path / "o") as (_, client):
        upload = client.create_multipart_upload(Bucket=BUCKET, Key="a")["UploadId"]
        client.upload_part(Bucket=BUCKET, Key="a", UploadId=upload, PartNumber=1, Body=b"part")
    for days, left in ((6, 1), (8, 0)):
        moment = datetime.now(UTC) + timedelta(days=days)
        EmbeddedStore(tmp_path / "o", KEYS, clock=lambda moment=moment: moment).close()
        assert len(files(tmp_path / "o")) == left


def test_a_crash_in_the_middle_of_an_upload_leaves_nothing_of_it(tmp_path: Path) -> None:
    root = tmp_path / "o"
    command = [sys.executable, "-c", CHILD, str(root)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout
        host = f"127.0.0.1:{child.stdout.readline().strip()}"
        with begin_put(host, "kept", 4, b"kept") as connection:
            assert b" 200 " in connection.recv(4096)
        kept = files(root)
        with begin_put(host, "broken", 50_000_000, PART):
            wait_until(lambda: any(path.stat().st_size for path in (root / "incoming").iterdir()))
            child.send_signal(signal.SIGKILL)
            child.wait(10)
    assert files(root) > kept
    with using(root) as (_, client):
        assert files(root) == kept
        assert [row["Key"] for row in client.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["kept"]
        assert client.get_object(Bucket=BUCKET, Key="kept")["Body"].read() == b"kept"


def test_a_file_that_was_finished_but_never_named_is_swept(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "o", KEYS)
    store.close()
    shelf = Files(tmp_path / "o")
    incoming = shelf.create()
    incoming.write(b"finished just before the crash")
    incoming.finish()
    shelf.close()
    assert len(files(tmp_path / "o")) == 1
    EmbeddedStore(tmp_path / "o", KEYS).close()
    assert files(tmp_path / "o") == set()


def test_a_second_process_does_not_sweep_what_the_first_is_receiving(tmp_path: Path) -> None:
    with using(tmp_path / "o") as (served, client):
        with begin_put(served.host, "a", 2 * len(PART), PART) as connection:
            wait_until(lambda: bool(files(served.root)))
            EmbeddedStore(served.root, KEYS).close()
            connection.sendall(PART)
            assert b" 200 " in connection.recv(4096)
        assert client.get_object(Bucket=BUCKET, Key="a")["Body"].read() == PART * 2


def test_a_client_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    with using(tmp_path / "o") as (served, client):
        with begin_put(served.host, "broken", 50_000_000, PART):
            wait_until(lambda: any(path.stat().st_size for path in (served.root / "incoming").iterdir()))
        wait_until(lambda: not files(served.root))
        assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


@pytest.mark.parametrize("parts", [False, True])
def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path: Path, parts: bool) -> None:
    with using(tmp_path / "o") as (served, client):
        client.put_object(Bucket=BUCKET, Key="a", Body=b"before")
        before = files(served.root)
        upload = client.create_multipart_upload(Bucket=BUCKET, Key="a")["UploadId"]
        send, named = (client.upload_part, {"UploadId": upload, "PartNumber": 1}) if parts else (client.put_object, {})
        with limit_file_size(1024 * 1024), pytest.raises(ClientError) as caught:
            send(Bucket=BUCKET, Key="a", Body=PART, **named)
        answer = caught.value.response
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (507, "InsufficientStorage")
        assert files(served.root) == before
        assert client.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"before"


def test_a_full_disk_is_named_to_the_app_as_the_servers(tmp_path: Path) -> None:
    with running_bucket("a secret key that only this bucket has", tmp_path) as store:
        with limit_file_size(1024 * 1024), pytest.raises(StorageFull) as caught:
            store.put("a", PART, "video/mp4")
        told = caught.value
        assert (told.code, told.title, told.detail) == (DiskFull.code, DiskFull.title, DiskFull().detail)


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Limit the size of every file in the kernel, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_replacing_deleting_and_aborting_free_the_space(tmp_path: Path) -> None:
    with using(tmp_path / "o") as (served, client):
        named = {"Bucket": BUCKET, "Key": "a"}
        for body in (b"one", b"two"):
            client.put_object(**named, Body=body)
        assert len(files(served.root)) == 1
        upload = client.create_multipart_upload(**named)["UploadId"]
        for body in (b"one", b"two"):
            client.upload_part(**named, UploadId=upload, PartNumber=1, Body=body)
        assert len(files(served.root)) == 2
        client.abort_multipart_upload(**named, UploadId=upload)
        with pytest.raises(ClientError):
            client.put_object(**named, Body=b"three", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
        with pytest.raises(ClientError):
            client.put_object(**named, Body=b"three", IfNoneMatch="*")
        assert len(files(served.root)) == 1
        client.delete_object(**named)
        assert files(served.root) == set()


def _allowed(key: str) -> bool:
    try:
        return bool(check_object_key(key))
    except ValueError:
        return False


_keys = st.one_of(
    st.text(min_size=1, max_size=200),
    st.lists(st.sampled_from(["a", "...", "~", "%2e%2e", "con", "a:b", "*", "?x=1", "#", "é", ".git", " ", "\u202e", "\ufffe"])).map(
        "/".join
    ),
).filter(_allowed)


@settings(max_examples=2 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(key=_keys, body=st.binary(max_size=64))
@example(key="x" * 1024, body=b"")
@example(key="é" * 512, body=b"")
@example(key="a/" * 511 + "a", body=b"")
@example(key="%2e%2e/%2e%2e/etc/passwd", body=b"")
@example(key="C:/con", body=b"")
def test_every_allowed_key_is_stored_within_the_folder(served: Served, client: Any, key: str, body: bytes) -> None:
    client.put_object(Bucket=BUCKET, Key=key, Body=body)
    assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body
    assert key in [row["Key"] for row in client.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"]]
    assert [path.name for path in served.root.parent.iterdir()] == [served.root.name]
    known = r"index\.db(-wal|-shm)?|lock|incoming|data(/[0-9a-f]{2}(/[0-9a-f]{32})?)?"
    assert all(re.fullmatch(known, str(path.relative_to(served.root))) for path in served.root.rglob("*"))
    client.delete_object(Bucket=BUCKET, Key=key)
    with pytest.raises(ClientError):
        client.head_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize("key", ["../x", "a/../x", "a/./x", "/x", "a//x", "x/", "..", "a\\b", "a\x00b", "x" * 1025])
def test_a_forbidden_key_is_never_stored(client: Any, key: str) -> None:
    for method, arguments in (
        (client.put_object, {"Body": b"x"}),
        (client.create_multipart_upload, {}),
        (client.copy_object, {"CopySource": f"{BUCKET}/anything"}),
    ):
        with pytest.raises(ClientError) as caught:
            method(Bucket=BUCKET, Key=key, **arguments)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
