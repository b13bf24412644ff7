"""ASGI: limits on the number of websockets, and on the size and rate of their messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipviewer.api.limits import client_of
from clipviewer.api.token_bucket import TokenBucket
from clipviewer.services.people.sessions import read_cookie

TRY_AGAIN_LATER = 1013
TOO_BIG = 1009
POLICY_VIOLATION = 1008


class SocketLimits:
    """Close a websocket with 1009 after a frame above ``frame`` bytes, with 1008 above a rate; refuse connections above a maximum.

    Connections are counted per session and per address; a whole office may share an address, so that limit is the higher one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        per_session: int = 100,
        per_address: int = 1000,
        frame: int = 256 * 1024,
        rate: float = 60,
        burst: float = 240,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._per_session = per_session
        self._per_address = per_address
        self._frame = frame
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        address, cookie = client_of(scope)
        session = read_cookie(cookie)
        caps = {f"address {address}": self._per_address, f"session {session or address}": self._per_session}
        if any(self._open[name] >= cap for name, cap in caps.items()):
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": "too many connections"})
            return
        self._open.update(caps.keys())
        try:
            await self._limited(scope, receive, send)
        finally:
            for name in caps:
                self._open[name] -= 1
                if not self._open[name]:
                    del self._open[name]

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        bucket = TokenBucket(self._rate, self._burst, self._clock)
        closed = False

        async def close(code: int) -> Message:
            nonlocal closed
            closed = True
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}

        async def receive_limited() -> Message:
            if closed:
                return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            if self._size(message) > self._frame:
                return await close(TOO_BIG)
            if not bucket.take():
                return await close(POLICY_VIOLATION)
            return message

        async def send_unless_closed(message: Message) -> None:
            if not closed:
                await send(message)

        await self._app(scope, receive_limited, send_unless_closed)

    @staticmethod
    def _size(message: Message) -> int:
        text = message.get("text")
        return len(text.encode()) if text is not None else len(message.get("bytes") or b"")
