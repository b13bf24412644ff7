"""An anonymous TCP client that does to a server what no browser does, and one that measures how others fare meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

PATIENCE = 30
ATTACKER, BYSTANDER = "127.0.0.1", "127.0.0.2"
EVENTS = "/_event/?EIO=4&transport=websocket&token=12345678"
MALFORMED: tuple[str | bytes, ...] = (
    '42/_event,["event",{',
    "42/_event,null",
    "9zz",
    "",
    "42/_event," + "[" * 100_000 + "]" * 100_000,
    '42/_event,["event",' + "[" * 300 + "]" * 300 + "]",
    f"42/_event,[{'1' * 5_000}]",
    f'42/_event,{"1" * 5_000}["event"]',
    "451-/_event,[]",
    "44/_event",
    b"\x00\xff",
)

GARBAGE = (
    b"\x16\x03\x01\x02\x00\x01",
    b"GET\r\n\r\n",
    b"\r\n" * 5_000,
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5_000,
)


@dataclass(frozen=True)
class Attacker:
    """Attacks the server that listens on ``port`` of this machine."""

    port: int

    def dial(self, data: bytes = b"", source: str = ATTACKER) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE, source_address=(source, 0))
        opened.sendall(data)
        return opened

    def send_endless_header(self, most: int = 120_000_000) -> tuple[int, bytes]:
        """Send a header of up to ``most`` bytes; return how many the system and the server took, and the answer."""
        sent, piece = 0, b"a" * 65_536
        with self.dial(b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-A: ") as connection:
            with contextlib.suppress(ConnectionError):
                while sent < most:
                    connection.sendall(piece)
                    sent += len(piece)
            answer = b""
            with contextlib.suppress(ConnectionError):
                answer = connection.recv(1_000)
        return sent, answer

    @contextlib.contextmanager
    def holding(self, count: int) -> Iterator[list[socket.socket]]:
        """Open ``count`` connections: silent ones, ones with half a header, and ones with half a body."""
        kinds = (b"", b"GET /sign-in HTTP/1.1\r\nHo", post("/api/auth/sign-in", 1_000) + b'{"email"', post("/sign-in", 1_000) + b"a")
        with contextlib.ExitStack() as opened:
            yield [opened.enter_context(self.dial(kinds[number % len(kinds)])) for number in range(count)]

    def send_malformed(self, frame: str | bytes) -> int:
        """Send a frame over a new event socket; return the code with which the server closes it."""
        origin = f"http://127.0.0.1:{self.port}"
        with connect(f"ws{origin[4:]}{EVENTS}", additional_headers={"Origin": origin}, proxy=None, close_timeout=1) as websocket:
            websocket.send("40/_event,")
            websocket.send(frame)
            try:
                while True:
                    websocket.recv(PATIENCE)
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    def send_long_handshake(self) -> int:
        """Open a websocket with 300 headers; return the status of the refusal."""
        headers = {f"X-{number}": "x" for number in range(300)}
        try:
            with connect(f"ws://127.0.0.1:{self.port}{EVENTS}", additional_headers=headers, proxy=None):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    def hang_up(self) -> None:
        """Hang up in the middle of a body."""
        for path in ("/api/auth/sign-in", "/api/clips/videos/v/download", "/s3/clipviewer/key", "/sign-in"):
            self.dial(post(path, 1_000) + b"{").close()

    def send_garbage(self) -> None:
        for data in GARBAGE:
            with contextlib.suppress(OSError), self.dial(data) as connection:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass


@dataclass
class Bystander:
    """Asks for the server's health all the time, from another address, over a new connection each time."""

    port: int
    source: str = BYSTANDER
    took: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Add the seconds that one health request takes, or why it failed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE, (self.source, 0))
        began = time.perf_counter()
        try:
            connection.request("GET", "/api/health/live")
            status = connection.getresponse().status
            self.took.append(time.perf_counter() - began)
            if status != http.HTTPStatus.OK:
                self.failed.append(str(status))
        except OSError as error:
            self.failed.append(type(error).__name__)
        finally:
            connection.close()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        stop = threading.Event()

        def watch() -> None:
            while not stop.is_set():
                self.ask()
                stop.wait(0.02)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def median(self) -> float:
        return sorted(self.took)[len(self.took) // 2]

    def worst(self) -> float:
        return max(self.took)


def post(path: str, length: int) -> bytes:
    """Return a request line and headers that announce so many bytes."""
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def is_open(connection: socket.socket) -> bool:
    """Return whether the server has not closed the connection yet."""
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return True
    except ConnectionError:
        pass
    return False


def resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4_096 / 2**20
