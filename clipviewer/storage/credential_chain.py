"""Credentials as boto3's chain finds and refreshes them, with the moment at which they die."""

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
"""What botocore calls its sources, for people."""


class Chain(Protocol):
    """What botocore's ``Credentials`` and ``RefreshableCredentials`` offer."""

    def get_frozen_credentials(self) -> ReadOnlyCredentials: ...


def credential_source(chain: Chain | None) -> CredentialSource:
    """A function that returns the credentials of this moment, renewed by botocore when they are about to end.

    It raises ``StorageCredentials`` when there are none or when they cannot be renewed.
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
    """One consistent pair of keys and expiry.

    botocore offers the expiry only as ``_expiry_time`` and publishes it after the keys to which it belongs. An expiry that is the same
    before and after reading the keys is therefore never later than the true one. Where keys live so shortly that botocore renews them at
    every reading, it is never the same: then the earlier one, of the keys just before, is on the safe side.
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
