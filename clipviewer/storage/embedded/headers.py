"""The headers stored with an object, and the headers of responses.

The store shares the app's origin, so uploads must never run there: anything but plain media and text can only be downloaded, and every
response but media is sandboxed. A type that ends in ``+xml`` is no media: browsers show it as XML, which may contain scripts. A sandbox
would make a video's own page cross-origin to the video, and the browser would refuse to play a URL that was opened directly.
"""

from __future__ import annotations

import re
from datetime import datetime

from clipviewer.storage.embedded.auth import Verified
from clipviewer.storage.embedded.conditions import http_date
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.index import Entry
from clipviewer.storage.embedded.messages import Request

DEFAULT_TYPE = "binary/octet-stream"
MAX_METADATA = 2048
_MEDIA_POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_POLICY = f"sandbox; {_MEDIA_POLICY}"
_KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_OVERRIDES = {f"response-{name}": name for name in _KEPT}
_SHOWN = re.compile(
    r"(?:video/[a-z0-9.-]+|audio/[a-z0-9.-]+|image/(?:png|jpeg|webp|avif|gif)|text/vtt|text/plain|application/json)"
    r"(?:\s*;\s*[a-z0-9-]+=[a-z0-9._+-]+)*",
    re.IGNORECASE,
)
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_REFUSED = ("x-amz-tagging", "x-amz-website-redirect-location", "x-amz-server-side-", "x-amz-object-lock-", "x-amz-grant-")
_ACLS = ("private", "bucket-owner-full-control", "bucket-owner-read")


def headers_to_keep(request: Request) -> dict[str, str]:
    """Return the headers to store with an object. Raises ``S3Failure``: MetadataTooLarge, or NotImplemented for unsupported ones."""
    for name in request.headers:
        if name.startswith(_REFUSED):
            raise S3Failure("NotImplemented", f"{name} is not implemented here.")
    if (request.header("x-amz-acl") or "private") not in _ACLS:
        raise S3Failure("NotImplemented", "Objects here are always private.")
    kept = {name: value for name in _KEPT if (value := request.header(name))}
    kept.setdefault("content-type", DEFAULT_TYPE)
    codings = [coding.strip() for coding in kept.pop("content-encoding", "").split(",")]
    if left := ",".join(coding for coding in codings if coding and coding.lower() != "aws-chunked"):
        kept["content-encoding"] = left
    metadata = {name: request.header(name) or "" for name in request.headers if name.startswith("x-amz-meta-")}
    if sum(len(name) - len("x-amz-meta-") + len(value) for name, value in metadata.items()) > MAX_METADATA:
        raise S3Failure("MetadataTooLarge")
    return kept | metadata


def headers_of(entry: Entry, request: Request, verified: Verified, now: datetime) -> dict[str, str]:
    """Return the headers of a GET or HEAD response, with the signed query's response overrides."""
    headers = {name: value for name, value in entry.headers.items() if not name.startswith("x-amz-checksum-")}
    for parameter, name in _OVERRIDES.items():
        if (value := request.parameter(parameter)) is not None:
            if not _PRINTABLE.fullmatch(value):
                raise S3Failure("InvalidArgument", f"{parameter} must be printable ASCII.")
            headers[name] = value
    if "cache-control" not in headers and verified.expires_at is not None:
        headers["cache-control"] = f"private, max-age={int((verified.expires_at - now).total_seconds())}"
    if not _SHOWN.fullmatch(headers["content-type"]):
        headers["content-disposition"] = _as_attachment(headers.get("content-disposition", ""))
    if (request.header("x-amz-checksum-mode") or "").upper() == "ENABLED":
        headers |= {name: value for name, value in entry.headers.items() if name.startswith("x-amz-checksum-")}
    return headers | {"etag": f'"{entry.etag}"', "last-modified": http_date(entry.modified), "accept-ranges": "bytes"}


def protection(content_type: str) -> dict[str, str]:
    """Return the headers that isolate a response of this type from the app's origin."""
    media = _SHOWN.fullmatch(content_type) and content_type.lower().startswith(("video/", "audio/", "image/"))
    return {"x-content-type-options": "nosniff", "content-security-policy": _MEDIA_POLICY if media else _POLICY}


def _as_attachment(disposition: str) -> str:
    _, separator, parameters = disposition.partition(";")
    return f"attachment{separator}{parameters}"
