"""Receive request bodies with bounded memory; nothing is left behind on failure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import anyio
from anyio import CapacityLimiter, to_thread

from clipviewer.domain.sigv4 import UNSIGNED_PAYLOAD
from clipviewer.storage.embedded.body import BodyCheck
from clipviewer.storage.embedded.errors import ClientGone, S3Failure
from clipviewer.storage.embedded.files import Files, Incoming
from clipviewer.storage.embedded.messages import Request
from clipviewer.storage.embedded.objects import Received
from clipviewer.storage.embedded.xml import MAX_XML

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_UPLOAD = 5 * 1024**3
_PIECE = 1024 * 1024
_SILENCE_SECONDS = 60
_DRAIN = 16 * 1024 * 1024
_DRAIN_SECONDS = 10


class Body:
    """The messages of one request's body, and whether it is complete. Can be called in place of ``receive``."""

    def __init__(self, request: Request, receive: Receive) -> None:
        self._receive = receive
        self._waits_for_continue = (request.header("expect") or "").lower() == "100-continue"
        self._started = False
        self.complete = request.header("content-length") in (None, "0") and request.header("transfer-encoding") is None

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._started = True
        self.complete = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def drain(self) -> bool:
        """Read the rest of a refused body so that the client reads the response; return whether the connection can be reused.

        A client that waits for 100 Continue gets the response instead, and sends no body.
        """
        size = 0
        with anyio.move_on_after(_DRAIN_SECONDS):
            while not self.complete and size < _DRAIN and (self._started or not self._waits_for_continue):
                size += len((await self()).get("body", b""))
        return self.complete


async def receive_file(receive: Body, check: BodyCheck, files: Files, limiter: CapacityLimiter) -> Received:
    """Receive the body into a file. Raises ``S3Failure`` and ``ClientGone``; the file is then deleted."""
    if check.length > MAX_UPLOAD:
        raise S3Failure("EntityTooLarge")
    incoming = await to_thread.run_sync(files.create, limiter=limiter)
    try:
        async for raw in _pieces(receive):
            await to_thread.run_sync(_take, incoming, check, raw, limiter=limiter)
        return await to_thread.run_sync(_finish, incoming, check, limiter=limiter)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(incoming.discard, limiter=limiter)
        raise


async def receive_small(receive: Body, payload: str) -> bytes:
    """Receive a short body (XML or empty). Raises ``S3Failure`` if it is too long or does not match its signed hash."""
    body = b""
    if not receive.complete:
        async for raw in _pieces(receive):
            body += raw
            if len(body) > MAX_XML:
                raise S3Failure("MalformedXML")
    if payload != UNSIGNED_PAYLOAD and not hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), payload.encode()):
        raise S3Failure("XAmzContentSHA256Mismatch")
    return body


async def _pieces(receive: Body) -> AsyncIterator[bytes]:
    """Yield the body in pieces of about 1 MiB."""
    waiting: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await _next(receive)
        if message["type"] == "http.disconnect":
            raise ClientGone
        waiting.append(message.get("body", b""))
        size += len(waiting[-1])
        more = message.get("more_body", False)
        if size >= _PIECE or (size and not more):
            yield b"".join(waiting)
            waiting, size = [], 0


async def _next(receive: Body) -> MutableMapping[str, Any]:
    try:
        with anyio.fail_after(_SILENCE_SECONDS):
            return await receive()
    except TimeoutError as error:
        raise S3Failure("RequestTimeout") from error


def _take(incoming: Incoming, check: BodyCheck, raw: bytes) -> None:
    incoming.write(check.feed(raw))


def _finish(incoming: Incoming, check: BodyCheck) -> Received:
    check.finish()
    md5 = incoming.md5
    return Received(incoming.finish(), md5, check.checksums)
