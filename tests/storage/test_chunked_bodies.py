"""Bodies sent in aws-chunked frames, with signed chunks or a trailing checksum."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import Sequence

import pytest
from botocore.exceptions import ClientError

from clipviewer.domain.sigv4 import Credentials, signing_key
from clipviewer.storage.embedded.auth import Verified
from clipviewer.storage.embedded.body import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Frame
from clipviewer.storage.embedded.errors import S3Failure
from tests.storage.raw import Reply, send, signed_headers
from tests.storage.serving import BUCKET, KEYS, Served

DATA = bytes(range(256)) * 1000
CHUNKS = [DATA[:65536], DATA[65536:131072], DATA[131072:]]
CRC32 = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()
SHA256 = base64.b64encode(hashlib.sha256(DATA).digest()).decode()
EMPTY = hashlib.sha256(b"").hexdigest()
TARGET = f"/s3/{BUCKET}/chunked"

AWS_KEYS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
AWS_CHUNKS = [b"a" * 65536, b"a" * 1024, b""]
AWS_SIGNATURES = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
]
AWS_TRAILER_SIGNATURES = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
]
AWS_TRAILER = (
    "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"
)


def framed(chunks: Sequence[bytes], signatures: Sequence[str] = (), trailer: str = "") -> bytes:
    """Return ``chunks`` in aws-chunked framing; the last chunk is empty."""
    parts = []
    for at, chunk in enumerate(chunks):
        signed = f";chunk-signature={signatures[at]}" if signatures else ""
        parts.append(f"{len(chunk):x}{signed}\r\n".encode() + (chunk + b"\r\n" if chunk else b""))
    return b"".join(parts) + f"{trailer}\r\n".encode()


def aws_frame(with_trailer: bool) -> Frame:
    """Return the frame from AWS's own examples."""
    seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    if not with_trailer:
        seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    verified = Verified(SIGNED_TRAILER if with_trailer else SIGNED, "20130524T000000Z", seed)
    return Frame(verified, AWS_KEYS, "us-east-1", "x-amz-checksum-crc32c" if with_trailer else None)


@pytest.mark.parametrize("size", [1, 7, 4096, 100_000])
def test_the_example_of_aws_is_read_however_it_is_cut(size: int) -> None:
    raw = framed(AWS_CHUNKS, AWS_SIGNATURES)
    frame = aws_frame(with_trailer=False)
    assert b"".join(frame.feed(raw[at : at + size]) for at in range(0, len(raw), size)) == b"a" * 66560
    assert frame.finish() == {}


def test_the_example_of_aws_with_a_trailer_is_read() -> None:
    frame = aws_frame(with_trailer=True)
    assert frame.feed(framed(AWS_CHUNKS, AWS_TRAILER_SIGNATURES, AWS_TRAILER)) == b"a" * 66560
    assert frame.finish() == {"x-amz-checksum-crc32c": "sOO8/Q=="}


@pytest.mark.parametrize(
    ("before", "after"),
    [("sOO8/Q==", "sOO8/Q=A"), ("d81f82fc", "d81f82fd"), ("x-amz-trailer-signature:", "x-amz-trailer-signature:0"), ("crc32c:", "crc32:")],
)
def test_a_changed_trailer_is_refused(before: str, after: str) -> None:
    frame = aws_frame(with_trailer=True)
    with pytest.raises(S3Failure) as caught:
        frame.feed(framed(AWS_CHUNKS, AWS_TRAILER_SIGNATURES, AWS_TRAILER.replace(before, after)))
    assert caught.value.code in ("SignatureDoesNotMatch", "MalformedTrailerError")


def put(
    served: Served, payload: str, body: bytes, *, length: int = len(DATA), trailer: str | None = None, chunks: Sequence[bytes] = ()
) -> Reply:
    """PUT ``body``, or ``chunks`` signed one by one."""
    extra = {"x-amz-decoded-content-length": str(length), "Content-Encoding": "aws-chunked"}
    if trailer is not None:
        extra["x-amz-trailer"] = trailer
    headers = signed_headers("PUT", f"http://{served.host}{TARGET}", b"", extra, payload)
    if chunks:
        body = framed([*chunks, b""], signatures(headers, [*chunks, b""]))
    return send(served.port, "PUT", TARGET, headers | {"Content-Length": str(len(body))}, body)


def signatures(headers: dict[str, str], chunks: Sequence[bytes]) -> list[str]:
    previous = headers["Authorization"].rpartition("Signature=")[2]
    timestamp = headers["X-Amz-Date"]
    key = signing_key(KEYS.secret_key, timestamp[:8], "us-east-1")
    made = []
    for chunk in chunks:
        scope = f"{timestamp}\n{timestamp[:8]}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{scope}\n{previous}\n{EMPTY}\n{hashlib.sha256(chunk).hexdigest()}"
        previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        made.append(previous)
    return made


def stored(served: Served) -> bytes | None:
    client = served.client()
    try:
        with client.get_object(Bucket=BUCKET, Key="chunked")["Body"] as body:
            data: bytes = body.read()
            return data
    except ClientError:
        return None
    finally:
        client.delete_object(Bucket=BUCKET, Key="chunked")
        client.close()


