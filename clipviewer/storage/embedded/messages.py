"""Requests and responses of the embedded store as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from clipviewer.domain.sigv4 import uri_encode
from clipviewer.settings import EMBEDDED_PATH
from clipviewer.storage.embedded.errors import S3Failure
from clipviewer.storage.embedded.files import Reader


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded HTTP request. ``path`` is the whole decoded path; ``bucket`` and ``key`` are empty if it names none.

    Header names are lower case; values are Latin-1 text, which preserves their bytes.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, tuple[str, ...]]
    bucket: str
    key: str

    def header(self, name: str) -> str | None:
        """Return the header's value, repeated headers joined by commas; ``None`` if it was not sent."""
        values = self.headers.get(name)
        return None if values is None else ",".join(values)

    def canonical_header(self, name: str) -> str:
        """Return the header's value as it is signed: decoded as UTF-8 where possible."""
        value = self.header(name) or ""
        try:
            return value.encode("latin-1").decode()
        except UnicodeDecodeError:
            return value

    def parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter; ``None`` if it was not sent."""
        return next((value for given, value in self.query if given == name), None)

    def has(self, name: str) -> bool:
        return any(given == name for given, _ in self.query)


@dataclass(slots=True)
class Answer:
    """A response: ``body`` is sent at once, ``rest`` is streamed after it."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    rest: Reader | None = None


def read_request(scope: Mapping[str, Any]) -> Request:
    """Decode the request of an ASGI ``http`` scope. Raises ``S3Failure`` (InvalidURI, InvalidArgument) for invalid UTF-8."""
    raw_path: bytes = scope.get("raw_path") or uri_encode(scope["path"], keep_slash=True).encode()
    path = _decode(raw_path, "InvalidURI")
    query = tuple(_pairs(scope.get("query_string", b"")))
    headers: dict[str, tuple[str, ...]] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1").lower()
        headers[name] = (*headers.get(name, ()), raw_value.decode("latin-1"))
    if path != EMBEDDED_PATH and not path.startswith(f"{EMBEDDED_PATH}/"):
        raise S3Failure("InvalidURI")
    bucket, _, key = path[len(EMBEDDED_PATH) + 1 :].partition("/")
    return Request(scope["method"], path, query, headers, bucket, key)


def _pairs(query: bytes) -> Sequence[tuple[str, str]]:
    pairs = []
    for piece in query.split(b"&"):
        if piece:
            name, _, value = piece.replace(b"+", b" ").partition(b"=")
            pairs.append((_decode(name, "InvalidArgument"), _decode(value, "InvalidArgument")))
    return pairs


def _decode(raw: bytes, code: str) -> str:
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise S3Failure(code, "The address is not valid UTF-8.") from error
