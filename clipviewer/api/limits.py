"""ASGI: limits on body size and request rate under ``/api``."""

from __future__ import annotations

import re
from collections.abc import Callable
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipviewer.api.problems import problem
from clipviewer.api.token_bucket import TokenBucket
from clipviewer.services.people.sessions import Sessions

MIB = 1024 * 1024
_CAPTIONS = re.compile(r"/api/clips/videos/[^/]+/captions/[^/]+/?")
_SMALL = re.compile(r"/api/auth/.*|/api/clips/videos/[^/]+/download/?")
_REGISTRATION = re.compile(r"/api/clips/videos(/[^/]+/(identified|exported))?/?")


class RequestLimits:
    """Answer 413 for a body above ``body`` bytes, and 429 above a rate. Some routes take more; those that read it from anybody, less.

    The rate is counted per session, and per address for callers without a cookie of ours: an office or a proxy is one address for many
    people, and a made-up cookie does not count. Bodies are counted as they arrive, so that chunked ones have the same limit.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        *,
        body: int = MIB,
        small_body: int = 64 * 1024,
        registration_body: int = 32 * MIB,
        captions_body: int = 5 * MIB,
        rate: float = 100,
        burst: float = 400,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._body = body
        self._bodies = ((_SMALL, small_body), (_REGISTRATION, registration_body), (_CAPTIONS, captions_body))
        self._sessions = sessions
        self._asking = TokenBucket(rate, burst, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        if not self._asking.take(self._rate_key(scope)):
            await problem(429, "too_many_requests", "Too many requests", headers={"Retry-After": "1"})(scope, receive, send)
            return
        limit = next((limit for path, limit in self._bodies if path.fullmatch(scope["path"])), self._body)
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        await self._limit_body(scope, receive, send, limit)

    def _rate_key(self, scope: Scope) -> tuple[str, str]:
        """Return the key under which requests are counted together: a session, else an address."""
        address, cookie = client_of(scope)
        session_id = self._sessions.identify(cookie, secure=scope.get("scheme") == "https")
        return ("session", session_id) if session_id is not None else ("address", address)

    async def _limit_body(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        received, over, started = 0, False, False

        async def receive_counted() -> Message:
            nonlocal received, over
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                over = True
                return {"type": "http.disconnect"}
            return message

        async def send_unless_over(message: Message) -> None:
            nonlocal started
            if not over or started:
                started = True
                await send(message)

        try:
            await self._app(scope, receive_counted, send_unless_over)
        except Exception:
            if not over or started:
                raise
        if over and not started:
            await _too_large(limit)(scope, receive, send)


def client_of(scope: Scope) -> tuple[str, str]:
    """Return the peer's address, and the raw ``Cookie`` header."""
    client = scope.get("client")
    cookie = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
    return client[0] if client else "", cookie.decode("latin-1")


def _too_large(limit: int) -> ASGIApp:
    return problem(413, "body_too_large", "The body is too large", f"Send at most {limit} bytes.")
