"""HTTP connections with limits: uvicorn's protocols, with deadlines, a limit on headers, and caps on the number of connections.

uvicorn has none of these. It collects a header of any length, keeps a connection that sends nothing for ever, and its
``limit_concurrency`` refuses newcomers while idle connections stay. A request that is complete has no deadline here: it is the
application's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from clipviewer.domain.network import network_of

_LOG = logging.getLogger(__name__)
_CLOSING_SECONDS = 2.0
_CLOSING_BYTES = 256 * 1024
_MOST_AT_ONCE = 20
"""Requests that end in one sweep: each wakes the application, which takes about a millisecond to notice, and others wait meanwhile."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """``header_bytes`` for the request line and headers together; ``body_seconds`` without a byte of a body that is not complete.

    ``unread_bytes``: how much of a body is still taken after its request was answered. ``pipelined``: requests sent ahead of answers.
    """

    header_bytes: int = 64 * 1024
    header_seconds: float = 10
    body_seconds: float = 30
    unread_bytes: int = 32 * 1024 * 1024
    pipelined: int = 16
    per_address: int = 1_000
    total: int = 10_000


class _Waits(Enum):
    """The state of a connection: the event that the server is waiting for."""

    HEADER = "the rest of a request line and headers, or the first byte of a new connection"
    BODY = "the rest of a body"
    RESPONSE = "the application"
    REQUEST = "the next request"
    CLOSE = "the end of a connection that was refused"


class Connections:
    """All open connections by address (see ``network_of``); peers for which ``is_proxy`` holds have no limit of their own.

    At a limit, a new connection replaces the oldest of its address that owes the server a header, or else a body, so that idle connections
    keep nobody out. The total limit takes it from the address with the most connections.
    """

    def __init__(self, limits: ConnectionLimits, is_proxy: Callable[[str], bool] = lambda _address: False) -> None:
        self.limits = limits
        self._is_proxy = is_proxy
        self._open: dict[str, OrderedDict[asyncio.BaseTransport, HttpConnection | None]] = {}
        self._places: dict[asyncio.BaseTransport, str] = {}

    def __len__(self) -> int:
        return len(self._places)

    def admit(self, connection: HttpConnection, address: str) -> bool:
        """Return whether the new connection may stay, and count it if so."""
        place = network_of(address)
        if len(self._open.get(place, ())) >= self.limits.per_address and not self._is_proxy(address) and not self._drop_one(place):
            return False
        if len(self) >= self.limits.total and not self._drop_one(max(self._open, key=lambda name: len(self._open[name]))):
            return False
        self._open.setdefault(place, OrderedDict())[connection.transport] = connection
        self._places[connection.transport] = place
        return True

    def upgrade(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection as a websocket from now on: it is not dropped for others, and its own protocol closes it."""
        self._open[self._places[transport]][transport] = None

    def release(self, transport: asyncio.BaseTransport) -> None:
        place = self._places.pop(transport, None)
        if place is not None:
            del self._open[place][transport]
            if not self._open[place]:
                del self._open[place]

    def close_overdue(self, now: float) -> None:
        """Close connections whose deadline has passed, but few at once that the application is at; ``now`` is the event loop's time."""
        every = [one for connections in self._open.values() for one in connections.values()]
        overdue = [one for one in every if one is not None and one.is_overdue(now)]
        in_progress = [one for one in overdue if one.is_in_progress]
        for connection in (*(one for one in overdue if not one.is_in_progress), *in_progress[:_MOST_AT_ONCE]):
            connection.close_overdue()

    def _drop_one(self, place: str) -> bool:
        owing = [one for one in self._open[place].values() if one is not None and one.owes]
        oldest = min(owing, key=lambda one: one.sends_body, default=None)
        if oldest is None:
            return False
        self.release(oldest.transport)
        oldest.transport.abort()
        return True


