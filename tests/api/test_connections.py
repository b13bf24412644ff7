"""What one TCP client can and cannot do to the server: headers, deadlines and numbers of connections."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from clipviewer.api.connections import ConnectionLimits, Connections, HttpConnection, LimitedServer, SocketConnection

LIMITS = ConnectionLimits(header_seconds=0.5, body_seconds=1, unread_bytes=1_000_000, per_address=20, total=30)
KEEP_ALIVE = 2
PATIENCE = 30
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the number of bytes in the body, or ``early`` before reading it; echo over a websocket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    if scope["type"] == "lifespan":
        return
    text = b"early"
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5 * LIMITS.body_seconds)
    if scope["path"] != "/early":
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size, more = size + len(message["body"]), message["more_body"]
        text = b"%d" % size
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@dataclass(frozen=True)
class Served:
    port: int
    connections: Connections

    def dial(self, data: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=(source, 0))
        opened.sendall(data)
        return opened


@contextlib.contextmanager
def serving(limits: ConnectionLimits, is_proxy: Callable[[str], bool] = lambda _: False) -> Iterator[Served]:
    connections = Connections(limits, is_proxy)
    config = uvicorn.Config(
        application,
        http=partial(HttpConnection, connections=connections),  # type: ignore[arg-type]
        ws=partial(SocketConnection, connections=connections),  # type: ignore[arg-type]
        timeout_keep_alive=KEEP_ALIVE,
        lifespan="off",
        log_config=None,
    )
    server = LimitedServer(config, connections)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Served(listener.getsockname()[1], connections)
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(LIMITS) as one:
        yield one


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the server closes."""
    received = b""
    with connection, contextlib.suppress(ConnectionError):
        while data := connection.recv(65_536):
            received += data
    return received


def stops(connection: socket.socket, piece: bytes) -> bool:
    """Return whether the server stops a client that sends ``piece`` for ever."""
    with contextlib.suppress(ConnectionError):
        for _ in range(40_000_000 // len(piece)):
            connection.sendall(piece)
        return False
    return True


def answer(connection: socket.socket) -> tuple[int, str]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read().decode()


def test_the_limits_of_the_product() -> None:
    limits = ConnectionLimits()
    assert (limits.header_bytes, limits.header_seconds, limits.body_seconds) == (65_536, 10, 30)


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nX-A: ", b"GET /", b"GET / HTTP/1.1\r\n", b"x"], ids=str)
def test_an_endless_header_is_answered_431_at_64_kib(served: Served, start: bytes) -> None:
    piece = b"a: a\r\n" * 2_000 if start.endswith(b"\r\n") else b"a" * 10_000
    connection = served.dial(start)
    assert stops(connection, piece)
    refused = read_all(connection)
    assert refused.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 ") if start == b"x" else b"HTTP/1.1 431 "), refused


def test_a_header_slightly_over_the_limit_is_answered_431_and_one_below_is_served(served: Served) -> None:
    for size, status in ((65_000, 200), (66_000, 431)):
        with served.dial(GET + b"X-A: " + b"a" * size + b"\r\n\r\n") as connection:
            assert answer(connection)[0] == status
    with served.dial() as connection:
        for byte in GET + b"X-A: b\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert answer(connection) == (200, "0")


def test_many_requests_on_one_connection_are_no_long_header(served: Served) -> None:
    with served.dial() as connection:
        for _ in range(100):
            connection.sendall(GET + b"X-A: " + b"a" * 2_000 + b"\r\n\r\n")
            assert answer(connection) == (200, "0")


def test_a_large_body_is_served_whole_or_in_chunks(served: Served) -> None:
    with served.dial(POST + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000) as connection:
        assert answer(connection) == (200, "3000000")
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")
        assert answer(connection) == (200, "100000")


@pytest.mark.parametrize("endless", [b"1;ext=", b"0\r\nX-Trailer: "], ids=["chunk extension", "trailer"])
def test_endless_framing_of_a_body_is_refused(served: Served, endless: bytes) -> None:
    with served.dial(POST + b"Transfer-Encoding: chunked\r\n\r\n" + endless) as connection:
        assert stops(connection, b"a" * 10_000)


def test_a_body_that_nobody_reads_is_not_endless(served: Served) -> None:
    with served.dial(POST.replace(b"/ ", b"/early ") + b"Content-Length: 99999999\r\n\r\n") as connection:
        assert stops(connection, b"a" * 100_000)


def test_requests_far_ahead_of_their_answers_are_refused(served: Served) -> None:
    assert read_all(served.dial((GET.replace(b"/ ", b"/slow ") + b"\r\n") * 10_000)).count(b"HTTP/1.1") <= 1
    with served.dial((GET + b"\r\n") * 3) as connection:
        received = b""
        while received.count(b"HTTP/1.1 200") < 3:
            received += connection.recv(65_536)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET, b"\r\n"], ids=["nothing", "half a line", "half a header", "a blank line"])
