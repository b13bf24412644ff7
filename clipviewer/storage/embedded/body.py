"""Decode a request's aws-chunked body and verify every checksum sent with it.

Source: AWS, "Signature calculations for the Authorization header: Transferring a payload in multiple chunks" and "… Including trailing
headers", "Checking object integrity". Pure: bytes in, bytes out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import zlib
from collections.abc import Mapping
from typing import Protocol

from clipviewer.domain.sigv4 import UNSIGNED_PAYLOAD, Credentials, signing_key
from clipviewer.storage.embedded.auth import Verified
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.messages import Request

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_EMPTY = hashlib.sha256(b"").hexdigest()
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?")
_LONGEST_LINE = 4096


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _hash(algorithm: str) -> _Hash:
    if algorithm == "crc32":
        return _Crc32()
    if algorithm in ("sha1", "sha256", "sha512"):
        return hashlib.new(algorithm, usedforsecurity=False)
    raise S3Failure("NotImplemented", f"The checksum {algorithm} is not implemented here; use crc32, sha1 or sha256.")


class BodyCheck:
    """Takes the raw body in pieces and returns the object's bytes; ``finish`` verifies every announced length, hash and signature.

    Raises ``S3Failure``: XAmzContentSHA256Mismatch, SignatureDoesNotMatch (a chunk), BadDigest, InvalidDigest, IncompleteBody,
    MalformedTrailerError. ``checksums`` holds the verified ``x-amz-checksum-…`` headers after ``finish``.
    """

    def __init__(self, request: Request, verified: Verified, credentials: Credentials, region: str) -> None:
        self._payload = verified.payload
        self._sha256 = hashlib.sha256() if _SHA256.fullmatch(self._payload) else None
        self._frame: Frame | None = None
        if self._payload in (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER):
            self._frame = Frame(verified, credentials, region, request.header("x-amz-trailer"))
        elif self._sha256 is None and self._payload != UNSIGNED_PAYLOAD:
            raise S3Failure("InvalidRequest", "x-amz-content-sha256 is neither a SHA-256 nor one of the known names.")
        self._expected = {name: value for name in request.headers if _is_checksum(name) and (value := request.header(name)) is not None}
        self._md5 = request.header("content-md5")
        if self._md5 is not None:
            self._expected["content-md5"] = self._md5
        announced = [] if self._frame is None or self._frame.trailer is None else [self._frame.trailer]
        self._hashes = {name: _hash(name.rpartition("-")[2]) for name in [*self._expected, *announced] if name != "content-md5"}
        if self._md5 is not None:
            self._hashes["content-md5"] = hashlib.md5(usedforsecurity=False)
        length = request.header("x-amz-decoded-content-length" if self._frame else "content-length")
        if length is None or not length.isascii() or not length.isdigit() or len(length) > 15:
            raise S3Failure("MissingContentLength")
        self.length = int(length)
        self._seen = 0
        self.checksums: dict[str, str] = {}

    def feed(self, raw: bytes) -> bytes:
        """Return the object's bytes in ``raw``."""
        data = raw if self._frame is None else self._frame.feed(raw)
        self._seen += len(data)
        if self._seen > self.length:
            raise S3Failure("IncompleteBody")
        if self._sha256 is not None:
            self._sha256.update(data)
        for each in self._hashes.values():
            each.update(data)
        return data

    def finish(self) -> None:
        """Raise ``S3Failure`` unless the body is complete and matches what was signed and announced."""
        expected = dict(self._expected)
        if self._frame is not None:
            expected |= self._frame.finish()
        if self._seen != self.length:
            raise S3Failure("IncompleteBody")
        if self._sha256 is not None and not hmac.compare_digest(self._sha256.hexdigest(), self._payload):
            raise S3Failure("XAmzContentSHA256Mismatch")
        for name, value in expected.items():
            digest = self._hashes[name].digest()
            if _decoded(value, len(digest)) != digest:
                raise S3Failure("BadDigest")
        self.checksums = {name: value for name, value in expected.items() if name != "content-md5"}


