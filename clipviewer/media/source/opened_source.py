"""A source opened for ffmpeg and for the child process that looks into it, allowing only what footage needs. Times are milliseconds."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from clipviewer.errors import ClipviewerError, DiskFull
from clipviewer.media.allowed import DECODERS, FORMATS, MAX_SIDE, THREADS
from clipviewer.media.cage.cage import CAGE, Look
from clipviewer.media.ffmpeg import Ffmpeg, Limits, MediaError
from clipviewer.media.source.relay import SourceRelay
from clipviewer.media.source.stored_source import Source, StoredSource

_MEMORY = 6 * 1024**3
_STALL_MICROSECONDS = 60_000_000
_READ_AHEAD = 256 * 1024  # The system would let several MB wait between the relay and ffmpeg: read from the store, and never used.

# What ffmpeg says, and what a person can do about it; the first that fits.
_REASONS = (
    ("not on whitelist", "The footage is in an unsupported format: convert it to H.264 in an mp4 first."),
    (
        "zscale",
        "This is HDR footage, and this ffmpeg cannot convert it: unset CLIPVIEWER_FFMPEG to use the one installed with clipviewer.",
    ),
    ("Cannot allocate memory", "The footage needs more memory than a render may use: convert it to H.264 at a smaller size first."),
)

# Captions inside a master are not read here, which ffmpeg says of every such file.
_CAPTIONS_LEFT_OUT = re.compile(r"(?:mov_text|subrip|srt|webvtt|ass|ssa|subtitle|cc_dec|teletext).*not on whitelist")

_MISSING = "This video file cannot be read: it is missing."

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """An open source. ``address`` is a path's ``file:`` URL, or that of ``relay``, which reads from the store."""

    address: str
    relay: SourceRelay | None
    cancelled: Callable[[], bool]

    @property
    def bytes_read(self) -> int:
        """Bytes read from the store; 0 for a path."""
        return self.relay.bytes_read if self.relay else 0

    def size(self) -> int:
        """The source's size in bytes. Raises ``MediaError`` if a path does not exist, ``StorageError`` as reading does."""
        if self.relay is not None:
            return self.relay.size()
        try:
            return self._path.stat().st_size
        except OSError as error:
            raise MediaError(_MISSING) from error

    def read(self, offset: int, count: int) -> bytes:
        """Return at most ``count`` bytes (few) from ``offset``; fewer at the end, none past it. Raises as ``size`` does."""
        if self.relay is None:
            try:
                with self._path.open("rb") as file:
                    file.seek(offset)
                    return file.read(count)
            except OSError as error:
                raise MediaError(_MISSING) from error
        data = b""
        while len(data) < count and offset + len(data) < self.relay.size():
            data += self.relay.read(offset + len(data))
        return data[:count]

    @property
    def _path(self) -> Path:
        return Path(self.address.removeprefix("file:"))

    def ask(self, look: Look[_Found]) -> _Found:
        """Return what ``look`` finds in the source, in a child process that is ended when cancelled."""
        return CAGE.look(look, self.address, cancelled=self.cancelled)

    def input(self, *options: str) -> list[str]:
        """Return ffmpeg's options that open the source; ``options`` are further input options."""
        limited = ("-rw_timeout", str(_STALL_MICROSECONDS), "-recv_buffer_size", str(_READ_AHEAD))
        protocols = ("-protocol_whitelist", "http,tcp", *limited) if self.relay else ("-protocol_whitelist", "file")
        return [
            "-xerror", *protocols, "-format_whitelist", FORMATS, "-codec_whitelist", DECODERS, "-max_pixels", str(MAX_SIDE**2),
            "-threads", str(THREADS), *options, "-i", self.address,
        ]  # fmt: skip

    def run(
        self, ffmpeg: Ffmpeg, args: Sequence[str], *, timeout: float, file_size: int, on_progress: Callable[[int], None] | None = None
    ) -> str:
        """Run ffmpeg within the limits of a render: ``timeout`` in seconds, ``file_size`` in bytes per file."""
        limits = Limits(memory=_MEMORY, cpu_seconds=math.ceil(timeout) * THREADS, file_size=file_size)
        return ffmpeg.run(args, timeout=timeout, on_progress=on_progress, cancelled=self.cancelled, limits=limits)


@contextmanager
def open_source(source: Source, folder: Path, *, cancelled: Callable[[], bool] = lambda: False) -> Iterator[OpenedSource]:
    """Open the whole source; ``folder`` holds what is read from the store. Blocks.

    Raises, here and on every use, ``MediaError`` for unusable footage, ``StorageError`` for an unreadable source, and ``MediaCancelled``
    within a second of ``cancelled`` returning true.
    """
    with _relayed(source, folder) as relay:
        try:
            yield OpenedSource(relay.address if relay else f"file:{Path(str(source)).absolute()}", relay, cancelled)
        except MediaError as error:
            if relay is not None and relay.failure is not None:
                raise relay.failure from error
            raise _explained(error) from error


def _relayed(source: Source, folder: Path) -> AbstractContextManager[SourceRelay | None]:
    if isinstance(source, StoredSource):
        return SourceRelay(source, folder)
    if source.startswith(("http://", "https://")):
        return SourceRelay(StoredSource(lambda: source), folder)
    return nullcontext()


def _explained(error: MediaError) -> ClipviewerError:
    if "No space left on device" in error.log:
        return DiskFull()
    log = "\n".join(line for line in error.log.splitlines() if not _CAPTIONS_LEFT_OUT.search(line))
    for words, sentence in _REASONS:
        if words in log:
            return type(error)(sentence, error.log)
    return error
