"""What the product expects of any storage, tested through boto3."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.storage.serving import Storage

DATA = bytes(range(256)) * 40
SIZE = len(DATA)


def refused(call: Any, *arguments: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_an_object_is_returned_with_all_its_metadata(storage: Storage) -> None:
    said = {"ContentType": "video/mp4", "CacheControl": "max-age=5", "ContentDisposition": "inline", "ContentLanguage": "de"}
    put = storage.put("clip.mp4", DATA, Metadata={"source": "master one"}, **said)
    assert put["ETag"] == f'"{hashlib.md5(DATA).hexdigest()}"'
    for found in (storage.get("clip.mp4"), storage.head("clip.mp4")):
        assert {name: found[name] for name in said} == said
        assert (found["ContentLength"], found["ETag"], found["Metadata"]) == (SIZE, put["ETag"], {"source": "master one"})
        assert found["AcceptRanges"] == "bytes"
    assert storage.read("clip.mp4") == DATA


def test_an_empty_object_is_an_object(storage: Storage) -> None:
    storage.put("empty", b"")
    assert storage.read("empty") == b""
    assert storage.head("empty")["ContentLength"] == 0


def test_a_later_put_replaces_the_object_and_its_metadata(storage: Storage) -> None:
    storage.put("clip", DATA, ContentType="video/mp4", Metadata={"a": "1"})
    storage.put("clip", b"other", ContentType="text/plain")
    assert storage.read("clip") == b"other"
    assert (storage.head("clip")["ContentType"], storage.head("clip")["Metadata"]) == ("text/plain", {})


@pytest.mark.parametrize("name", ["a b.mp4", "ü/日本.mp4", "a+b=c&d?e#f%20.mp4", "~!'()*;:@,$[]", "x" * 900, "Ä", "A\u0308"])
def test_a_key_may_have_any_character(storage: Storage, name: str) -> None:
    storage.put(name, name.encode())
    assert storage.read(name) == name.encode()
    assert storage.names() == [name]


def test_keys_that_a_file_system_would_confuse_are_distinct(storage: Storage) -> None:
    names = ["A", "a", "a/b", "a/b/c", "\u00e9", "e\u0301"]
    for name in names:
        storage.put(name, name.encode())
    assert [storage.read(name) for name in names] == [name.encode() for name in names]


def test_a_missing_key_is_reported_as_missing(storage: Storage) -> None:
    assert refused(storage.get, "nothing") == (404, "NoSuchKey")
    assert refused(storage.head, "nothing") == (404, "404")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        (f"bytes={SIZE - 3}-", SIZE - 3, SIZE - 1),
        ("bytes=-4", SIZE - 4, SIZE - 1),
        (f"bytes=-{SIZE + 7}", 0, SIZE - 1),
        (f"bytes=7-{SIZE * 2}", 7, SIZE - 1),
    ],
)
def test_a_range_is_answered_with_that_part(storage: Storage, asked: str, first: int, last: int) -> None:
    storage.put("clip", DATA)
    found = storage.get("clip", Range=asked)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (found["ContentRange"], found["ContentLength"]) == (f"bytes {first}-{last}/{SIZE}", last - first + 1)
    assert found["Body"].read() == DATA[first : last + 1]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE + 5}-{SIZE + 9}"])
def test_a_range_beyond_the_end_is_refused(storage: Storage, asked: str) -> None:
    storage.put("clip", DATA)
    with pytest.raises(ClientError) as caught:
        storage.get("clip", Range=asked)
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (416, "InvalidRange")


@pytest.mark.parametrize("asked", ["bytes=9-5", "pieces=0-1", "bytes=a-b", "bytes=-"])
def test_a_malformed_range_is_ignored(storage: Storage, asked: str) -> None:
    storage.put("clip", DATA)
    found = storage.get("clip", Range=asked)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert found["Body"].read() == DATA


def test_a_conditional_read_returns_304_or_412(storage: Storage) -> None:
    storage.put("clip", DATA)
    found = storage.head("clip")
    etag, modified, day = found["ETag"], found["LastModified"], timedelta(days=1)
    for condition in ({"IfNoneMatch": etag}, {"IfModifiedSince": modified}, {"IfNoneMatch": etag, "IfModifiedSince": modified - day}):
        assert refused(storage.get, "clip", **condition)[0] == 304
        assert refused(storage.head, "clip", **condition)[0] == 304
    for condition in ({"IfMatch": '"0"'}, {"IfUnmodifiedSince": modified - day}):
        assert refused(storage.get, "clip", **condition) == (412, "PreconditionFailed")
    for condition in (
        {"IfMatch": etag, "IfUnmodifiedSince": modified - day},
        {"IfNoneMatch": '"0"'},
        {"IfModifiedSince": modified - day},
        {"IfUnmodifiedSince": modified},
    ):
        assert storage.read("clip", **condition) == DATA


def test_a_create_only_put_does_not_replace(storage: Storage) -> None:
    storage.put("clip", b"first", IfNoneMatch="*")
    assert refused(storage.put, "clip", b"second", IfNoneMatch="*") == (412, "PreconditionFailed")
    assert storage.read("clip") == b"first"


def test_a_conditional_put_replaces_only_the_given_version(storage: Storage) -> None:
    assert refused(storage.put, "clip", b"first", IfMatch='"0"')[0] == 404
    etag = storage.put("clip", b"first")["ETag"]
    storage.put("clip", b"second", IfMatch=etag)
    assert refused(storage.put, "clip", b"third", IfMatch=etag) == (412, "PreconditionFailed")
    assert storage.read("clip") == b"second"


def test_a_wrong_checksum_stores_nothing(storage: Storage) -> None:
    md5 = "AAAAAAAAAAAAAAAAAAAAAA=="
    assert refused(storage.put, "clip", DATA, ContentMD5=md5) == (400, "BadDigest")
    assert refused(storage.put, "clip", DATA, ChecksumSHA256="A" * 43 + "=")[0] == 400
    assert storage.names() == []


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_is_kept_and_given_back(storage: Storage, algorithm: str) -> None:
    put = storage.put("clip", DATA, ChecksumAlgorithm=algorithm)
    assert storage.get("clip", ChecksumMode="ENABLED")[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]


def test_deleting_is_idempotent(storage: Storage) -> None:
    storage.put("clip", DATA)
    for _ in range(2):
        gone = storage.client.delete_object(Bucket=storage.bucket, Key=f"{storage.prefix}clip")
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refused(storage.get, "clip") == (404, "NoSuchKey")


def test_many_keys_are_deleted_at_once(storage: Storage) -> None:
    for name in ("a&b", "c<d", "e f", "kept"):
        storage.put(name, b"")
    listed = [{"Key": storage.prefix + name} for name in ("a&b", "c<d", "e f", "never there")]
    answer = storage.client.delete_objects(Bucket=storage.bucket, Delete={"Objects": listed})
    assert {row["Key"] for row in answer["Deleted"]} == {row["Key"] for row in listed}
    assert storage.names() == ["kept"]


def test_a_copy_has_the_bytes_and_the_metadata_or_new_ones(storage: Storage) -> None:
    storage.put("ü one.mp4", DATA, ContentType="video/mp4", Metadata={"a": "1"})
    source = {"Bucket": storage.bucket, "Key": f"{storage.prefix}ü one.mp4"}
    copy = storage.client.copy_object
    copy(Bucket=storage.bucket, Key=f"{storage.prefix}two", CopySource=source)
    copy(Bucket=storage.bucket, Key=f"{storage.prefix}three", CopySource=source, MetadataDirective="REPLACE", ContentType="video/webm")
    storage.client.delete_object(Bucket=storage.bucket, Key=source["Key"])
    assert (storage.read("two"), storage.read("three")) == (DATA, DATA)
    assert (storage.head("two")["ContentType"], storage.head("two")["Metadata"]) == ("video/mp4", {"a": "1"})
    assert (storage.head("three")["ContentType"], storage.head("three")["Metadata"]) == ("video/webm", {})
    assert refused(copy, Bucket=storage.bucket, Key="x", CopySource=source) == (404, "NoSuchKey")


def test_a_copy_onto_itself_must_change_something(storage: Storage) -> None:
    storage.put("clip", DATA, ContentType="video/mp4")
    source = {"Bucket": storage.bucket, "Key": f"{storage.prefix}clip"}
    copy = storage.client.copy_object
    assert refused(copy, **source, CopySource=source) == (400, "InvalidRequest")
    copy(**source, CopySource=source, MetadataDirective="REPLACE", ContentType="video/webm")
    assert (storage.read("clip"), storage.head("clip")["ContentType"]) == (DATA, "video/webm")


def test_boto3_uploads_and_downloads_a_large_file_in_parts(storage: Storage) -> None:
    data = DATA * 1700
    storage.client.upload_fileobj(io.BytesIO(data), storage.bucket, f"{storage.prefix}large", ExtraArgs={"ContentType": "video/mp4"})
    found = storage.head("large")
    assert found["ETag"].endswith('-3"')
    assert found["ContentType"] == "video/mp4"
    into = io.BytesIO()
    storage.client.download_fileobj(storage.bucket, f"{storage.prefix}large", into)
    assert into.getvalue() == data
    seam = 8 * 1024 * 1024
    assert storage.read("large", Range=f"bytes={seam - 5}-{seam + 4}") == data[seam - 5 : seam + 5]
