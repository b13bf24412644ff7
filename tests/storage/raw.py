"""Raw HTTP: this client normalizes no path, sorts no query and adds no header."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from tests.storage.serving import KEYS


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code in S3's XML error."""
        return ElementTree.fromstring(self.body).findtext("Code") or ""


def send(port: int, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Reply:
    """Send one request on a new connection; ``Host`` and ``Content-Length`` are sent only if in ``headers``."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        with HTTPResponse(connection, method=method) as response:
            response.begin()
            return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


class _Auth(S3SigV4Auth):
    """Signer that signs the given payload hash for the body; botocore does so only for its own streams."""

    said: str | None = None

    def payload(self, request: AWSRequest) -> str:
        return self.said or super().payload(request)


def signed_headers(
    method: str, url: str, body: bytes = b"", extra: dict[str, str] | None = None, payload: str | None = None
) -> dict[str, str]:
    """Return headers signed by botocore, including ``Host`` and ``Content-Length``; ``payload`` replaces the body's hash."""
    host = url.split("/")[2]
    request = AWSRequest(method, url, data=body, headers={"Host": host, **(extra or {})})
    auth = _Auth(BotocoreCredentials(KEYS.access_key, KEYS.secret_key), "s3", "us-east-1")
    auth.said = payload
    auth.add_auth(request)
    return {**dict(request.headers.items()), "Content-Length": str(len(body))}
