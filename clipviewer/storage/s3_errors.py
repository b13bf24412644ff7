"""Translate botocore's errors: what was refused, and what to change. None of the store's own wording reaches people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from boto3.exceptions import Boto3Error
from botocore import exceptions as boto

from clipviewer.domain.clock_skew import describe_skew
from clipviewer.errors import (
    ObjectMissing,
    PreconditionFailed,
    StorageClock,
    StorageCredentials,
    StorageDenied,
    StorageError,
    StorageFull,
    StorageUnreachable,
)

_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
    boto.TokenRetrievalError,
    boto.SSOError,
)
_NETWORK = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError)

_BY_CODE: dict[str, type[StorageError]] = {
    "NoSuchKey": ObjectMissing,
    "NoSuchVersion": ObjectMissing,
    "SignatureDoesNotMatch": StorageCredentials,
    "RequestTimeTooSkewed": StorageClock,
    "InvalidAccessKeyId": StorageCredentials,
    "ExpiredToken": StorageCredentials,
    "InvalidToken": StorageCredentials,
    "AccessDenied": StorageDenied,
    "AllAccessDisabled": StorageDenied,
    "InvalidObjectState": StorageDenied,
    "PreconditionFailed": PreconditionFailed,
    "ConditionalRequestConflict": PreconditionFailed,
    "InsufficientStorage": StorageFull,
    "XMinioStorageFull": StorageFull,
    "SlowDown": StorageUnreachable,
    "RequestTimeout": StorageUnreachable,
}
_BY_STATUS: dict[int, type[StorageError]] = {
    404: ObjectMissing,
    403: StorageDenied,
    412: PreconditionFailed,
    429: StorageUnreachable,
    507: StorageFull,
}
_NOT_SIGNATURES = ("InvalidObjectState", "InvalidRange", "RequestTimeout", "InvalidAccessKeyId", "ExpiredToken", "NotImplemented")
_BUSY = "The storage is overloaded or out of order: try again in a moment"
_DETAILS = {
    "NoSuchBucket": "The bucket does not exist: check CLIPVIEWER_S3_BUCKET",
    "PermanentRedirect": "The bucket lies in another region: check CLIPVIEWER_S3_REGION",
    "AuthorizationHeaderMalformed": "The bucket lies in another region: check CLIPVIEWER_S3_REGION",
    "InvalidObjectState": "The object is archived: restore it in the storage first",
    "SlowDown": _BUSY,
    "InvalidRange": "The object ends before the bytes that were asked for",
}


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise a ``StorageError`` in place of every error of boto3 and botocore."""
    try:
        yield
    except boto.ClientError as error:
        raise from_client_error(error) from error
    except Boto3Error as error:
        cause = error.__context__
        raise (from_client_error(cause) if isinstance(cause, boto.ClientError) else StorageError()) from error
    except _CREDENTIALS as error:
        raise StorageCredentials from error
    except _NETWORK as error:
        raise StorageUnreachable from error
    except boto.BotoCoreError as error:
        raise StorageError from error


def from_client_error(error: boto.ClientError) -> StorageError:
    """Translate by S3's error code, or by the HTTP status where there is none, as in every response to HEAD.

    A signature is refused for a wrong key and for a wrong clock alike; the response's ``Date`` tells which.
    """
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    detail = _DETAILS.get(code)
    refused = status in (400, 403) and code not in _NOT_SIGNATURES
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if refused and (skewed := describe_skew(headers.get("date", ""), datetime.now(UTC))):
        return StorageClock(skewed)
    if code in _BY_CODE:
        return _BY_CODE[code](detail)
    if detail:
        return StorageError(detail)
    if status >= 500 and status not in _BY_STATUS:
        return StorageUnreachable(_BUSY)
    return _BY_STATUS.get(status, StorageError)()