def test_signed_chunks_become_the_object(served: Served) -> None:
    assert put(served, SIGNED, b"", chunks=CHUNKS).status == 200
    assert stored(served) == DATA


def test_the_frame_is_no_part_of_the_objects_encoding(served: Served) -> None:
    put(served, SIGNED, b"", chunks=CHUNKS)
    client = served.client()
    assert "ContentEncoding" not in client.head_object(Bucket=BUCKET, Key="chunked")
    client.delete_object(Bucket=BUCKET, Key="chunked")
    client.close()


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_changed_chunk_stores_nothing(served: Served, which: int) -> None:
    extra = {"x-amz-decoded-content-length": str(len(DATA))}
    headers = signed_headers("PUT", f"http://{served.host}{TARGET}", b"", extra, SIGNED)
    signed = signatures(headers, [*CHUNKS, b""])
    altered = [chunk[::-1] if at == which else chunk for at, chunk in enumerate(CHUNKS)]
    body = framed([*altered, b""], signed)
    reply = send(served.port, "PUT", TARGET, headers | {"Content-Length": str(len(body))}, body)
    assert (reply.status, reply.code) == (403, "SignatureDoesNotMatch")
    assert stored(served) is None


def test_chunks_in_another_order_store_nothing(served: Served) -> None:
    extra = {"x-amz-decoded-content-length": str(len(DATA))}
    headers = signed_headers("PUT", f"http://{served.host}{TARGET}", b"", extra, SIGNED)
    signed = signatures(headers, [*CHUNKS, b""])
    body = framed([CHUNKS[1], CHUNKS[0], CHUNKS[2], b""], [signed[1], signed[0], *signed[2:]])
    assert send(served.port, "PUT", TARGET, headers | {"Content-Length": str(len(body))}, body).code == "SignatureDoesNotMatch"
    assert stored(served) is None


@pytest.mark.parametrize(("name", "value"), [("x-amz-checksum-crc32", CRC32), ("x-amz-checksum-sha256", SHA256)])
def test_a_trailing_checksum_is_verified_and_kept(served: Served, name: str, value: str) -> None:
    reply = put(served, UNSIGNED_TRAILER, framed([*CHUNKS, b""], trailer=f"{name}:{value}\r\n"), trailer=name)
    assert (reply.status, reply.headers[name]) == (200, value)
    assert stored(served) == DATA


@pytest.mark.parametrize(
    ("trailer", "announced", "code"),
    [
        ("x-amz-checksum-crc32:AAAAAA==\r\n", "x-amz-checksum-crc32", "BadDigest"),
        ("x-amz-checksum-crc32:!\r\n", "x-amz-checksum-crc32", "InvalidDigest"),
        (f"x-amz-checksum-sha1:{CRC32}\r\n", "x-amz-checksum-crc32", "MalformedTrailerError"),
        ("", "x-amz-checksum-crc32", "MalformedTrailerError"),
        (f"x-amz-checksum-crc32:{CRC32}\r\n", "x-amz-meta-a", "MalformedTrailerError"),
        (f"x-amz-checksum-crc32:{CRC32}\r\n", None, "MalformedTrailerError"),
        ("x-amz-checksum-crc32c:AAAAAA==\r\n", "x-amz-checksum-crc32c", "NotImplemented"),
    ],
)
def test_a_wrong_trailing_checksum_stores_nothing(served: Served, trailer: str, announced: str | None, code: str) -> None:
    assert put(served, UNSIGNED_TRAILER, framed([*CHUNKS, b""], trailer=trailer), trailer=announced).code == code
    assert stored(served) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(framed([*CHUNKS[:2], b""], trailer=f"x-amz-checksum-crc32:{CRC32}\r\n"), id="a chunk missing"),
        pytest.param(framed(CHUNKS)[:-2], id="no last chunk"),
        pytest.param(b"zz\r\n" + framed([*CHUNKS, b""]), id="a size that is none"),
        pytest.param(b"3\r\nabcdef\r\n0\r\n\r\n", id="data longer than its size"),
        pytest.param(b"f" * 5000, id="a size without an end"),
        pytest.param(framed([*CHUNKS, b"more", b""], trailer=f"x-amz-checksum-crc32:{CRC32}\r\n"), id="more than announced"),
        pytest.param(framed([*CHUNKS, b""], trailer=f"x-amz-checksum-crc32:{CRC32}\r\n") + b"x", id="something after the end"),
    ],
)
def test_a_broken_frame_stores_nothing(served: Served, body: bytes) -> None:
    assert put(served, UNSIGNED_TRAILER, body, trailer="x-amz-checksum-crc32").code == "IncompleteBody"
    assert stored(served) is None


def test_an_unknown_way_of_sending_the_body_is_refused(served: Served) -> None:
    assert put(served, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", b"x", length=1).code == "InvalidRequest"


def test_a_body_of_unknown_length_is_refused(served: Served) -> None:
    headers = signed_headers("PUT", f"http://{served.host}{TARGET}", payload="UNSIGNED-PAYLOAD")
    del headers["Content-Length"]
    reply = send(served.port, "PUT", TARGET, headers | {"Transfer-Encoding": "chunked"}, b"1\r\nx\r\n0\r\n\r\n")
    assert (reply.status, reply.code) == (411, "MissingContentLength")
