"""A TCP proxy to a local server that a test can close, stall and slow down."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from types import TracebackType

_PIECE = 16 * 1024


class TcpProxy:
    """Forwards TCP from a fixed ``port`` to ``target``. ``received`` counts the bytes that came back from the target.

    ``close`` refuses new connections and ends open ones; ``open`` accepts connections again. While ``flowing`` is not set, connections
    hang. ``pace``: seconds to wait before each 16 KiB that come back. ``when(count, action)`` calls ``action`` once ``count`` bytes are
    back.
    """

    def __init__(self, target: int) -> None:
        self.flowing = Event()
        self.flowing.set()
        self.pace = 0.0
        self.received = 0
        self._target, self._lock = target, Lock()
        self._opened: set[socket.socket] = set()
        self._due: tuple[int, Callable[[], None]] | None = None
        self._stopped = Event()
        self._listener: socket.socket | None = self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> TcpProxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self.flowing.set()
        self.close()

    def when(self, count: int, action: Callable[[], None]) -> None:
        self._due = (self.received + count, action)

    def close(self) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
            opened, self._opened = self._opened, set()
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in opened:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def open(self) -> None:
        if self._listener is None:
            self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            with self._lock:
                self._opened |= {near, far}
            Thread(target=self._forward, args=(near, far, False), daemon=True).start()
            Thread(target=self._forward, args=(far, near, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, back: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                self.flowing.wait()
                if back:
                    self._stopped.wait(self.pace)
                    self._count(len(piece))
                sink.sendall(piece)
        for connection in (source, sink):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            with self._lock:
                self._opened.discard(connection)

    def _count(self, size: int) -> None:
        self.received += size
        if self._due is not None and self.received >= self._due[0]:
            _, action = self._due
            self._due = None
            action()