class HttpConnection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, within the limits of ``connections``."""

    def __init__(self, *, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._connections = connections
        self._limits = connections.limits
        self._waits = _Waits.HEADER
        self._since = self.loop.time()
        self._unparsed = 0
        self._unread = 0
        self._upgraded = False

    @property
    def owes(self) -> bool:
        """Return whether the client is the one to send something."""
        return self._waits is not _Waits.RESPONSE

    @property
    def is_in_progress(self) -> bool:
        """Return whether the application is at a request of this connection."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def sends_body(self) -> bool:
        return self._waits is _Waits.BODY

    @property
    def _is_refused(self) -> bool:
        return self._waits is _Waits.CLOSE

    def is_overdue(self, now: float) -> bool:
        if self._waits is _Waits.BODY and (self.flow.read_paused or self.cycle.waiting_for_100_continue):
            self._since = now  # the client has to wait for the application
        seconds = {
            _Waits.HEADER: self._limits.header_seconds,
            _Waits.BODY: self._limits.body_seconds,
            _Waits.REQUEST: self.timeout_keep_alive,
            _Waits.CLOSE: _CLOSING_SECONDS,
        }.get(self._waits)
        return seconds is not None and now - self._since > seconds

    def close_overdue(self) -> None:
        """Close, with 408 if the client has begun a request that is not answered."""
        unanswered = self._waits is _Waits.BODY and not self.cycle.response_complete
        if unanswered or (self._waits is _Waits.HEADER and self._unparsed):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        self.transport.abort() if self.transport.get_write_buffer_size() else self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        address = self.client[0] if self.client else ""
        if not self._connections.admit(self, address):
            _LOG.warning("Refused a connection: too many are open")
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.release(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse ``data`` in pieces that do not exceed what is left of the header's limit.

        The parser copies a header as often as it gets a piece of it, and tells nobody how long it has become.
        """
        if self._is_refused:
            self._discard(len(data))
            return
        if self._waits is _Waits.REQUEST:
            self._wait_for(_Waits.HEADER)
        start = 0
        while start < len(data) and not self._upgraded and not self.transport.is_closing():
            piece = data[start : start + self._limits.header_bytes - self._unparsed]
            start += len(piece)
            self._unparsed += len(piece)
            super().data_received(piece)
            if self._is_refused:
                return
            if self._unparsed >= self._limits.header_bytes:
                too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self._refuse(HTTPStatus.BAD_REQUEST if self._waits is _Waits.BODY else too_large)
                return

    def handle_websocket_upgrade(self) -> None:
        self._upgraded = True
        self._connections.upgrade(self.transport)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST)

    def on_headers_complete(self) -> None:
        self._unparsed = self._unread = 0
        self._wait_for(_Waits.BODY)
        if len(self.pipeline) >= self._limits.pipelined:
            raise ValueError("too many requests ahead of their answers")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._unparsed = 0
        if self.cycle is None or not self.cycle.response_complete:
            self._since = self.loop.time()
            return
        self._unread += len(body)
        if self._unread > self._limits.unread_bytes:
            self.transport.abort()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        answered = self.cycle is not None and self.cycle.response_complete
        self._wait_for(_Waits.REQUEST if answered else _Waits.RESPONSE)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._waits is _Waits.RESPONSE and self.cycle.response_complete:
            self._wait_for(_Waits.REQUEST)

    def _wait_for(self, what: _Waits) -> None:
        self._waits, self._since = what, self.loop.time()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer ``status`` unless an answer has begun, and close once the client has read it."""
        if self._is_refused or self.transport.is_closing():
            return
        in_progress = self.is_in_progress
        started = in_progress and (self.cycle.response_started or bool(self.pipeline))
        self.pipeline.clear()
        if in_progress:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._wait_for(_Waits.CLOSE)
        self._unread = 0
        if started:
            self.transport.abort()
            return
        text = status.phrase.encode()
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(text)
        self.transport.write(STATUS_LINE[status] + head + text)
        self.transport.write_eof()

    def _discard(self, size: int) -> None:
        """Take what the client still sends: closing at once would reset the connection before the client has read the answer."""
        self._unread += size
        if self._unread > _CLOSING_BYTES:
            self.transport.abort()


class SocketConnection(WebSocketsSansIOProtocol):
    """uvicorn's websocket protocol, counted among ``connections``. What is malformed closes it without a traceback."""

    def __init__(self, *, connections: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._connections = connections

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.release(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # uvicorn neither sends this refusal, for example of a header that is too long, nor closes.
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                _LOG.warning("Closed a websocket: its message is not UTF-8")
                self.frames = []
                self.conn.fail(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()


class LimitedServer(uvicorn.Server):
    """A server whose config uses the two protocols of ``connections``, and that closes overdue ones every tenth of a second."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self._connections = connections

    async def on_tick(self, counter: int) -> bool:
        self._connections.close_overdue(asyncio.get_running_loop().time())
        return await super().on_tick(counter)
