"""Concurrency: writers with writers, readers with writers, clients that disconnect."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from botocore.exceptions import ClientError

from clipviewer.storage.embedded.app import EmbeddedStore
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.files import Blob
from clipviewer.storage.embedded.index import Entry, Part, Upload
from clipviewer.storage.embedded.objects import Shelf
from tests.storage.raw import signed_headers
from tests.storage.serving import BUCKET, KEYS, files, using


def test_of_many_create_only_puts_one_succeeds(tmp_path: Path) -> None:
    with using(tmp_path / "o") as (served, client):
        outcomes: list[int] = []

        def create(number: int) -> None:
            try:
                client.put_object(Bucket=BUCKET, Key="a", Body=str(number).encode() * 100_000, IfNoneMatch="*")
                outcomes.append(200)
            except ClientError as error:
                outcomes.append(error.response["ResponseMetadata"]["HTTPStatusCode"])

        threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) == [200] + [412] * 7
        assert len(set(client.get_object(Bucket=BUCKET, Key="a")["Body"].read())) == 1
        assert len(files(served.root)) == 1


def test_a_reader_sees_one_whole_version_while_it_is_replaced(tmp_path: Path) -> None:
    with using(tmp_path / "o") as (_, client):
        client.put_object(Bucket=BUCKET, Key="a", Body=b"0" * 20_000_000)
        found = client.get_object(Bucket=BUCKET, Key="a")
        client.put_object(Bucket=BUCKET, Key="a", Body=b"1" * 20_000_000)
        assert set(found["Body"].read()) == set(b"0")
        assert set(client.get_object(Bucket=BUCKET, Key="a")["Body"].read()) == set(b"1")


def test_completing_with_a_part_that_was_just_replaced_changes_nothing(tmp_path: Path) -> None:
    moment = datetime(2025, 10, 5, 12, 0, tzinfo=UTC)
    shelf = Shelf(tmp_path / "o", moment)
    made: list[Blob] = []
    for body in (b"read by the one who completes", b"sent again meanwhile"):
        incoming = shelf.files.create()
        incoming.write(body)
        made.append(incoming.finish())
    shelf.index.start_upload(Upload("upload", "a", moment))
    for blob in made:
        shelf.index.put_part("upload", Part(1, blob, "etag", moment))
    with pytest.raises(S3Failure, match="InvalidPart"):
        shelf.put(Entry("a", made[0].size, "etag-1", moment, {}, [made[0]]), lambda before: None, "upload")
    assert shelf.index.get("a") is None
    assert [part.blob for part in shelf.index.parts("upload")] == [made[1]]
    shelf.close()


def test_reading_stops_when_the_reader_disconnects(tmp_path: Path) -> None:
    size = 20_000_000
    with using(tmp_path / "o") as (_, client):
        client.put_object(Bucket=BUCKET, Key="a", Body=b"0" * size)
    store = EmbeddedStore(tmp_path / "o", KEYS)
    path = f"/s3/{BUCKET}/a"
    headers = signed_headers("GET", f"http://127.0.0.1{path}")
    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": named}
    sent: list[int] = []

    async def run() -> None:
        gone = anyio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(len(message.get("body", b"")))
            if len(sent) == 3:
                gone.set()

        await store(scope, receive, send)

    anyio.run(run)
    store.close()
    assert 0 < sum(sent) < size / 2
