"""Credentials from boto3's chain, refreshed by botocore, with their true expiry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from clipviewer.domain.sigv4 import Credentials
from clipviewer.errors import StorageCredentials

CredentialSource = Callable[[], Credentials]

_READINGS = 3

NO_CREDENTIALS = (
    "The server has no credentials for the storage: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or give its machine a role, and start clipviewer again"
)
REFRESH_FAILED = "The server could not renew its credentials for the storage: check its role or its profile"

KIND_WORDS = {
    "embedded": "the embedded store",
    "env": "environment variables",
    "explicit": "environment variables",
    "shared-credentials-file": "a profile in the credentials file",
    "config-file": "a profile in the configuration file",
    "iam-role": "the role of this machine",
    "container-role": "the role of this container",
    "assume-role": "an assumed role",
    "assume-role-with-web-identity": "a role by web identity",
    "sso": "a single sign-on profile",
    "custom-process": "a command named by the profile",
}
"""Display names for botocore's credential sources."""


class Chain(Protocol):
    """The interface of botocore's ``Credentials`` and ``RefreshableCredentials``."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials: ...


def credential_source(chain: Chain | None) -> CredentialSource:
    """Return a function that returns current credentials, refreshed by botocore shortly before they expire.

    It raises ``StorageCredentials`` when there are none or when they cannot be refreshed.
    """

    def current() -> Credentials:
        if chain is None:
            raise StorageCredentials(NO_CREDENTIALS)
        try:
            return _read(chain)
        except (BotoCoreError, ClientError, RuntimeError) as error:
            raise StorageCredentials(REFRESH_FAILED) from error

    return current


def _read(chain: Chain) -> Credentials:
    """Return one consistent pair of keys and expiry.

    botocore exposes the expiry only as ``_expiry_time`` and sets it after the keys that it belongs to. An expiry that is equal before and
    after reading the keys is therefore never later than the true one. If keys are so short-lived that botocore refreshes them on every
    read, the values never match; the earlier one, of the previous keys, is then the safe choice.
    """
    for _ in range(_READINGS):
        expiry: datetime | None = getattr(chain, "_expiry_time", None)
        keys = chain.get_frozen_credentials()
        if getattr(chain, "_expiry_time", None) == expiry:
            break
    if not keys.access_key or not keys.secret_key:
        raise StorageCredentials(NO_CREDENTIALS)
    return _credentials(keys.access_key, keys.secret_key, keys.token, expiry)


@lru_cache(maxsize=4)
def _credentials(access_key: str, secret_key: str, token: str | None, expiry: datetime | None) -> Credentials:
    return Credentials(access_key, secret_key, token or None, expiry.astimezone(UTC) if expiry else None)
