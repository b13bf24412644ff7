"""Bucket operations: listing, batch deletion, location and CORS rules."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from clipviewer.settings import EMBEDDED_BUCKET
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.index import Entry, Index
from clipviewer.storage.embedded.messages import Answer, Request
from clipviewer.storage.embedded.objects import Call, Shelf, delete_keys
from clipviewer.storage.embedded.xml import Content, document, iso_time, parse

PAGE = 1000
CORS_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
CORS_EXPOSED = ("ETag", "Content-Length", "Content-Range", "Accept-Ranges", "x-amz-request-id")
CORS_MAX_AGE = 3000


def list_buckets(_shelf: Shelf, _call: Call) -> Answer:
    """GET on the root."""
    created = iso_time(datetime(2000, 1, 1, tzinfo=UTC))
    owner: list[tuple[str, Content]] = [("ID", EMBEDDED_BUCKET), ("DisplayName", EMBEDDED_BUCKET)]
    buckets: list[tuple[str, Content]] = [("Bucket", [("Name", EMBEDDED_BUCKET), ("CreationDate", created)])]
    return Answer(body=document("ListAllMyBucketsResult", [("Owner", owner), ("Buckets", buckets)]))


def head_bucket(_shelf: Shelf, _call: Call) -> Answer:
    return Answer()


def create_bucket(_shelf: Shelf, _call: Call) -> Answer:
    raise S3Failure("BucketAlreadyOwnedByYou")


def location(region: str) -> Callable[[Shelf, Call], Answer]:
    """GET ?location; S3 leaves the name of ``us-east-1`` out."""
    return lambda _shelf, _call: Answer(body=document("LocationConstraint", "" if region == "us-east-1" else region))


def cors(origins: Sequence[str]) -> Callable[[Shelf, Call], Answer]:
    """GET ?cors."""

    def answer(_shelf: Shelf, _call: Call) -> Answer:
        if not origins:
            raise S3Failure("NoSuchCORSConfiguration")
        rule: list[tuple[str, Content]] = [("AllowedOrigin", origin) for origin in origins]
        rule += [("AllowedMethod", method) for method in CORS_METHODS]
        rule += [("AllowedHeader", "*"), *(("ExposeHeader", name) for name in CORS_EXPOSED), ("MaxAgeSeconds", str(CORS_MAX_AGE))]
        return Answer(body=document("CORSConfiguration", [("CORSRule", rule)]))

    return answer


def list_objects(shelf: Shelf, call: Call) -> Answer:
    """GET ?list-type=2."""
    request = call.request
    if request.parameter("list-type") != "2":
        raise S3Failure("NotImplemented", "Only the second version of the list is implemented here: list-type=2.")
    prefix, delimiter = request.parameter("prefix") or "", request.parameter("delimiter") or ""
    limit = min(_max_keys(request.parameter("max-keys")), PAGE)
    token, start_after = request.parameter("continuation-token"), request.parameter("start-after") or ""
    encode: Callable[[str], str] = _url if _encodes(request) else str
    page = list_page(shelf.index, prefix, delimiter, limit, _position(token) if token is not None else (start_after, True))
    content: list[tuple[str, Content]] = [
        ("Name", EMBEDDED_BUCKET),
        ("Prefix", encode(prefix)),
        ("MaxKeys", str(limit)),
        ("KeyCount", str(len(page.entries) + len(page.prefixes))),
        ("IsTruncated", "true" if page.following else "false"),
    ]
    if delimiter:
        content.append(("Delimiter", encode(delimiter)))
    if _encodes(request):
        content.append(("EncodingType", "url"))
    if start_after:
        content.append(("StartAfter", encode(start_after)))
    if token is not None:
        content.append(("ContinuationToken", token))
    if page.following:
        content.append(("NextContinuationToken", _token(*page.following)))
    content += [("Contents", _contents(entry, encode)) for entry in page.entries]
    content += [("CommonPrefixes", [("Prefix", encode(each))]) for each in page.prefixes]
    return Answer(body=document("ListBucketResult", content))


def delete_objects(shelf: Shelf, call: Call) -> Answer:
    """POST ?delete: up to 1,000 keys."""
    root = parse(call.body, "Delete")
    keys = [element.findtext("Key") or "" for element in root.findall("Object")]
    if not 1 <= len(keys) <= PAGE or not all(keys):
        raise S3Failure("MalformedXML")
    delete_keys(shelf, keys)
    quiet = (root.findtext("Quiet") or "").strip() == "true"
    deleted: list[tuple[str, Content]] = [] if quiet else [("Deleted", [("Key", key)]) for key in keys]
    return Answer(body=document("DeleteResult", deleted))


class Page:
    """One page of a listing. ``following`` is where the next page starts, ``None`` at the end."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.prefixes: list[str] = []
        self.following: tuple[str, bool] | None = None


def list_page(index: Index, prefix: str, delimiter: str, limit: int, position: tuple[str, bool]) -> Page:
    """Return up to ``limit`` keys and common prefixes from ``position`` (a key, and whether that key itself is excluded).

    A common prefix is skipped by one seek, however many keys lie under it.
    """
    page = Page()
    end = after_prefix(prefix) if prefix else None
    first, after = position if position[0] >= prefix else (prefix, False)
    room = limit
    while room:
        entries = index.keys(first, after, end, room + 1 if not delimiter else min(room + 1, 100))
        if not entries:
            return page
        for entry in entries:
            if not room:
                page.following = (first, after)
                return page
            at = entry.key.find(delimiter, len(prefix)) if delimiter else -1
            room -= 1
            if at < 0:
                page.entries.append(entry)
                first, after = entry.key, True
                continue
            common = entry.key[: at + len(delimiter)]
            page.prefixes.append(common)
            beyond = after_prefix(common)
            if beyond is None:
                return page
            first, after = beyond, False
            break
    if limit and index.keys(first, after, end, 1):
        page.following = (first, after)
    return page


def after_prefix(prefix: str) -> str | None:
    """Return the first string in UTF-8 order after all strings that start with ``prefix``; ``None`` if there is none."""
    for at in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[at])
        if code < 0x10FFFF:
            return prefix[:at] + chr(0xE000 if code == 0xD7FF else code + 1)
    return None


def _max_keys(text: str | None) -> int:
    if text is None or text == "":
        return PAGE
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise S3Failure("InvalidArgument", "max-keys must be a whole number.")
    return int(text)


def _encodes(request: Request) -> bool:
    given = request.parameter("encoding-type")
    if given not in (None, "", "url"):
        raise S3Failure("InvalidArgument", "The only encoding type is url.")
    return given == "url"


def _url(text: str) -> str:
    return quote(text, safe="/~")


def _token(key: str, after: bool) -> str:
    return base64.urlsafe_b64encode(f"{'>' if after else '='}{key}".encode()).decode()


def _position(token: str) -> tuple[str, bool]:
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError) as error:
        raise S3Failure("InvalidArgument", "The continuation token is not valid.") from error
    if text[:1] not in (">", "="):
        raise S3Failure("InvalidArgument", "The continuation token is not valid.")
    return text[1:], text[0] == ">"


def _contents(entry: Entry, encode: Callable[[str], str]) -> list[tuple[str, Content]]:
    return [
        ("Key", encode(entry.key)),
        ("LastModified", iso_time(entry.modified)),
        ("ETag", f'"{entry.etag}"'),
        ("Size", str(entry.size)),
        ("StorageClass", "STANDARD"),
    ]
