"""Verify AWS Signature Version 4 in headers and queries. There is no anonymous access.

Source: AWS, "Authenticating Requests (AWS Signature Version 4)". Stricter than AWS in one way: every fault of the authentication itself
is a 403, so a tampered URL never looks like a malformed one.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clipviewer.domain.sigv4 import (
    ALGORITHM,
    MAX_TTL,
    UNSIGNED_PAYLOAD,
    Credentials,
    canonical_query,
    canonical_request,
    signature,
    uri_encode,
)
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.messages import Request

MAX_SKEW = timedelta(minutes=15)
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_SECONDS = re.compile(r"[0-9]{1,6}")
_PRESIGNED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")


@dataclass(frozen=True, slots=True)
class Verified:
    """A request with a valid signature.

    ``payload`` is what was signed for the body: a SHA-256 in hex, ``UNSIGNED-PAYLOAD`` or a ``STREAMING-…`` name. ``timestamp`` and
    ``signature`` seed the chunk signatures of a streamed body. ``expires_at`` is set for presigned URLs only.
    """

    payload: str
    timestamp: str
    signature: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Claim:
    credential: str
    timestamp: str
    signed_headers: str
    signature: str
    token: str | None
    payload: str


def verify(request: Request, credentials: Credentials, region: str, now: datetime) -> Verified:
    """Return what the signature covers. Raises ``S3Failure`` with status 403 if it is not valid at ``now`` (UTC)."""
    header = request.header("authorization")
    by_header = header is not None and header.startswith(f"{ALGORITHM} ")
    by_query = any(name.lower().startswith("x-amz-") and name in _PRESIGNED for name, _ in request.query)
    if by_header == by_query:
        raise S3Failure("AccessDenied", "Sign the request, by header or by query." if not by_header else "Sign the request only once.")
    claim = _claim_of_header(request, header or "") if by_header else _claim_of_query(request)
    signed_at = _moment(claim.timestamp)
    _check_credential(claim, credentials, region)
    expires_at = None
    if by_query:
        expires_at = _check_life(request.parameter("X-Amz-Expires") or "", signed_at, now)
    elif abs(now - signed_at) > MAX_SKEW:
        raise S3Failure("RequestTimeTooSkewed")
    _check_signature(request, claim, credentials, region)
    return Verified(claim.payload, claim.timestamp, claim.signature, expires_at)


def _claim_of_query(request: Request) -> _Claim:
    counts = Counter(name for name, _ in request.query)
    if any(counts[name] != 1 for name in _PRESIGNED) or any(count > 1 for count in counts.values()):
        raise S3Failure("AccessDenied", "Each query parameter must stand exactly once.")
    algorithm, credential, timestamp, _, signed_headers, signed = (request.parameter(name) or "" for name in _PRESIGNED)
    if algorithm != ALGORITHM:
        raise S3Failure("AccessDenied", f"The only algorithm is {ALGORITHM}.")
    payload = request.header("x-amz-content-sha256") or request.parameter("X-Amz-Content-Sha256") or UNSIGNED_PAYLOAD
    return _Claim(credential, timestamp, signed_headers, signed, request.parameter("X-Amz-Security-Token"), payload)


def _claim_of_header(request: Request, header: str) -> _Claim:
    parts = [part.strip().partition("=") for part in header.removeprefix(ALGORITHM).split(",")]
    fields = {name: value for name, _, value in parts}
    if len(parts) != 3 or set(fields) != {"Credential", "SignedHeaders", "Signature"}:
        raise S3Failure("AccessDenied", "The Authorization header is not well formed.")
    timestamp, payload = request.header("x-amz-date"), request.header("x-amz-content-sha256")
    if timestamp is None or payload is None:
        raise S3Failure("AccessDenied", "Send x-amz-date and x-amz-content-sha256.")
    token = request.header("x-amz-security-token")
    return _Claim(fields["Credential"], timestamp, fields["SignedHeaders"], fields["Signature"], token, payload)


def _moment(timestamp: str) -> datetime:
    try:
        if _TIMESTAMP.fullmatch(timestamp):
            return datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise S3Failure("AccessDenied", "The signing date is not valid.")


def _check_credential(claim: _Claim, credentials: Credentials, region: str) -> None:
    access_key, _, scope = claim.credential.partition("/")
    if not _equal(access_key, credentials.access_key):
        raise S3Failure("InvalidAccessKeyId")
    if scope != f"{claim.timestamp[:8]}/{region}/s3/aws4_request":
        raise S3Failure("SignatureDoesNotMatch", f"The credential must be scoped to the day of the request, {region}, s3 and aws4_request.")
    if not _equal(claim.token or "", credentials.session_token or ""):
        raise S3Failure("InvalidToken")


def _check_life(expires: str, signed_at: datetime, now: datetime) -> datetime:
    if not _SECONDS.fullmatch(expires) or not 1 <= int(expires) <= MAX_TTL:
        raise S3Failure("AccessDenied", f"X-Amz-Expires must be from 1 to {MAX_TTL} seconds.")
    if signed_at - now > MAX_SKEW:
        raise S3Failure("AccessDenied", "The address is not valid yet.")
    expires_at = signed_at + timedelta(seconds=int(expires))
    if now >= expires_at:
        raise S3Failure("AccessDenied", "Request has expired")
    return expires_at


def _check_signature(request: Request, claim: _Claim, credentials: Credentials, region: str) -> None:
    names = claim.signed_headers.split(";")
    if names != sorted(set(names)) or "host" not in names or any(name not in request.headers for name in names):
        raise S3Failure("SignatureDoesNotMatch", "The signed headers must be sent, sorted and include host.")
    if any(name.startswith("x-amz-") and name not in names for name in request.headers):
        raise S3Failure("AccessDenied", "There were x-amz- headers present in the request which were not signed.")
    text = canonical_request(
        request.method,
        uri_encode(request.path, keep_slash=True),
        canonical_query(pair for pair in request.query if pair[0] != "X-Amz-Signature"),
        [(name, request.canonical_header(name)) for name in names],
        claim.payload,
    )
    if not _equal(signature(credentials.secret_key, claim.timestamp, region, text), claim.signature):
        raise S3Failure("SignatureDoesNotMatch")


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
