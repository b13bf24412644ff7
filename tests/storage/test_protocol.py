"""Responses of the embedded store to requests that boto3 does not or cannot send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.storage.raw import Reply, send, signed_headers
from tests.storage.serving import BUCKET, Served

DATA = bytes(range(256))
TARGET = f"/s3/{BUCKET}/clip"


@pytest.fixture(autouse=True)
def clip(client: Any) -> Iterator[Any]:
    yield client.put_object(Bucket=BUCKET, Key="clip", Body=DATA, ContentType="video/mp4")
    client.delete_object(Bucket=BUCKET, Key="clip")


def ask(served: Served, method: str, target: str, body: bytes = b"", **extra: str) -> Reply:
    headers = signed_headers(
        method, f"http://{served.host}{target}", body, {name.replace("_", "-"): value for name, value in extra.items()}
    )
    return send(served.port, method, target, headers, body)


def test_several_ranges_are_answered_with_the_whole(served: Served) -> None:
    reply = ask(served, "GET", TARGET, Range="bytes=0-1,5-6")
    assert (reply.status, reply.body) == (200, DATA)
    assert "content-range" not in reply.headers


def test_an_impossible_range_names_the_size(served: Served) -> None:
    reply = ask(served, "GET", TARGET, Range="bytes=256-")
    assert (reply.status, reply.code, reply.headers["content-range"]) == (416, "InvalidRange", "bytes */256")


def test_an_empty_range_is_unsatisfiable(served: Served, client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key="clip", Body=b"")
    assert ask(served, "GET", TARGET, Range="bytes=0-").status == 416
    assert ask(served, "GET", TARGET, Range="bytes=-1").status == 416


def test_a_range_of_absurd_length_is_ignored(served: Served) -> None:
    assert ask(served, "GET", TARGET, Range=f"bytes=0-{'9' * 5000}").body == DATA


def test_a_range_applies_only_to_the_version_that_if_range_names(served: Served) -> None:
    found = ask(served, "GET", TARGET)
    for good in (found.headers["etag"], found.headers["last-modified"]):
        assert ask(served, "GET", TARGET, Range="bytes=0-1", If_Range=good).status == 206
    for other in ('"0"', "Tue, 01 Dec 2020 16:00:00 GMT", f"W/{found.headers['etag']}", "nonsense"):
        assert ask(served, "GET", TARGET, Range="bytes=0-1", If_Range=other).body == DATA


def test_a_head_says_what_a_get_would(served: Served) -> None:
    changing = ("date", "x-amz-request-id")
    for extra in ({}, {"Range": "bytes=3-9"}):
        head, got = ask(served, "HEAD", TARGET, **extra), ask(served, "GET", TARGET, **extra)
        assert (head.status, head.body) == (got.status, b"")
        assert {name: head.headers[name] for name in head.headers if name not in changing} == {
            name: got.headers[name] for name in got.headers if name not in changing
        }


def test_304_carries_the_etag_and_no_body(served: Served) -> None:
    etag = ask(served, "HEAD", TARGET).headers["etag"]
    reply = ask(served, "GET", TARGET, If_None_Match=f'"0", {etag}')
    assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", f"{TARGET}?acl", 501, "NotImplemented"),
        ("PUT", f"{TARGET}?tagging", 501, "NotImplemented"),
        ("GET", f"{TARGET}?versionId=1", 501, "NotImplemented"),
        ("GET", f"{TARGET}?partNumber=1", 501, "NotImplemented"),
        ("GET", f"{TARGET}?uploads&uploadId=1", 501, "NotImplemented"),
        ("POST", TARGET, 501, "NotImplemented"),
        ("GET", f"/s3/{BUCKET}?policy", 501, "NotImplemented"),
        ("GET", f"/s3/{BUCKET}", 501, "NotImplemented"),
        ("DELETE", f"/s3/{BUCKET}", 501, "NotImplemented"),
        ("PATCH", TARGET, 405, "MethodNotAllowed"),
        ("PUT", f"/s3/{BUCKET}", 409, "BucketAlreadyOwnedByYou"),
        ("GET", "/s3/another/clip", 404, "NoSuchBucket"),
        ("GET", f"{TARGET}?uploadId=1", 404, "NoSuchUpload"),
        ("PUT", f"{TARGET}?uploadId=1&partNumber=1", 404, "NoSuchUpload"),
        ("PUT", f"{TARGET}?uploadId=1&partNumber=0", 400, "InvalidArgument"),
        ("PUT", f"{TARGET}?uploadId=1&partNumber=10001", 400, "InvalidArgument"),
        ("GET", f"/s3/{BUCKET}?list-type=2&max-keys=x", 400, "InvalidArgument"),
        ("GET", f"/s3/{BUCKET}?list-type=2&encoding-type=x", 400, "InvalidArgument"),
    ],
)
def test_missing_objects_get_s3s_error_codes(served: Served, method: str, target: str, status: int, code: str) -> None:
    reply = ask(served, method, target)
    assert (reply.status, reply.code, reply.headers["content-type"]) == (status, code, "application/xml")
    assert reply.headers["x-amz-request-id"].encode() in reply.body
    assert ask(served, "GET", TARGET).body == DATA


@pytest.mark.parametrize(
    "name",
    ["x-amz-tagging", "x-amz-server-side-encryption", "x-amz-object-lock-mode", "x-amz-grant-read", "x-amz-website-redirect-location"],
)
def test_unsupported_features_are_refused(served: Served, name: str) -> None:
    assert ask(served, "PUT", TARGET, b"new", **{name: "a=b"}).code == "NotImplemented"
    assert ask(served, "PUT", TARGET, b"new", x_amz_acl="public-read").code == "NotImplemented"
    assert ask(served, "GET", TARGET).body == DATA


def test_metadata_has_its_limit(served: Served) -> None:
    assert ask(served, "PUT", TARGET, b"new", x_amz_meta_a="1" * 2047).status == 200
    assert ask(served, "PUT", TARGET, b"new", x_amz_meta_a="1" * 2048).code == "MetadataTooLarge"


def test_more_than_five_gibibytes_at_once_are_refused_before_they_are_sent(served: Served) -> None:
    headers = signed_headers("PUT", f"http://{served.host}{TARGET}", payload="UNSIGNED-PAYLOAD", extra={"Expect": "100-continue"})
    reply = send(served.port, "PUT", TARGET, headers | {"Content-Length": str(5 * 1024**3 + 1)})
    assert (reply.status, reply.code) == (400, "EntityTooLarge")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete>",
        b"<Other><Object><Key>clip</Key></Object></Other>",
        b"<Delete></Delete>",
        b"<Delete><Object></Object></Delete>",
        b'<!DOCTYPE a [<!ENTITY b "clip">]><Delete><Object><Key>&b;</Key></Object></Delete>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><Delete><Object><Key>clip</Key></Object></Delete>'.encode("utf-16"),
        b"<Delete>" + b"<Object><Key>clip</Key></Object>" * 1001 + b"</Delete>",
    ],
)
def test_unexpected_xml_changes_nothing(served: Served, body: bytes) -> None:
    assert ask(served, "POST", f"/s3/{BUCKET}?delete", body).code == "MalformedXML"
    assert ask(served, "GET", TARGET).body == DATA


def test_a_quiet_deletion_lists_nothing(client: Any) -> None:
    answer = client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "clip"}], "Quiet": True})
    assert "Deleted" not in answer


def test_the_bucket_returns_its_name_and_location(client: Any) -> None:
    assert [row["Name"] for row in client.list_buckets()["Buckets"]] == [BUCKET]
    assert client.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None


def test_a_copy_honours_the_conditions_on_its_source(client: Any, clip: Any) -> None:
    source = {"CopySource": f"{BUCKET}/clip", "Bucket": BUCKET, "Key": "copy"}
    for condition in ({"CopySourceIfMatch": '"0"'}, {"CopySourceIfNoneMatch": clip["ETag"]}):
        with pytest.raises(ClientError, match="PreconditionFailed"):
            client.copy_object(**source, **condition)
    client.copy_object(**source, CopySourceIfMatch=clip["ETag"])
    assert client.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == DATA
    client.delete_object(Bucket=BUCKET, Key="copy")


def test_a_refused_upload_leaves_the_connection_usable(client: Any) -> None:
    for _ in range(3):
        with pytest.raises(ClientError, match="NoSuchUpload"):
            client.upload_part(Bucket=BUCKET, Key="clip", UploadId="none", PartNumber=1, Body=DATA * 10_000)
        assert client.get_object(Bucket=BUCKET, Key="clip")["Body"].read() == DATA


def test_a_refused_upload_is_answered_though_the_client_sends_all_of_it(served: Served) -> None:
    reply = send(served.port, "PUT", TARGET, {"Host": served.host, "Content-Length": "8000000"}, b"x" * 8_000_000)
    assert (reply.status, reply.code) == (403, "AccessDenied")


@pytest.mark.parametrize("target", ["/s3/%FF", f"{TARGET}?x=%FF", "/s3x"])
def test_a_malformed_url_is_a_bad_request(served: Served, target: str) -> None:
    reply = send(served.port, "GET", target, {"Host": served.host})
    assert (reply.status, reply.code) in ((400, "InvalidURI"), (400, "InvalidArgument"))
