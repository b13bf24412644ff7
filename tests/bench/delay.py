"""A TCP proxy that delays every byte, as the network between a reviewer and a distant server does.

Each direction is delayed by half the round trip; bandwidth is unlimited, and opening a connection costs nothing. The benchmark of this
name measures the proxy itself, which shows how far measurements through it can be trusted.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from tests.bench import Row, compare

_CHUNK = 64 * 1024
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run() -> list[Row]:
    with _echo() as port, delayed(port, 0.08) as far, _connected(port) as near_by, _connected(far) as far_away:
        return [compare("one byte and back, 80 ms", lambda: _ping(far_away), lambda: _ping(near_by), goal="80 ms")]


@contextmanager
def delayed(port: int, round_trip: float) -> Iterator[int]:
    """Run a proxy to ``port`` on this machine and yield its port; ``round_trip`` in seconds."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_forward(reader, there_writer, round_trip / 2), _forward(there_reader, writer, round_trip / 2))

    with serving(connect) as proxy:
        yield proxy


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Forward everything from ``reader`` to ``writer``, in order, each piece ``delay`` seconds after it arrived."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def receive() -> None:
        piece = b"first"
        while piece:
            try:
                piece = await reader.read(_CHUNK)
            except ConnectionError:
                piece = b""
            pieces.put_nowait((loop.time() + delay, piece))

    receiving = asyncio.ensure_future(receive())
    try:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        receiving.cancel()
        with suppress(ConnectionError):
            writer.close()


@contextmanager
def serving(connect: Handler) -> Iterator[int]:
    """Run an asyncio server in a thread and yield its port; ``connect`` handles a connection and must return when it is closed."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    opened: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_ignoring_resets(connect(reader, writer)))
        opened[task] = writer
        await task
        del opened[task]

    async def stop() -> None:
        server.close()
        for writer in opened.values():
            writer.transport.abort()
        await asyncio.gather(*opened)

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(accept, "127.0.0.1", 0), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ignoring_resets(work: Awaitable[None]) -> None:
    with suppress(ConnectionError):
        await work


@contextmanager
def _echo() -> Iterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_CHUNK):
            writer.write(piece)
        writer.close()

    with serving(echo) as port:
        yield port


@contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        yield connection


def _ping(connection: socket.socket) -> None:
    connection.sendall(b".")
    connection.recv(1)
