"""Multipart uploads. Completing one joins its parts in the index only: no byte is copied, however long the video."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from clipviewer.settings import EMBEDDED_BUCKET
from clipviewer.storage.embedded.conditions import check_write
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.headers import headers_to_keep
from clipviewer.storage.embedded.index import Entry, Part, Upload
from clipviewer.storage.embedded.messages import Answer
from clipviewer.storage.embedded.objects import Call, Shelf, check_key
from clipviewer.storage.embedded.xml import Content, document, iso_time, parse

CHECKSUMS = ("CRC32", "SHA1", "SHA256")
"""Checksum headers that are verified when a part is sent with one."""

MIN_PART = 5 * 1024 * 1024
MAX_PARTS = 10_000
PAGE = 1000


def create_upload(shelf: Shelf, call: Call) -> Answer:
    """POST ?uploads."""
    check_key(call.request.key)
    upload = Upload(secrets.token_hex(24), call.request.key, call.now, headers_to_keep(call.request))
    shelf.index.start_upload(upload)
    algorithm = (call.request.header("x-amz-checksum-algorithm") or "").upper()
    headers = {"x-amz-checksum-algorithm": algorithm} if algorithm in CHECKSUMS else {}
    return Answer(200, headers, document("InitiateMultipartUploadResult", [*_name(call), ("UploadId", upload.id)]))


def check_part(shelf: Shelf, call: Call) -> None:
    """Check what can be refused before the part is received."""
    _part_number(call.request.parameter("partNumber") or "")
    _upload(shelf, call)


def put_part(shelf: Shelf, call: Call) -> Answer:
    """PUT ?partNumber&uploadId: store the received body as the part, replacing one with the same number."""
    received = call.received
    if received is None:
        raise ValueError("a body must have been received")
    number = _part_number(call.request.parameter("partNumber") or "")
    try:
        upload = _upload(shelf, call)
        freed = shelf.index.put_part(upload.id, Part(number, received.blob, received.md5.hex(), call.now))
    except BaseException:
        shelf.files.remove([received.blob])
        raise
    shelf.files.remove(freed)
    return Answer(200, {"etag": f'"{received.md5.hex()}"', **received.checksums})


def list_parts(shelf: Shelf, call: Call) -> Answer:
    """GET ?uploadId."""
    upload = _upload(shelf, call)
    marker, limit = _number(call, "part-number-marker", 0, MAX_PARTS), min(_number(call, "max-parts", PAGE, 2**31), PAGE)
    parts = [part for part in shelf.index.parts(upload.id) if part.number > marker]
    page = parts[:limit]
    content: list[tuple[str, Content]] = [
        *_name(call),
        ("UploadId", upload.id),
        ("PartNumberMarker", str(marker)),
        ("NextPartNumberMarker", str(page[-1].number if page else marker)),
        ("MaxParts", str(limit)),
        ("IsTruncated", "true" if len(parts) > limit else "false"),
    ]
    content += [("Part", _part(part)) for part in page]
    return Answer(body=document("ListPartsResult", content))


def list_uploads(shelf: Shelf, call: Call) -> Answer:
    """GET ?uploads on the bucket."""
    prefix = call.request.parameter("prefix") or ""
    marker = (call.request.parameter("key-marker") or "", call.request.parameter("upload-id-marker") or "\U0010ffff")
    limit = min(_number(call, "max-uploads", PAGE, 2**31), PAGE)
    uploads = [upload for upload in shelf.index.uploads(prefix) if (upload.key, upload.id) > marker]
    page = uploads[:limit]
    content: list[tuple[str, Content]] = [
        ("Bucket", EMBEDDED_BUCKET),
        ("Prefix", prefix),
        ("MaxUploads", str(limit)),
        ("IsTruncated", "true" if len(uploads) > limit else "false"),
    ]
    if len(uploads) > limit and page:
        content += [("NextKeyMarker", page[-1].key), ("NextUploadIdMarker", page[-1].id)]
    content += [("Upload", [("Key", each.key), ("UploadId", each.id), ("Initiated", iso_time(each.created))]) for each in page]
    return Answer(body=document("ListMultipartUploadsResult", content))


def complete_upload(shelf: Shelf, call: Call) -> Answer:
    """POST ?uploadId: make the listed parts the object; delete the others."""
    upload = _upload(shelf, call)
    chosen = _chosen(call.body, {part.number: part for part in shelf.index.parts(upload.id)})
    if any(part.blob.size < MIN_PART for part in chosen[:-1]):
        raise S3Failure("EntityTooSmall")
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in chosen), usedforsecurity=False)
    etag = f"{digest.hexdigest()}-{len(chosen)}"
    blobs = [part.blob for part in chosen]
    entry = Entry(upload.key, sum(blob.size for blob in blobs), etag, call.now, upload.headers, blobs)
    shelf.put(entry, lambda before: check_write(call.request.header, before.etag if before else None), upload.id)
    return Answer(body=document("CompleteMultipartUploadResult", [*_name(call), ("ETag", f'"{etag}"')]))


def abort_upload(shelf: Shelf, call: Call) -> Answer:
    """DELETE ?uploadId."""
    shelf.files.remove(shelf.index.end_upload(_upload(shelf, call).id))
    return Answer(204)


def _upload(shelf: Shelf, call: Call) -> Upload:
    upload = shelf.index.upload(call.request.parameter("uploadId") or "")
    if upload is None or upload.key != call.request.key:
        raise S3Failure("NoSuchUpload")
    return upload


def _chosen(body: bytes, stored: dict[int, Part]) -> Sequence[Part]:
    chosen: list[Part] = []
    for element in parse(body, "CompleteMultipartUpload").findall("Part"):
        number = _part_number((element.findtext("PartNumber") or "").strip())
        if chosen and number <= chosen[-1].number:
            raise S3Failure("InvalidPartOrder")
        part = stored.get(number)
        if part is None or (element.findtext("ETag") or "").strip().strip('"') != part.etag:
            raise S3Failure("InvalidPart")
        chosen.append(part)
    if not chosen:
        raise S3Failure("MalformedXML")
    return chosen


def _part_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not 1 <= int(text) <= MAX_PARTS:
        raise S3Failure("InvalidArgument", f"Part number must be an integer between 1 and {MAX_PARTS}.")
    return int(text)


def _number(call: Call, name: str, default: int, highest: int) -> int:
    text = call.request.parameter(name)
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > highest:
        raise S3Failure("InvalidArgument", f"{name} must be a whole number.")
    return int(text)


def _name(call: Call) -> list[tuple[str, Content]]:
    return [("Bucket", EMBEDDED_BUCKET), ("Key", call.request.key)]


def _part(part: Part) -> list[tuple[str, Content]]:
    return [
        ("PartNumber", str(part.number)),
        ("LastModified", iso_time(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("Size", str(part.blob.size)),
    ]
