"""AWS Signature Version 4 as pure functions: no clock, no network, no credentials of its own.

Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "… Using the Authorization Header".
Written by hand because botocore cannot fix the signing date, which stable URLs need, and takes many times as long; a property test
holds ``presign`` equal to botocore byte for byte. What many keys share is computed once (``_prepare``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
MAX_TTL = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Credentials:
    """S3 credentials. ``expires_at`` (UTC) is set for temporary ones, which also carry a ``session_token``."""

    access_key: str
    secret_key: str
    session_token: str | None = None
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Credentials(access_key={self.access_key!r}, …)"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The address of a bucket. ``host`` is the Host header (with the port unless it is the scheme's default).

    ``path`` precedes the key, without a trailing slash: ``""`` in virtual-hosted style, ``/bucket`` in path style, ``/s3/bucket`` for the
    embedded store.
    """

    scheme: str
    host: str
    path: str
    region: str


@lru_cache(maxsize=8)
def signing_key(secret_key: str, day: str, region: str, service: str = "s3") -> bytes:
    """Return the signing key for a day (``YYYYMMDD``), region and service. Cached, because it takes four HMACs."""
    key = b"AWS4" + secret_key.encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def uri_encode(value: str, *, keep_slash: bool = False) -> str:
    """Percent-encode as AWS does: everything but ``A–Z a–z 0–9 - . _ ~``, in upper-case hex. Slashes are kept only with ``keep_slash``."""
    return quote(value, safe="/~" if keep_slash else "~")


def canonical_query(parameters: Iterable[tuple[str, str]]) -> str:
    """Return the canonical query string: names and values encoded, then sorted."""
    return _join(sorted(_encoded(parameters)))


def _encoded(parameters: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(uri_encode(name), uri_encode(value)) for name, value in parameters]


def _join(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join([f"{name}={value}" for name, value in pairs])


def canonical_request(
    method: str,
    path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    payload_hash: str = UNSIGNED_PAYLOAD,
) -> str:
    """Return the canonical request. ``path`` and ``query`` are already encoded; header names are lower case and sorted."""
    pairs = list(headers)
    lines = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in pairs)
    names = ";".join(name for name, _ in pairs)
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload_hash}"


def signature(secret_key: str, timestamp: str, region: str, request: str) -> str:
    """Return the signature of a canonical request in hex; ``timestamp`` is ``YYYYMMDDTHHMMSSZ``."""
    day = timestamp[:8]
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"{ALGORITHM}\n{timestamp}\n{day}/{region}/s3/aws4_request\n{digest}"
    return hmac.new(signing_key(secret_key, day, region), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What all keys signed with one date, lifetime, bucket and credentials have in common."""

    pairs: list[tuple[str, str]]
    query: str
    canonical: str
    text: bytes
    key: hmac.HMAC


@lru_cache(maxsize=64)
def _prepare(credentials: Credentials, bucket: Bucket, signed_at: datetime, ttl: int, signed_headers: str = "host") -> _Prepared:
    if not 0 < ttl <= MAX_TTL:
        raise ValueError("a presigned URL must be valid for 1 second to 7 days")
    if signed_at.tzinfo is None:
        raise ValueError("the signing date must have a time zone")
    timestamp = signed_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    day = timestamp[:8]
    scope = f"{day}/{bucket.region}/s3/aws4_request"
    parameters = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": str(ttl),
        "X-Amz-SignedHeaders": signed_headers,
    }
    if credentials.session_token:
        parameters["X-Amz-Security-Token"] = credentials.session_token
    pairs = _encoded(parameters.items())
    return _Prepared(
        pairs=pairs,
        query=_join(pairs),
        canonical=_join(sorted(pairs)),
        text=f"{ALGORITHM}\n{timestamp}\n{scope}\n".encode(),
        key=hmac.new(signing_key(credentials.secret_key, day, bucket.region), digestmod=hashlib.sha256),
    )


def presign(
    credentials: Credentials,
    bucket: Bucket,
    key: str,
    *,
    signed_at: datetime,
    ttl: int,
    method: str = "GET",
    overrides: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Return a URL that allows ``method`` on one ``key`` until ``signed_at`` + ``ttl`` seconds.

    ``overrides`` are further query parameters (``response-content-disposition``, ``partNumber`` …); they are signed too and come first in
    the URL, as botocore writes it. ``headers`` (lower-case names) must be sent with the request exactly as given. ``signed_at`` is aware;
    fractions of a second are dropped. Raises ``ValueError`` for a ttl outside 1 second to 7 days and for a naive date.
    """
    lines, names = f"host:{bucket.host}\n", "host"
    if headers:
        sent = sorted({**headers, "host": bucket.host}.items())
        lines, names = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in sent), ";".join(name for name, _ in sent)
    prepared = _prepare(credentials, bucket, signed_at, ttl, names)
    path = f"{bucket.path}/{uri_encode(key, keep_slash=True)}"
    if overrides:
        pairs = _encoded(overrides.items()) + prepared.pairs
        canonical, query = _join(sorted(pairs)), _join(pairs)
    else:
        canonical, query = prepared.canonical, prepared.query
    request = f"{method}\n{path}\n{canonical}\n{lines}\n{names}\n{UNSIGNED_PAYLOAD}"
    signer = prepared.key.copy()
    signer.update(prepared.text + hashlib.sha256(request.encode()).hexdigest().encode())
    return f"{bucket.scheme}://{bucket.host}{path}?{query}&X-Amz-Signature={signer.hexdigest()}"
