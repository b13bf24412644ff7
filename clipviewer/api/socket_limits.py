"""ASGI: limits on the number of websockets, and on the size, rate and form of their messages."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipviewer.api.limits import client_of
from clipviewer.api.socket_messages import is_well_formed
from clipviewer.api.token_bucket import TokenBucket
from clipviewer.services.people.sessions import Sessions

TRY_AGAIN_LATER = 1013
TOO_BIG = 1009
POLICY_VIOLATION = 1008
MALFORMED = 1007
EVENTS = "/_event"
_LOG = logging.getLogger(__name__)


class SocketLimits:
    """Close a websocket after a frame above ``frame`` bytes (1009), above a rate (1008), or after a malformed event (1007).

    Connections above a maximum are refused. They are counted per session, or together for callers without one, and per address; a whole
    office may share an address, so that limit is the higher one.
    """

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        *,
        per_session: int = 100,
        per_address: int = 1000,
        frame: int = 256 * 1024,
        rate: float = 60,
        burst: float = 240,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._sessions = sessions
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
        session = self._sessions.identify(cookie, secure=scope.get("scheme") == "wss")
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
        is_events = scope["path"].rstrip("/") == EVENTS
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
            if is_events and not is_well_formed(message.get("text")):
                _LOG.warning("Closed a websocket of %s: its message is malformed", client_of(scope)[0])
                return await close(MALFORMED)
            return message

        async def send_unless_closed(message: Message) -> None:
            if not closed:
                await send(message)

        await self._app(scope, receive_limited, send_unless_closed)

    @staticmethod
    def _size(message: Message) -> int:
        text = message.get("text")
        return len(text.encode()) if text is not None else len(message.get("bytes") or b"")
