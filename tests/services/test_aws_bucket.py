"""The client over moto's S3: pages of listings, and refusals that neither the embedded store nor a faked response has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clipviewer.domain.sigv4 import Credentials
from clipviewer.errors import ObjectMissing, StorageCredentials, StorageDenied, StorageError
from clipviewer.services.bucket.lookup import find_objects
from clipviewer.settings import Settings
from clipviewer.storage.s3 import ObjectStore, open_store

SETTINGS = Settings(data_dir=Path("unused"), database_url="sqlite://", s3_bucket="footage")


class Bucket:
    """An empty bucket behind the real client, which counts its requests."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.asked: Counter[str] = Counter()
        store._client.meta.events.register("before-call.s3", lambda model, **_: self.asked.update([model.name]))

    def fill(self, *keys: str) -> None:
        for key in keys:
            self.store.put(key, b"1", "video/mp4")
        self.asked.clear()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bucket]:
    from moto import mock_aws  # imported late, since it is slow to import

    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with mock_aws():
        store = open_store(SETTINGS, Credentials("unused", "unused"))
        store._client.create_bucket(Bucket="footage")
        yield Bucket(store)


def test_a_few_objects_are_requested_one_by_one(bucket: Bucket) -> None:
    bucket.store.put("a/1.mp4", b"12345", "video/mp4")
    bucket.asked.clear()
    found = find_objects(bucket.store, ["a/1.mp4", "a/2.mp4", "a/1.mp4"])
    assert {key: item.size for key, item in found.items()} == {"a/1.mp4": 5}
    assert bucket.asked == {"HeadObject": 2}


def test_many_objects_of_one_folder_are_found_by_listing_it(bucket: Bucket) -> None:
    bucket.fill(*(f"a/{number}.mp4" for number in range(100)))
    keys = [f"a/{number}.mp4" for number in range(20, 120)]
    assert find_objects(bucket.store, keys).keys() == {f"a/{number}.mp4" for number in range(20, 100)}
    assert bucket.asked == {"ListObjectsV2": 1}


def test_a_folder_far_larger_than_the_request_is_not_listed_to_its_end(bucket: Bucket) -> None:
    bucket.fill(*(f"a/{number:04d}.mp4" for number in range(1400)))
    keys = ["a/0000.mp4", *(f"a/{number:04d}.mp4" for number in range(1330, 1400))]
    assert find_objects(bucket.store, keys).keys() == set(keys)
    assert bucket.asked == {"ListObjectsV2": 2, "HeadObject": 70}


def test_a_listing_of_many_pages_names_every_object_once_and_in_order(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "7")
    keys = [f"clips/{number:03} ü+%2F.mp4" for number in range(50)]
    bucket.fill(*reversed(keys), "clips", "other/1.mp4")
    assert [found.key for found in bucket.store.list("clips/")] == keys
    assert bucket.asked == {"ListObjectsV2": 8}


def test_a_listing_asks_for_no_further_page_than_is_read(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "7")
    bucket.fill(*(f"{number:03}" for number in range(50)))
    listing = bucket.store.list("")
    assert [next(listing).key for _ in range(8)] == [f"{number:03}" for number in range(8)]
    assert bucket.asked == {"ListObjectsV2": 2}


ASKS: dict[str, Callable[[ObjectStore], object]] = {
    "head": lambda store: store.head("a"),
    "get": lambda store: store.get("a"),
    "list": lambda store: list(store.list("")),
    "put": lambda store: store.put("a", b"x", "text/plain"),
    "delete": lambda store: store.delete("a"),
    "copy": lambda store: store.copy("a", "b"),
    "upload": lambda store: store.start_upload("a", "video/mp4"),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_a_bucket_that_does_not_exist_names_the_setting(bucket: Bucket, ask: Callable[[ObjectStore], object]) -> None:
    elsewhere = open_store(replace(SETTINGS, s3_bucket="no-such-bucket-anywhere"), Credentials("unused", "unused"))
    with pytest.raises(StorageError) as refusal:
        ask(elsewhere)
    assert "CLIPVIEWER_S3_BUCKET" in refusal.value.detail


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_unknown_keys_are_distinguished_from_a_policy(bucket: Bucket, ask: Callable[[ObjectStore], object]) -> None:
    from moto.core import set_initial_no_auth_action_count

    @set_initial_no_auth_action_count(0)  # type: ignore[untyped-decorator]
    def ask_with_permissions_checked() -> None:
        with pytest.raises(StorageCredentials):
            ask(bucket.store)

    ask_with_permissions_checked()


def test_an_archived_object_says_that_it_must_be_restored(bucket: Bucket) -> None:
    bucket.store._client.put_object(Bucket="footage", Key="old.mp4", Body=b"x", StorageClass="GLACIER")
    with pytest.raises(StorageDenied, match="archived"):
        bucket.store.get("old.mp4")


def test_a_range_beyond_the_end_is_reported(bucket: Bucket) -> None:
    bucket.fill("a")
    with pytest.raises(StorageError, match="ends before"):
        bucket.store.get_range("a", 5, 9)


def test_a_missing_upload_is_reported_and_aborting_it_again_succeeds(bucket: Bucket) -> None:
    upload_id, _ = bucket.store.start_upload("a", "video/mp4")
    bucket.store.abort_upload("a", upload_id)
    with pytest.raises(ObjectMissing):
        bucket.store.parts("a", upload_id)
    bucket.store.abort_upload("a", upload_id)


def test_an_upload_whose_first_part_is_too_small_is_refused_and_makes_no_object(bucket: Bucket) -> None:
    client = bucket.store._client
    upload_id, _ = bucket.store.start_upload("a", "video/mp4")
    for number in (1, 2):
        client.upload_part(Bucket="footage", Key="a", UploadId=upload_id, PartNumber=number, Body=b"x")
    with pytest.raises(StorageError):
        bucket.store.finish_upload("a", upload_id, bucket.store.parts("a", upload_id))
    with pytest.raises(ObjectMissing):
        bucket.store.head("a")