class Frame:
    """The aws-chunked encoding: ``size[;chunk-signature=…] CRLF data CRLF``, ended by a chunk of size 0 and an optional trailer."""

    def __init__(self, verified: Verified, credentials: Credentials, region: str, trailer: str | None) -> None:
        self._signed = verified.payload != UNSIGNED_TRAILER
        with_trailer = verified.payload != SIGNED
        if with_trailer != (trailer is not None) or (trailer is not None and not _is_checksum(trailer.strip().lower())):
            raise S3Failure("MalformedTrailerError", "x-amz-trailer must name one checksum, and only where a trailer was announced.")
        self.trailer = trailer.strip().lower() if trailer is not None else None
        day = verified.timestamp[:8]
        self._key = signing_key(credentials.secret_key, day, region)
        self._scope = f"{verified.timestamp}\n{day}/{region}/s3/aws4_request"
        self._previous = verified.signature
        self._promised = b""
        self._buffer = b""
        self._at = 0
        self._state = "size"
        self._left = 0
        self._hash = hashlib.sha256()
        self._trailers: dict[str, str] = {}

    def feed(self, raw: bytes) -> bytes:
        """Return the data in ``raw``. Incomplete lines wait for the next call."""
        self._buffer, self._at = self._buffer[self._at :] + raw, 0
        data = bytearray()
        while self._step(data):
            pass
        return bytes(data)

    def finish(self) -> Mapping[str, str]:
        """Return the trailing checksum, if one was announced. Raises ``S3Failure`` if the encoding is incomplete."""
        if self._state != "done":
            raise S3Failure("IncompleteBody")
        if self.trailer is not None and self.trailer not in self._trailers:
            raise S3Failure("MalformedTrailerError")
        return {} if self.trailer is None else {self.trailer: self._trailers[self.trailer]}

    def _step(self, data: bytearray) -> bool:
        if self._state == "done":
            if self._at < len(self._buffer):
                raise S3Failure("IncompleteBody")
            return False
        if self._state == "data":
            piece = self._buffer[self._at : self._at + self._left]
            self._at += len(piece)
            self._left -= len(piece)
            data += piece
            self._hash.update(piece)
            if self._left == 0:
                self._state = "end of data"
            return bool(piece)
        end = self._buffer.find(b"\r\n", self._at, self._at + _LONGEST_LINE)
        if end < 0:
            if len(self._buffer) - self._at >= _LONGEST_LINE:
                raise S3Failure("IncompleteBody")
            return False
        line, self._at = self._buffer[self._at : end], end + 2
        if self._state == "size":
            self._start_chunk(line)
        elif self._state == "end of data":
            if line:
                raise S3Failure("IncompleteBody")
            self._check_chunk()
            self._state = "size"
        else:
            self._read_trailer(line)
        return True

    def _start_chunk(self, line: bytes) -> None:
        match = _CHUNK.fullmatch(line)
        if match is None or (match[2] is not None) != self._signed:
            raise S3Failure("IncompleteBody", "The body is not well formed aws-chunked.")
        self._left = int(match[1], 16)
        self._promised = match[2] or b""
        if self._left:
            self._state = "data"
        else:
            self._check_chunk()
            self._state = "trailer"

    def _check_chunk(self) -> None:
        if self._signed:
            self._check(f"AWS4-HMAC-SHA256-PAYLOAD\n{self._scope}\n{self._previous}\n{_EMPTY}\n{self._hash.hexdigest()}", self._promised)
        self._hash = hashlib.sha256()

    def _check(self, text: str, promised: bytes) -> None:
        made = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(made.encode(), promised):
            raise S3Failure("SignatureDoesNotMatch", "The signature of a chunk does not match.")
        self._previous = made

    def _read_trailer(self, line: bytes) -> None:
        if line:
            name, _, value = line.decode("latin-1").partition(":")
            name = name.strip().lower()
            if name not in (self.trailer, "x-amz-trailer-signature") or name in self._trailers:
                raise S3Failure("MalformedTrailerError")
            self._trailers[name] = value.strip()
            return
        if self._signed and self.trailer is not None:
            text = hashlib.sha256(f"{self.trailer}:{self._trailers.get(self.trailer, '')}\n".encode("latin-1")).hexdigest()
            promised = self._trailers.get("x-amz-trailer-signature", "").encode("latin-1")
            self._check(f"AWS4-HMAC-SHA256-TRAILER\n{self._scope}\n{self._previous}\n{text}", promised)
        self._state = "done"


def _is_checksum(name: str) -> bool:
    return name.startswith("x-amz-checksum-") and name not in ("x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type")


def _decoded(value: str, size: int) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise S3Failure("InvalidDigest") from error
    if len(digest) != size:
        raise S3Failure("InvalidDigest")
    return digest
