"""Object operations: read, write, copy, delete. Everything here blocks: call it from a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote_plus

from clipviewer.domain.object_key import MAX_KEY_BYTES, check_object_key
from clipviewer.settings import EMBEDDED_BUCKET
from clipviewer.storage.embedded.auth import Verified
from clipviewer.storage.embedded.conditions import check_write, is_unmodified, parse_range, range_applies
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.files import Blob, Files, Reader
from clipviewer.storage.embedded.headers import headers_of, headers_to_keep
from clipviewer.storage.embedded.index import Entry, Index
from clipviewer.storage.embedded.messages import Answer, Request
from clipviewer.storage.embedded.xml import document, iso_time

FIRST_PIECE = 256 * 1024
STALE_UPLOAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Received:
    """A received body that the index does not name yet: its file, MD5 and verified ``x-amz-checksum-…`` headers."""

    blob: Blob
    md5: bytes
    checksums: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """A verified request at ``now`` (UTC). ``received`` is set for uploads, ``body`` for XML."""

    request: Request
    verified: Verified
    now: datetime
    received: Received | None = None
    body: bytes = b""


class Shelf:
    """The index and the files, kept consistent."""

    def __init__(self, root: Path, now: datetime) -> None:
        self.files = Files(root)
        self.index = Index(root / "index.db")
        if self.files.sole_user():
            for upload in self.index.uploads(""):
                if now - upload.created > STALE_UPLOAD:
                    self.index.end_upload(upload.id)
            self.files.sweep(self.index.blob_names())
        self.files.share()

    def close(self) -> None:
        self.index.close()
        self.files.close()

    def put(self, entry: Entry, allow: Callable[[Entry | None], None], upload: str | None = None) -> None:
        """Store ``entry`` unless ``allow`` raises on the current one; delete files that are no longer used."""
        try:
            freed = self.index.put(entry, allow, upload)
        except BaseException as error:
            if upload is None:
                self.files.remove(entry.blobs)
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise S3Failure("InsufficientStorage") from error
            raise
        self.files.remove(freed)

    def open(self, key: str, start_and_length: Callable[[Entry], tuple[int, int]]) -> tuple[Entry, Reader]:
        """Return the object of ``key`` and a reader of the requested part. Looks again if the version is replaced meanwhile."""
        for _ in range(10):
            entry = self.index.get(key)
            if entry is None:
                break
            start, length = start_and_length(entry)
            try:
                return entry, Reader(self.files, entry.blobs, start, length)
            except FileNotFoundError:
                continue
        raise S3Failure("NoSuchKey")


def get_object(shelf: Shelf, call: Call) -> Answer:
    """GET: 200, 206 or 304."""
    span: tuple[int, int] | None = None
    unmodified = False

    def wanted(entry: Entry) -> tuple[int, int]:
        nonlocal span, unmodified
        span = None
        unmodified = is_unmodified(call.request.header, entry.etag, entry.modified)
        if unmodified:
            return 0, 0
        if range_applies(call.request.header("if-range"), entry.etag, entry.modified):
            span = parse_range(call.request.header("range"), entry.size)
        return (0, entry.size) if span is None else (span[0], span[1] - span[0] + 1)

    entry, reader = shelf.open(call.request.key, wanted)
    try:
        headers = headers_of(entry, call.request, call.verified, call.now)
        if unmodified:
            return _not_modified(headers)
        if span is not None:
            headers = {name: value for name, value in headers.items() if not name.startswith("x-amz-checksum-")}
            headers["content-range"] = f"bytes {span[0]}-{span[1]}/{entry.size}"
        headers["content-length"] = str(reader.left)
        first = reader.read(FIRST_PIECE)
    except BaseException:
        reader.close()
        raise
    if not reader.left:
        reader.close()
    return Answer(200 if span is None else 206, headers, first, reader if reader.left else None)


def head_object(shelf: Shelf, call: Call) -> Answer:
    """HEAD: the headers of a GET, without opening a file."""
    entry = shelf.index.get(call.request.key)
    if entry is None:
        raise S3Failure("NoSuchKey")
    unmodified = is_unmodified(call.request.header, entry.etag, entry.modified)
    headers = headers_of(entry, call.request, call.verified, call.now)
    if unmodified:
        return _not_modified(headers)
    span = parse_range(call.request.header("range"), entry.size)
    if span is not None:
        headers["content-range"] = f"bytes {span[0]}-{span[1]}/{entry.size}"
    headers["content-length"] = str(entry.size if span is None else span[1] - span[0] + 1)
    return Answer(200 if span is None else 206, headers)


def check_put(shelf: Shelf, call: Call) -> None:
    """Check what can be refused before the body is received: key, headers and current preconditions."""
    check_key(call.request.key)
    headers_to_keep(call.request)
    before = shelf.index.get(call.request.key)
    check_write(call.request.header, before.etag if before else None)


def put_object(shelf: Shelf, call: Call) -> Answer:
    """PUT: store the received body as the object."""
    received = call.received
    if received is None:
        raise ValueError("a body must have been received")
    kept = {**headers_to_keep(call.request), **received.checksums}
    entry = Entry(call.request.key, received.blob.size, received.md5.hex(), call.now, kept, [received.blob])
    shelf.put(entry, lambda before: check_write(call.request.header, before.etag if before else None))
    return Answer(200, {"etag": f'"{entry.etag}"', **received.checksums})


def delete_object(shelf: Shelf, call: Call) -> Answer:
    """DELETE: 204, whether or not the object existed."""
    delete_keys(shelf, [call.request.key])
    return Answer(204)


def delete_keys(shelf: Shelf, keys: Sequence[str]) -> None:
    shelf.files.remove(shelf.index.delete(keys))


def copy_object(shelf: Shelf, call: Call) -> Answer:
    """PUT with x-amz-copy-source: copy within the store, by hard links where they exist."""
    request = call.request
    check_key(request.key)
    source = _copy_source(request.header("x-amz-copy-source") or "")
    replace = (request.header("x-amz-metadata-directive") or "COPY").upper()
    if replace not in ("COPY", "REPLACE"):
        raise S3Failure("InvalidArgument", "x-amz-metadata-directive is COPY or REPLACE.")
    if source == request.key and replace == "COPY":
        raise S3Failure("InvalidRequest", "A copy onto itself must replace the metadata.")
    kept = headers_to_keep(request)
    original, reader = shelf.open(source, lambda entry: (0, entry.size))
    reader.close()
    if is_unmodified(request.header, original.etag, original.modified, "x-amz-copy-source-"):
        raise S3Failure("PreconditionFailed")
    if replace == "COPY":
        kept = dict(original.headers)
    try:
        blobs = shelf.files.clone(original.blobs)
    except FileNotFoundError as error:
        raise S3Failure("NoSuchKey") from error
    entry = Entry(request.key, original.size, original.etag, call.now, kept, blobs)
    shelf.put(entry, lambda before: check_write(request.header, before.etag if before else None))
    return Answer(200, body=document("CopyObjectResult", [("ETag", f'"{entry.etag}"'), ("LastModified", iso_time(entry.modified))]))


def check_key(key: str) -> None:
    """Raise ``S3Failure`` unless a new object may have this key."""
    if len(key.encode()) > MAX_KEY_BYTES:
        raise S3Failure("KeyTooLongError")
    try:
        check_object_key(key)
    except ValueError as error:
        raise S3Failure("InvalidArgument", f"{str(error).capitalize()}.") from error


def _not_modified(headers: Mapping[str, str]) -> Answer:
    return Answer(304, {name: value for name, value in headers.items() if name in ("etag", "last-modified", "cache-control", "expires")})


def _copy_source(header: str) -> str:
    path, _, version = header.partition("?")
    if version:
        raise S3Failure("NotImplemented", "There are no versions here.")
    bucket, _, key = unquote_plus(path).removeprefix("/").partition("/")
    if bucket != EMBEDDED_BUCKET:
        raise S3Failure("NoSuchBucket")
    if not key:
        raise S3Failure("InvalidArgument", "x-amz-copy-source must name a bucket and a key.")
    return key
