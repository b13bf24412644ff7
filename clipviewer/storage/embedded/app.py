"""The embedded store as an ASGI app on the app's own port: the subset of S3 that clipviewer needs.

It verifies AWS Signature Version 4 in headers and queries and keeps its objects in one private folder. A request is verified, routed
to its operation, received and answered, in this order; every failure becomes an S3 XML error. Source: Amazon S3 API reference.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
from anyio import CapacityLimiter, to_thread

from clipviewer.domain.sigv4 import Credentials
from clipviewer.storage.embedded.auth import verify
from clipviewer.storage.embedded.body import BodyCheck
from clipviewer.storage.embedded.cors import cors_headers, preflight
from clipviewer.storage.embedded.errors import ClientGone, S3Failure
from clipviewer.storage.embedded.files import Reader
from clipviewer.storage.embedded.headers import protection
from clipviewer.storage.embedded.messages import Answer, Request, read_request
from clipviewer.storage.embedded.objects import Call, Shelf
from clipviewer.storage.embedded.operations import Operations
from clipviewer.storage.embedded.upload import Body, Receive, receive_file, receive_small
from clipviewer.storage.embedded.xml import document

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger(__name__)
_PIECE = 1024 * 1024
_THREADS = 32


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EmbeddedStore:
    """The ASGI app for everything under ``/s3``.

    ``root`` is made private and leftovers of an earlier process are removed. ``cors_origins`` are further origins
    (``scheme://host[:port]``) that may call from a browser. ``clock`` returns UTC.
    """

    def __init__(
        self,
        root: Path,
        credentials: Credentials,
        *,
        region: str = "us-east-1",
        cors_origins: Sequence[str] = (),
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._credentials = credentials
        self._region = region
        self._origins = tuple(cors_origins)
        self._clock = clock
        self._operations = Operations(region, self._origins)
        self._shelf = Shelf(root, clock())
        # Routes wait in the default threads for this store, so it must not wait for one of those.
        self._limiter = CapacityLimiter(_THREADS)

    def close(self) -> None:
        """Close the files. No request may be running."""
        self._shelf.close()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            raise ValueError("the store supports HTTP only")
        try:
            request = read_request(scope)
        except S3Failure as failure:
            await self._send(_error(failure, scope["path"], closes=True), receive, send, head=scope["method"] == "HEAD")
            return
        body = Body(request, receive)
        try:
            answer = await self._answer(request, body)
        except ClientGone:
            return
        except S3Failure as failure:
            answer = _error(failure, scope["path"], closes=not await body.drain())
        except Exception:
            request_id = _request_id()
            _log.exception("The embedded store failed on %s %r, request %s", scope["method"], scope["path"], request_id)
            answer = _error(S3Failure("InternalError"), scope["path"], request_id, closes=not await body.drain())
        answer.headers |= cors_headers(request, self._origins)
        await self._send(answer, receive, send, head=scope["method"] == "HEAD")

    async def _answer(self, request: Request, body: Body) -> Answer:
        if request.method == "OPTIONS":
            return preflight(request, self._origins)
        now = self._clock()
        verified = verify(request, self._credentials, self._region, now)
        operation = self._operations.find(request)
        call = Call(request, verified, now.replace(microsecond=0))
        if operation.check is not None:
            call = await self._receive(call, operation.check, body)
        else:
            call = replace(call, body=await receive_small(body, verified.payload))
        return await to_thread.run_sync(operation.run, self._shelf, call, limiter=self._limiter)

    async def _receive(self, call: Call, check: Callable[[Shelf, Call], None], body: Body) -> Call:
        promised = BodyCheck(call.request, call.verified, self._credentials, self._region)
        await to_thread.run_sync(check, self._shelf, call, limiter=self._limiter)
        received = await receive_file(body, promised, self._shelf.files, self._limiter)
        return replace(call, received=received, now=self._clock().replace(microsecond=0))

    async def _send(self, answer: Answer, receive: Receive, send: Send, *, head: bool) -> None:
        answer.headers.setdefault("x-amz-request-id", _request_id())
        if answer.body and "content-type" not in answer.headers:
            answer.headers["content-type"] = "application/xml"
        answer.headers |= protection(answer.headers.get("content-type", ""))
        if answer.status not in (204, 304):
            answer.headers.setdefault("content-length", str(len(answer.body)))
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
        try:
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            body = b"" if head else answer.body
            await send({"type": "http.response.body", "body": body, "more_body": answer.rest is not None})
            if answer.rest is not None:
                await self._stream(answer.rest, receive, send)
        finally:
            if answer.rest is not None:
                answer.rest.close()

    async def _stream(self, rest: Reader, receive: Receive, send: Send) -> None:
        """Stream the rest of the body until the client has it or disconnects."""
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch)
            while rest.left:
                piece = await to_thread.run_sync(rest.read, _PIECE, limiter=self._limiter)
                await send({"type": "http.response.body", "body": piece, "more_body": bool(rest.left)})
            tasks.cancel_scope.cancel()


def _error(failure: S3Failure, resource: str, request_id: str | None = None, *, closes: bool = False) -> Answer:
    request_id = request_id or _request_id()
    fields = [("Code", failure.code), ("Message", failure.message), ("Resource", resource), ("RequestId", request_id)]
    headers = {**failure.headers, "x-amz-request-id": request_id, "cache-control": "no-store"}
    if closes:
        headers["connection"] = "close"
    return Answer(failure.status, headers, document("Error", fields, namespace=None))


def _request_id() -> str:
    return secrets.token_hex(8).upper()
