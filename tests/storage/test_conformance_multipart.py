"""What the product expects of any storage's multipart uploads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.storage.serving import Storage

LARGE = b"0123456789abcdef" * (5 * 1024 * 64)
SMALL = b"the end"


@dataclass
class Upload:
    storage: Storage
    id: str
    key: str

    def part(self, number: int, data: bytes) -> dict[str, Any]:
        answer = self.storage.client.upload_part(**self.named, PartNumber=number, Body=data)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def complete(self, parts: list[dict[str, Any]], **arguments: Any) -> Any:
        return self.storage.client.complete_multipart_upload(**self.named, MultipartUpload={"Parts": parts}, **arguments)

    def refused(self, parts: list[dict[str, Any]]) -> str:
        with pytest.raises(ClientError) as caught:
            self.complete(parts)
        return str(caught.value.response["Error"]["Code"])

    def abort(self) -> None:
        self.storage.client.abort_multipart_upload(**self.named)

    @property
    def named(self) -> dict[str, str]:
        return {"Bucket": self.storage.bucket, "Key": self.key, "UploadId": self.id}


@pytest.fixture
def upload(storage: Storage) -> Iterator[Upload]:
    key = f"{storage.prefix}large.mp4"
    made = storage.client.create_multipart_upload(Bucket=storage.bucket, Key=key, ContentType="video/mp4", Metadata={"a": "1"})
    yield Upload(storage, made["UploadId"], key)
    for row in storage.client.list_multipart_uploads(Bucket=storage.bucket, Prefix=storage.prefix).get("Uploads", []):
        Upload(storage, row["UploadId"], row["Key"]).abort()


def test_parts_become_one_object_that_is_invisible_until_then(upload: Upload) -> None:
    last = upload.part(7, SMALL)
    first = upload.part(2, LARGE)
    assert upload.storage.names() == []
    done = upload.complete([first, last])
    digest = hashlib.md5(hashlib.md5(LARGE).digest() + hashlib.md5(SMALL).digest()).hexdigest()
    assert done["ETag"] == f'"{digest}-2"'
    assert upload.storage.read("large.mp4") == LARGE + SMALL
    found = upload.storage.head("large.mp4")
    assert (found["ETag"], found["ContentType"], found["Metadata"]) == (done["ETag"], "video/mp4", {"a": "1"})
    assert upload.storage.read("large.mp4", Range=f"bytes={len(LARGE) - 2}-{len(LARGE) + 1}") == LARGE[-2:] + SMALL[:2]
    assert upload.storage.read("large.mp4", Range="bytes=-3") == SMALL[-3:]


def test_a_part_that_is_sent_again_replaces_the_first_one(upload: Upload) -> None:
    upload.part(1, b"wrong")
    upload.complete([upload.part(1, SMALL)])
    assert upload.storage.read("large.mp4") == SMALL


def test_a_part_that_is_not_named_at_the_end_is_left_out(upload: Upload) -> None:
    upload.part(1, b"left out")
    upload.complete([upload.part(2, SMALL)])
    assert upload.storage.read("large.mp4") == SMALL


def test_an_invalid_completion_is_refused(upload: Upload) -> None:
    first, second = upload.part(1, SMALL), upload.part(2, SMALL)
    assert upload.refused([first, second]) == "EntityTooSmall"
    assert upload.refused([second, first]) == "InvalidPartOrder"
    assert upload.refused([first, {"PartNumber": 3, "ETag": first["ETag"]}]) == "InvalidPart"
    assert upload.refused([{"PartNumber": 1, "ETag": f'"{"0" * 32}"'}]) == "InvalidPart"
    assert upload.refused([]) == "MalformedXML"
    upload.complete([first])
    assert upload.storage.read("large.mp4") == SMALL


def test_open_uploads_and_their_parts_are_listed(upload: Upload) -> None:
    client, storage = upload.storage.client, upload.storage
    sent = [upload.part(number, SMALL * number) for number in (1, 2, 3)]
    (row,) = client.list_multipart_uploads(Bucket=storage.bucket, Prefix=storage.prefix)["Uploads"]
    assert (row["Key"], row["UploadId"]) == (upload.key, upload.id)
    pages = client.get_paginator("list_parts").paginate(**upload.named, PaginationConfig={"PageSize": 2})
    rows = [part for page in pages for part in page.get("Parts", [])]
    assert [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in rows] == sent
    assert [part["Size"] for part in rows] == [len(SMALL) * number for number in (1, 2, 3)]


def test_an_aborted_upload_is_gone(upload: Upload) -> None:
    first = upload.part(1, SMALL)
    upload.abort()
    assert upload.refused([first]) == "NoSuchUpload"
    with pytest.raises(ClientError) as caught:
        upload.part(2, SMALL)
    assert caught.value.response["Error"]["Code"] == "NoSuchUpload"
    assert upload.storage.names() == []


def test_an_upload_belongs_to_its_key(upload: Upload) -> None:
    with pytest.raises(ClientError) as caught:
        upload.storage.client.upload_part(**(upload.named | {"Key": f"{upload.key}.other"}), PartNumber=1, Body=SMALL)
    assert caught.value.response["Error"]["Code"] == "NoSuchUpload"


def test_a_create_only_completion_does_not_replace(upload: Upload) -> None:
    upload.storage.put("large.mp4", b"was here")
    part = upload.part(1, SMALL)
    with pytest.raises(ClientError) as caught:
        upload.complete([part], IfNoneMatch="*")
    assert caught.value.response["Error"]["Code"] == "PreconditionFailed"
    assert upload.storage.read("large.mp4") == b"was here"
