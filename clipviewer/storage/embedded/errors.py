"""Errors of the embedded store with S3's codes and statuses (AWS: "Error responses", Amazon S3 API reference)."""

from __future__ import annotations

from collections.abc import Mapping

_KNOWN: Mapping[str, tuple[int, str]] = {
    "AccessDenied": (403, "Access Denied"),
    "AccessForbidden": (403, "This origin is not among the configured ones."),
    "BadDigest": (400, "The checksum you sent does not match what was received."),
    "BucketAlreadyOwnedByYou": (409, "The bucket exists already."),
    "EntityTooLarge": (400, "The upload is larger than the largest size allowed."),
    "EntityTooSmall": (400, "Every part except the last must have at least 5 MiB."),
    "IncompleteBody": (400, "The body does not have the number of bytes that was announced."),
    "InsufficientStorage": (507, "The disk is full."),
    "InternalError": (500, "Something went wrong in the store. Try again."),
    "InvalidAccessKeyId": (403, "The access key is not known here."),
    "InvalidArgument": (400, "An argument is not valid."),
    "InvalidDigest": (400, "The Content-MD5 is not valid."),
    "InvalidPart": (400, "A part was not found, or its ETag does not match."),
    "InvalidPartOrder": (400, "The parts must be listed in ascending order."),
    "InvalidRange": (416, "The requested range cannot be satisfied."),
    "InvalidRequest": (400, "The request is not valid."),
    "InvalidToken": (403, "The session token is not valid."),
    "InvalidURI": (400, "The path is not valid."),
    "KeyTooLongError": (400, "The key is too long."),
    "MalformedTrailerError": (400, "The trailer is not well formed or not the announced one."),
    "MalformedXML": (400, "The XML is not well formed or not what was expected."),
    "MetadataTooLarge": (400, "The metadata is larger than 2 KB."),
    "MethodNotAllowed": (405, "The method is not allowed on this resource."),
    "MissingContentLength": (411, "Send the Content-Length header."),
    "NoSuchBucket": (404, "The bucket does not exist."),
    "NoSuchCORSConfiguration": (404, "No origins are configured."),
    "NoSuchKey": (404, "The key does not exist."),
    "NoSuchUpload": (404, "The upload does not exist; it may have been aborted or completed."),
    "NotImplemented": (501, "This part of S3 is not implemented."),
    "PreconditionFailed": (412, "A precondition does not hold."),
    "RequestTimeTooSkewed": (403, "The difference between the request's time and the server's is too large."),
    "RequestTimeout": (400, "Nothing was received for too long."),
    "SignatureDoesNotMatch": (403, "The signature does not match the request."),
    "XAmzContentSHA256Mismatch": (400, "The x-amz-content-sha256 header does not match what was received."),
}


class S3Failure(Exception):
    """An S3 error response: its ``code``, HTTP ``status``, message, and further headers."""

    def __init__(self, code: str, message: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.code = code
        self.status, known = _KNOWN[code]
        self.message = message or known
        self.headers = dict(headers or {})
        super().__init__(f"{code}: {self.message}")


class ClientGone(Exception):
    """The client disconnected before its request was complete."""
