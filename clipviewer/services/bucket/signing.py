"""Presigned URLs that browsers can cache: one stable URL per object and window, with its true expiry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from clipviewer.domain.bucket_address import bucket_address
from clipviewer.domain.content_disposition import attachment
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.sigv4 import Bucket, Credentials, presign
from clipviewer.errors import NotFound, SigningFailed, StorageError
from clipviewer.settings import EMBEDDED_PATH, MAX_URL_TTL, Settings
from clipviewer.storage.credential_chain import CredentialSource
from clipviewer.storage.s3 import ObjectStore, embedded_origin

MIN_URL_TTL = 4
_ORIGIN = re.compile(r"https?://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)

Addresses = Callable[[str | None], Bucket]


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """``expires_at`` (UTC) is the true expiry. The URL grants access, so it is not part of ``repr``."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Signature:
    """The signing date of a URL, its lifetime in seconds, and its expiry (UTC)."""

    signed_at: datetime
    ttl: int
    expires_at: datetime


def signature_at(now: datetime, ttl: int, credentials_end: datetime | None = None) -> Signature:
    """Return the signature for a URL issued at ``now``: dated back to the start of its window, a quarter of ``ttl``.

    All URLs of a window are equal, and their remaining life is between three quarters of ``ttl`` and ``ttl``. A URL cannot outlive
    temporary credentials: ``ttl`` is then shortened to their expiry, so that the URL is truthful. Raises ``ValueError`` if they have
    expired.
    """
    seconds = int(now.timestamp())
    signature = _signature(seconds - seconds % (ttl // 4), ttl, credentials_end)
    if signature.expires_at <= now:
        raise ValueError("the credentials have expired")
    return signature


@lru_cache(maxsize=64)
def _signature(start: int, ttl: int, credentials_end: datetime | None) -> Signature:
    signed_at = datetime.fromtimestamp(start, UTC)
    if credentials_end is not None:
        ttl = min(ttl, int((credentials_end - signed_at).total_seconds()))
    return Signature(signed_at, ttl, signed_at + timedelta(seconds=ttl))


class UrlSigner:
    """Signs GET for one key, or PUT for one part of it.

    Pure computation of about 10 µs, unless botocore has to refresh the credentials first.
    """

    def __init__(
        self,
        credentials: CredentialSource,
        addresses: Addresses,
        *,
        prefix: str = "",
        ttl: int = MAX_URL_TTL,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``addresses`` returns the bucket's address for an origin; ``ttl`` is 4 to 3600 seconds, else ``ValueError``."""
        if not MIN_URL_TTL <= ttl <= MAX_URL_TTL:
            raise ValueError(f"a URL's lifetime is {MIN_URL_TTL} to {MAX_URL_TTL} seconds")
        self._credentials = credentials
        self._addresses = addresses
        self._prefix = prefix
        self._ttl = ttl
        self._clock = clock

    def sign(self, key: str, *, origin: str | None = None, download_name: str | None = None) -> SignedUrl:
        """Return a URL for ``key``, downloaded as ``download_name`` if given.

        ``origin`` (``scheme://host[:port]``) is the browser's; only the embedded store, which answers there, uses it. Raises ``NotFound``
        for a key outside the prefix or of invalid form (a second check; the first is the clip's lookup), and ``SigningFailed`` without
        usable credentials or for an invalid origin.
        """
        overrides = None if download_name is None else {"response-content-disposition": attachment(download_name)}
        return self._signed("GET", key, origin, overrides)

    def sign_part(
        self, key: str, upload_id: str, number: int, *, origin: str | None = None, headers: Mapping[str, str] | None = None
    ) -> SignedUrl:
        """Return a URL that accepts part ``number`` of one upload, with exactly these ``headers``. Raises as ``sign`` does."""
        return self._signed("PUT", key, origin, {"partNumber": str(number), "uploadId": upload_id}, headers)

    def _signed(
        self, method: str, key: str, origin: str | None, overrides: Mapping[str, str] | None, headers: Mapping[str, str] | None = None
    ) -> SignedUrl:
        try:
            check_object_key(key, self._prefix)
        except ValueError as error:
            raise NotFound from error
        credentials = self._current_credentials()
        try:
            bucket = self._addresses(origin)
        except ValueError as error:
            raise SigningFailed("The address in the browser's request is not valid") from error
        try:
            dated = signature_at(self._clock(), self._ttl, credentials.expires_at)
        except ValueError as error:
            raise SigningFailed("The server's storage credentials have expired. Check how they are renewed") from error
        url = presign(
            credentials, bucket, key, signed_at=dated.signed_at, ttl=dated.ttl, method=method, overrides=overrides, headers=headers
        )
        return SignedUrl(url, dated.expires_at)

    def _current_credentials(self) -> Credentials:
        try:
            return self._credentials()
        except StorageError as error:
            raise SigningFailed(error.detail) from error


def signer_for(settings: Settings, store: ObjectStore, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> UrlSigner:
    """Return the signer of the configured bucket, with the credentials of ``store``."""
    addresses = embedded_addresses(settings) if settings.embedded else public_address(settings)
    return UrlSigner(store.credentials, addresses, prefix=settings.s3_prefix, ttl=settings.url_ttl, clock=clock)


def internal_signer(settings: Settings, store: ObjectStore) -> UrlSigner:
    """Return a signer for the address by which the server reaches the store, as the renderer does."""
    endpoint = embedded_origin(settings) + EMBEDDED_PATH if settings.embedded else settings.s3_endpoint_url
    bucket = bucket_address(settings.bucket, settings.s3_region, endpoint)
    return UrlSigner(store.credentials, lambda _origin: bucket, prefix=settings.s3_prefix)


def public_address(settings: Settings) -> Addresses:
    """Return the one address that browsers use: the public endpoint, else the server's, else AWS."""
    bucket = bucket_address(settings.bucket, settings.s3_region, settings.s3_public_endpoint_url or settings.s3_endpoint_url)
    return lambda _origin: bucket


def embedded_addresses(settings: Settings) -> Addresses:
    """Return addresses for the embedded store, which answers wherever the app does: at the browser's origin.

    ``CLIPVIEWER_PUBLIC_URL`` wins: behind a proxy that terminates TLS the server cannot know the scheme. Without an origin it is the
    address by which the server reaches itself.
    """
    fixed, fallback = settings.public_url, embedded_origin(settings)

    @lru_cache(maxsize=256)
    def address(origin: str | None) -> Bucket:
        if fixed is None and origin is not None and not _ORIGIN.fullmatch(origin):
            raise ValueError("not an origin")
        return bucket_address(settings.bucket, settings.s3_region, (fixed or origin or fallback) + EMBEDDED_PATH)

    return address
