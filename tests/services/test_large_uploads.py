"""A long file on its way into the bucket: sent in parts, with progress, and cancellable at any part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clipviewer.storage.s3 import ObjectStore
from tests.api.stores import running_bucket


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ObjectStore]:
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        yield store


def test_a_long_file_is_sent_in_parts_with_progress(store: ObjectStore, tmp_path: Path) -> None:
    path, told = tmp_path / "film.mp4", list[int]()
    path.write_bytes(b"x" * 20_000_000)
    store.send_file("film.mp4", path, "video/mp4", told.append)
    found = store.head("film.mp4")
    assert (found.size, found.content_type) == (20_000_000, "video/mp4")
    assert told == [0, 16 * 1024**2, 20_000_000]
    path.write_bytes(b"")
    store.send_file("empty.mp4", path, "video/mp4", told.append)
    assert store.head("empty.mp4").size == 0


def test_a_cancelled_upload_of_a_long_file_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"x" * 20_000_000)

    def enough(sent: int) -> None:
        if sent:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        store.send_file("film.mp4", path, "video/mp4", enough)
    assert list(store.list("")) == []
    assert store._client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", []) == []
