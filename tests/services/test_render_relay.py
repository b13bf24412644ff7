"""Rendering straight from the store: few bytes read, no secret on the command line, and clear errors when the store fails."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.errors import ClipviewerError, ObjectMissing, PreconditionFailed, StorageDenied, StorageError, StorageUnreachable
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.render.render import RenderSpec, render
from clipviewer.media.source.relay import SourceRelay
from clipviewer.media.source.stored_source import BLOCK, StoredSource
from clipviewer.services.bucket.signing import signer_for
from clipviewer.settings import Settings
from clipviewer.storage.s3 import open_store
from tests.bench.delay import serving as tcp_serving
from tests.footage import frame_numbers
from tests.range_server import range_server, refuse_with, send_range
from tests.storage.serving import KEYS, serving

KEY = "masters/long.mp4"


@dataclass
class Master:
    """A master in the embedded store, behind a proxy that counts; ``url`` is signed for the proxy."""

    path: Path
    url: str
    received: list[int]


@pytest.fixture(scope="module")
def footage(small_footage: Path) -> Path:
    return small_footage


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds that hardly compress, about 1.3 MB each, with the index at the end of the file."""
    path = tmp_path_factory.mktemp("noise") / "noise.mp4"
    graph = "color=gray:s=480x270:r=25:d=40,noise=alls=60:allf=t,format=yuv420p"
    sound = ["-f", "lavfi", "-i", "sine=d=40", "-c:a", "aac"]
    Ffmpeg().run(["-f", "lavfi", "-i", graph, *sound, "-preset", "ultrafast", "-qp", "20", "-g", "50", "-y", str(path)], timeout=120)
    return path


@contextmanager
def stored(folder: Path, path: Path) -> Iterator[Master]:
    received: list[int] = []

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: list[int] | None) -> None:
        while piece := await reader.read(65_536):
            if count is not None:
                count.append(len(piece))
            writer.write(piece)
            await writer.drain()
        writer.close()

    with serving(folder) as served:

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", served.port)
            await asyncio.gather(forward(reader, there_writer, None), forward(there_reader, writer, received))

        settings = Settings(data_dir=folder, database_url="sqlite://", port=served.port)
        store = open_store(settings, KEYS)
        store.put_file(KEY, path, "video/mp4")
        with tcp_serving(connect) as proxy:
            yield Master(path, signer_for(settings, store).sign(KEY, origin=f"http://127.0.0.1:{proxy}").url, received)


def square(url: str, start_ms: int = 500, end_ms: int = 1_500) -> RenderSpec:
    return RenderSpec(url, start_ms, end_ms, AspectRatio.SQUARE, size=(270, 270))


