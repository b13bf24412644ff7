"""Reading an object for longer than its URL, its keys or the object itself are valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from clipviewer.errors import PreconditionFailed, SigningFailed, StorageDenied, StorageUnreachable
from clipviewer.media.source import stored_source
from clipviewer.media.source.stored_source import BLOCK, SourceReader, StoredSource
from tests.range_server import range_server, send_range

DATA = bytes(range(256)) * 8 * 1024


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Callable[..., SourceReader]]:
    """``reading(address, etag)`` opens a reader, closed at the end."""
    opened: list[SourceReader] = []

    def open_reader(address: Callable[[], str], etag: str = "") -> SourceReader:
        opened.append(SourceReader(StoredSource(address, etag), tmp_path))
        return opened[-1]

    yield open_reader
    for reader in opened:
        reader.close()


class Keys:
    """A store that accepts one key at a time, and a signer that learns of a new key ``late`` requests after the store."""

    def __init__(self) -> None:
        self.valid, self.known, self.asked = "one", "one", 0
        self.late = 0

    def sign(self, base: str) -> str:
        self.asked += 1
        if self.known != self.valid:
            self.late -= 1
            if self.late < 0:
                self.known = self.valid
        return base.replace("secret", self.known)

    def answer(self, handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int) -> None:
        if handler.path.endswith(f"={self.valid}"):
            send_range(handler, data, first, last)
        else:
            handler.send_error(403)


@pytest.mark.parametrize("late", [0, 1, 3])
def test_reading_continues_when_the_keys_change_in_the_middle(reading: Callable[..., SourceReader], late: int) -> None:
    keys = Keys()
    with range_server(DATA, keys.answer) as url:
        reader = reading(lambda: keys.sign(url))
        assert reader.read(0) == DATA[:BLOCK]
        keys.valid, keys.late = "two", late
        assert reader.read(BLOCK) == DATA[BLOCK : 3 * BLOCK]
        assert reader.failure is None


def test_an_expired_url_is_replaced_by_a_new_one(reading: Callable[..., SourceReader]) -> None:
    served: list[str] = []

    def answer(handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int) -> None:
        if handler.path in served:
            handler.send_error(403)
        else:
            served.append(handler.path)
            send_range(handler, data, first, last)

    number = count()
    with range_server(DATA, answer) as url:
        reader = reading(lambda: f"{url}-{next(number) // 2}")
        assert reader.read(0) + reader.read(BLOCK) + reader.read(3 * BLOCK) == DATA[: 7 * BLOCK]
    assert len(served) == 3


def test_permanently_revoked_keys_end_the_reading_with_the_reason(
    reading: Callable[..., SourceReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_source, "_PAUSES", (0.01, 0.01))
    keys = Keys()
    with range_server(DATA, keys.answer) as url:
        reader = reading(lambda: keys.sign(url))
        reader.read(0)
        keys.valid, keys.late = "none", 100
        with pytest.raises(StorageDenied, match="credentials"):
            reader.read(BLOCK)
        assert isinstance(reader.failure, StorageDenied)


def test_a_refusal_of_the_first_byte_is_reported_at_once(reading: Callable[..., SourceReader]) -> None:
    keys = Keys()
    keys.valid, keys.late = "none", 100
    with range_server(DATA, keys.answer) as url, pytest.raises(StorageDenied):
        reading(lambda: keys.sign(url)).read(0)
    assert keys.asked == 3


def test_a_signer_without_keys_is_reported_as_the_reason(reading: Callable[..., SourceReader]) -> None:
    signed = count()

    def sign() -> str:
        if next(signed) > 1:
            raise SigningFailed("The server could not renew its credentials")
        return url

    with range_server(DATA, send_range) as url:
        reader = reading(sign)
        reader.read(0)
        with pytest.raises(SigningFailed, match="could not renew"):
            reader.read(BLOCK)
        assert isinstance(reader.failure, SigningFailed)


def test_an_object_with_another_etag_is_not_read(reading: Callable[..., SourceReader]) -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int) -> None:
        asked.append(handler.headers["If-Match"])
        send_range(handler, data, first, last, etag='"two"')

    with range_server(DATA, answer) as url:
        reader = reading(lambda: url, "one")
        with pytest.raises(PreconditionFailed, match="replaced"):
            reader.read(0)
        assert reader.bytes_read == 0
    assert asked == ['"one"']


def test_a_store_that_trickles_is_too_slow(reading: Callable[..., SourceReader], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_source, "_SLOW_SECONDS", 0.1)
    monkeypatch.setattr(stored_source, "_TOO_SLOW_SECONDS", 0.3)

    def answer(handler: BaseHTTPRequestHandler, data: bytes, first: int, last: int) -> None:
        send_range(handler, data, first, last, sent=0)
        for byte in data[first:last]:
            handler.wfile.write(bytes([byte]))
            if stop.wait(0.02):
                return

    stop = Event()
    with range_server(DATA, answer) as url:
        try:
            with pytest.raises(StorageUnreachable, match="too slowly"):
                reading(lambda: url).read(0)
        finally:
            stop.set()
