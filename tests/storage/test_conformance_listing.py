"""What the product expects of any storage's listings."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.storage.serving import Storage

NAMES = ["a", "a/1", "a/2", "a/b/1", "a0", "b/1", "c", "d e+f%g", "é/1", "\uff5e", "\U0001f3ac"]


@pytest.fixture
def filled(storage: Storage) -> Storage:
    for name in reversed(NAMES):
        storage.put(name, name.encode())
    return storage


def listed(storage: Storage, prefix: str = "", **arguments: Any) -> tuple[list[str], list[str]]:
    """Return keys and common prefixes of all pages."""
    pages = storage.client.get_paginator("list_objects_v2").paginate(Bucket=storage.bucket, Prefix=storage.prefix + prefix, **arguments)
    keys, prefixes = [], []
    for page in pages:
        found = [row["Key"] for row in page.get("Contents", [])]
        common = [row["Prefix"] for row in page.get("CommonPrefixes", [])]
        assert page["KeyCount"] == len(found) + len(common)
        keys += found
        prefixes += common
    return [key.removeprefix(storage.prefix) for key in keys], [each.removeprefix(storage.prefix) for each in prefixes]


def test_keys_are_listed_in_the_order_of_their_utf8_bytes(filled: Storage) -> None:
    assert listed(filled)[0] == sorted(NAMES, key=str.encode) == NAMES


def test_a_list_says_size_etag_and_time(storage: Storage) -> None:
    put = storage.put("clip", b"12345")
    (row,) = storage.client.list_objects_v2(Bucket=storage.bucket, Prefix=storage.prefix)["Contents"]
    assert (row["Size"], row["ETag"]) == (5, put["ETag"])
    assert row["LastModified"] == storage.head("clip")["LastModified"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11])
def test_pages_of_any_size_add_up(filled: Storage, size: int) -> None:
    assert listed(filled, PaginationConfig={"PageSize": size})[0] == NAMES


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_delimiter_folds_what_lies_below_it(filled: Storage, size: int) -> None:
    keys, prefixes = listed(filled, Delimiter="/", PaginationConfig={"PageSize": size})
    assert keys == ["a", "a0", "c", "d e+f%g", "\uff5e", "\U0001f3ac"]
    assert prefixes == ["a/", "b/", "é/"]
    assert listed(filled, "a/", Delimiter="/", PaginationConfig={"PageSize": size}) == (["a/1", "a/2"], ["a/b/"])


def test_a_prefix_need_not_end_at_a_delimiter(filled: Storage) -> None:
    assert listed(filled, "a")[0] == ["a", "a/1", "a/2", "a/b/1", "a0"]
    assert listed(filled, "nothing") == ([], [])


def test_a_list_can_start_after_a_key(filled: Storage) -> None:
    assert listed(filled, StartAfter=f"{filled.prefix}a/b/1")[0] == NAMES[4:]
    keys, prefixes = listed(filled, StartAfter=f"{filled.prefix}a/1", Delimiter="/")
    assert (keys[0], prefixes) == ("a0", ["a/", "b/", "é/"])


def test_zero_max_keys_returns_an_empty_page(filled: Storage) -> None:
    page = filled.client.list_objects_v2(Bucket=filled.bucket, Prefix=filled.prefix, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"]) == (0, False)


def test_a_made_up_continuation_token_is_refused(filled: Storage) -> None:
    with pytest.raises(ClientError) as caught:
        filled.client.list_objects_v2(Bucket=filled.bucket, ContinuationToken="made up")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_the_bucket_answers_and_another_does_not_exist(storage: Storage) -> None:
    storage.client.head_bucket(Bucket=storage.bucket)
    with pytest.raises(ClientError) as caught:
        storage.client.list_objects_v2(Bucket=f"{storage.bucket}-that-nobody-made")
    assert caught.value.response["Error"]["Code"] == "NoSuchBucket"