def test_an_export_from_the_store_shows_exactly_its_clip(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    with stored(tmp_path / "store", footage) as master:
        render(Ffmpeg(), RenderSpec(master.url, 3_510, 4_510, AspectRatio.PORTRAIT), out, preset="ultrafast")
    numbers = frame_numbers(out)
    assert numbers == list(range(85, 85 + len(numbers)))
    assert abs(len(numbers) - 24) <= 1


def test_an_export_reads_little_more_than_its_clip(noise: Path, tmp_path: Path) -> None:
    size = noise.stat().st_size
    assert size > 40_000_000
    with stored(tmp_path / "store", noise) as master:
        result = render(Ffmpeg(), square(master.url, 24_300, 28_300), tmp_path / "clip.mp4", preset="ultrafast")
    received = sum(master.received)
    assert result.source_bytes <= received <= result.source_bytes * 1.01 + 50_000
    assert received <= 1.5 * size * 4 / 40 + 8_000_000


def test_the_signed_address_stays_out_of_the_list_of_processes(footage: Path, tmp_path: Path) -> None:
    seen: list[str] = []
    with stored(tmp_path / "store", footage) as master:
        spec = RenderSpec(master.url, 0, 6_000, AspectRatio.LANDSCAPE)
        render(Ffmpeg(), spec, tmp_path / "clip.mp4", cancelled=lambda: bool(seen.extend(_children())), preset="ultrafast")
    assert any("http://127.0.0.1" in line and "libx264" in line for line in seen)
    assert not [line for line in seen if "Signature" in line or KEY in line]


def test_the_relay_answers_nobody_who_does_not_know_its_path_and_nothing_after_its_end(footage: Path, tmp_path: Path) -> None:
    with stored(tmp_path / "store", footage) as master, SourceRelay(StoredSource(lambda: master.url), tmp_path) as relay:
        base = relay.address.rpartition("/")[0]
        assert [httpx.get(base + path).status_code for path in ("/", "/clip.mp4", "/../", f"/{relay.address[-8:]}")] == [404] * 4
        answer = httpx.get(relay.address, headers={"Range": "bytes=100-199"})
        assert (answer.status_code, answer.content) == (206, footage.read_bytes()[100:200])
        assert httpx.get(relay.address, headers={"Range": f"bytes={footage.stat().st_size}-"}).status_code == 416
        assert httpx.get(relay.address).content == footage.read_bytes()
        assert relay.bytes_read <= footage.stat().st_size
    with pytest.raises(httpx.ConnectError):
        httpx.get(relay.address)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_bytes_read_once_are_not_read_again(noise: Path, tmp_path: Path) -> None:
    with stored(tmp_path / "store", noise) as master, SourceRelay(StoredSource(lambda: master.url), tmp_path) as relay:
        first = httpx.get(relay.address, headers={"Range": f"bytes={BLOCK}-{9 * BLOCK}"}).content
        read = relay.bytes_read
        assert httpx.get(relay.address, headers={"Range": f"bytes={BLOCK}-{9 * BLOCK}"}).content == first
        assert relay.bytes_read == read


REFUSALS: list[tuple[int, type[ClipviewerError], str]] = [
    (404, ObjectMissing, "no longer in the bucket"),
    (403, StorageDenied, "credentials"),
    (200, StorageError, "byte ranges"),
    (307, StorageError, "byte ranges"),
    (416, StorageError, "empty"),
    (503, StorageUnreachable, "then retry"),
]


@pytest.mark.parametrize(("status", "error", "words"), REFUSALS)
def test_a_refusing_store_is_distinguished_from_damaged_footage(
    tmp_path: Path, status: int, error: type[ClipviewerError], words: str
) -> None:
    with range_server(b"", refuse_with(status)) as url, pytest.raises(error, match=words) as caught:
        render(Ffmpeg(), square(url), tmp_path / "clip.mp4")
    assert "secret" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StorageUnreachable, match="check that it is running"):
        render(Ffmpeg(), square(f"http://127.0.0.1:{port}/clip.mp4"), tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_connection_is_resumed(footage: Path, tmp_path: Path) -> None:
    broken: set[int] = set()

    def answer(handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int) -> None:
        send_range(handler, data, first, last, sent=None if first in broken else 1_000)
        handler.close_connection = True
        broken.add(first)

    with range_server(footage.read_bytes(), answer) as url:
        render(Ffmpeg(), square(url, 0, 6_000), tmp_path / "clip.mp4", preset="ultrafast")
    assert broken
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_source_replaced_while_it_is_read_fails_the_export(noise: Path, tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int) -> None:
        if handler.headers["If-Match"]:
            handler.send_error(412)
        else:
            send_range(handler, data, first, last)

    with range_server(noise.read_bytes(), answer) as url, pytest.raises(PreconditionFailed, match="replaced"):
        render(Ffmpeg(), square(url), tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answered", [0, 3])
def test_cancelling_does_not_wait_for_a_store_that_hangs(noise: Path, tmp_path: Path, answered: int) -> None:
    asked: list[float] = []

    def answer(handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int) -> None:
        asked.append(time.monotonic())
        if len(asked) > answered:
            handler.connection.recv(1)
        else:
            send_range(handler, data, first, last)

    with range_server(noise.read_bytes(), answer) as url:
        with pytest.raises(MediaCancelled):
            render(Ffmpeg(), square(url), tmp_path / "clip.mp4", cancelled=lambda: len(asked) > answered)
        assert time.monotonic() - asked[-1] < 1
    assert list(tmp_path.iterdir()) == []


def test_a_playlist_in_the_store_makes_no_request(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        segment = f"http://127.0.0.1:{canary.getsockname()[1]}/segment.ts"
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{segment}\n#EXT-X-ENDLIST\n".encode()
        with range_server(playlist, send_range) as url, pytest.raises(MediaError):
            render(Ffmpeg(), square(url), tmp_path / "clip.mp4")
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert list(tmp_path.iterdir()) == []


def test_a_fitted_export_from_the_store_needs_no_more_than_a_cropped_one(footage: Path, tmp_path: Path) -> None:
    with stored(tmp_path / "store", footage) as master:
        spec = RenderSpec(master.url, 0, 1_000, AspectRatio.PORTRAIT, Framing(FramingMode.FIT))
        assert render(Ffmpeg(), spec, tmp_path / "clip.mp4", preset="ultrafast").source_bytes <= footage.stat().st_size


def _children() -> list[str]:
    """Return the command lines of this process's children."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if parent == os.getpid():
            lines.append(command)
    return lines