def test_a_header_that_does_not_come_is_closed(served: Served, sent: bytes) -> None:
    began = time.monotonic()
    closed = read_all(served.dial(sent))
    assert closed.startswith(b"HTTP/1.1 408 ") if sent else closed == b""
    assert time.monotonic() - began >= LIMITS.header_seconds


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"], ids=["length", "chunked"])
def test_a_body_without_progress_is_closed_and_one_with_progress_is_not(served: Served, framing: bytes) -> None:
    assert read_all(served.dial(POST + framing + b"\r\n\r\n")).startswith(b"HTTP/1.1 408 ")
    with served.dial(POST + b"Content-Length: 8\r\n\r\n") as connection:
        for _ in range(8):
            time.sleep(LIMITS.body_seconds / 4)
            connection.sendall(b"x")
        assert answer(connection) == (200, "8")


def test_a_client_does_not_pay_for_a_slow_application(served: Served) -> None:
    with served.dial(POST.replace(b"/ ", b"/slow ") + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000) as connection:
        assert answer(connection) == (200, "3000000")
    with served.dial(POST.replace(b"/ ", b"/slow ") + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n") as connection:
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"x")
        assert answer(connection) == (200, "1")


def test_a_connection_is_kept_for_the_next_request_and_closed_after_a_while(served: Served) -> None:
    with served.dial(GET + b"\r\n") as connection:
        assert answer(connection) == (200, "0")
        time.sleep(2 * LIMITS.header_seconds)
        connection.sendall(GET + b"\r\n")
        assert answer(connection) == (200, "0")
        assert read_all(connection) == b""


def test_a_body_that_follows_its_answer_does_not_keep_the_connection_for_ever(served: Served) -> None:
    request = POST.replace(b"/ ", b"/early ") + b"Content-Length: 10\r\n\r\n"
    with served.dial(request + b"x" * 5) as connection:
        assert answer(connection) == (200, "early")
        connection.sendall(b"x" * 5)
        assert read_all(connection) == b""
    with served.dial(request + b"x" * 5) as connection:
        assert answer(connection) == (200, "early")
        assert read_all(connection) == b""


def test_idle_connections_keep_nobody_out(served: Served) -> None:
    with contextlib.ExitStack() as opened:
        idle = [opened.enter_context(served.dial(b"GET /")) for _ in range(3 * LIMITS.per_address)]
        assert len(served.connections) <= LIMITS.per_address
        with served.dial(GET + b"\r\n") as connection:
            assert answer(connection) == (200, "0")
        assert read_all(idle[0]) == b""


def test_idle_connections_do_not_end_a_body_on_its_way(served: Served) -> None:
    with served.dial(POST + b"Content-Length: 8\r\n\r\n") as sending, contextlib.ExitStack() as opened:
        for _ in range(2 * LIMITS.per_address):
            opened.enter_context(served.dial(b"GET /"))
        sending.sendall(b"x" * 8)
        assert answer(sending) == (200, "8")


def test_busy_connections_of_an_address_keep_only_that_address_out(served: Served) -> None:
    busy = POST.replace(b"/ ", b"/slow ") + b"Content-Length: 0\r\n\r\n"
    with contextlib.ExitStack() as opened:
        working = [opened.enter_context(served.dial(busy)) for _ in range(LIMITS.per_address)]
        assert read_all(served.dial(GET + b"\r\n")).startswith(b"HTTP/1.1 503 ")
        with served.dial(GET + b"\r\n", source="127.0.0.2") as connection:
            assert answer(connection) == (200, "0")
        assert {answer(connection) for connection in working} == {(200, "0")}


def test_all_addresses_together_have_a_limit() -> None:
    with serving(replace(LIMITS, header_seconds=PATIENCE)) as one, contextlib.ExitStack() as opened:
        for number in range(60):
            opened.enter_context(one.dial(b"GET /", source=f"127.0.1.{number + 1}"))
        with one.dial(GET + b"\r\n") as connection:
            assert answer(connection) == (200, "0")
        assert len(one.connections) <= LIMITS.total


def test_a_proxy_may_open_connections_for_many_people() -> None:
    with serving(LIMITS, is_proxy="127.0.0.1".__eq__) as one, contextlib.ExitStack() as opened:
        kept = [opened.enter_context(one.dial(GET + b"\r\n")) for _ in range(LIMITS.per_address + 5)]
        assert {answer(connection) for connection in kept} == {(200, "0")}
        for connection in kept:
            connection.sendall(GET + b"\r\n")
        assert {answer(connection) for connection in kept} == {(200, "0")}


def test_a_websocket_has_no_deadline_and_is_counted_until_it_closes(served: Served) -> None:
    with connect(f"ws://127.0.0.1:{served.port}/", proxy=None) as websocket:
        time.sleep(2 * LIMITS.header_seconds)
        websocket.send("still")
        assert websocket.recv(PATIENCE) == "still"
        assert len(served.connections) >= 1
    deadline = time.monotonic() + PATIENCE
    while len(served.connections):
        assert time.monotonic() < deadline, "closed connections are still counted"
        time.sleep(0.05)


def test_a_websocket_message_that_is_not_utf8_closes_it_without_a_traceback(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    with connect(f"ws://127.0.0.1:{served.port}/", proxy=None) as websocket:
        websocket.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(PATIENCE)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
    assert [record.exc_info for record in caplog.records] == [None]


def test_a_handshake_with_too_many_headers_is_refused(served: Served) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(f"ws://127.0.0.1:{served.port}/", proxy=None, additional_headers={f"X-{number}": "x" for number in range(300)}),
    ):
        pass
    assert refused.value.response.status_code == 431
