"""A clip's range of a source, opened for ffmpeg: what looks at it and what renders it read the same pictures. Times are milliseconds."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.ffmpeg import FORMATS, Ffmpeg, Limits, MediaCancelled, MediaError
from clipviewer.media.probe import MAX_SIDE, MediaInfo, probe
from clipviewer.media.source_relay import SourceRelay
from clipviewer.media.stored_source import Source, StoredSource

DECODERS = (
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg1video,mpeg2video,mpeg4,msmpeg4v3,h263,theora,vc1,wmv3,prores,dnxhd,cfhd,dvvideo,ffv1,mjpeg,rawvideo,"
    "aac,aac_fixed,mp3,mp3float,mp2,mp2float,ac3,eac3,opus,libopus,vorbis,flac,alac,dca,truehd,wmav2,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav"
)
THREADS = max(1, min(4, os.cpu_count() or 1))

_MEMORY = 6 * 1024**3
_STALL_MICROSECONDS = 60_000_000
_POLL_SECONDS = 0.1
_READ_AHEAD = 256 * 1024  # The system would let several MB wait between the relay and ffmpeg: read from the store, and never used.
_LEAD_MS = 15_000  # Longer than the distance of keyframes: where a seek may land behind the clip's start, it aims before it.

# What ffmpeg says, and what a person can do about it; the first that fits.
_REASONS = (
    ("No space left on device", "The disk of this machine is full: make room for the render, then retry."),
    ("not on whitelist", "The footage is in a format that is not rendered here: convert it to H.264 in an mp4 first."),
    (
        "zscale",
        "This is HDR footage, and this ffmpeg cannot convert it: unset CLIPVIEWER_FFMPEG to use the one that is installed with clipviewer.",
    ),
    ("Cannot allocate memory", "The footage needs more memory than a render may take: convert it to H.264 at a smaller size first."),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way through the clip: options of its input, the stream to take (``v:0``), and the options of the output it goes to."""

    options: Sequence[str]
    stream: str
    output: Sequence[str]


@dataclass(frozen=True, slots=True)
class ClipSource:
    """``start_ms`` to ``end_ms`` of what ffmpeg finds at ``address``, read from the store by ``relay``; ``info`` says what it is.

    Where a seek is not exact, the first ``lead_ms`` of what is read lie before the clip.
    """

    ffmpeg: Ffmpeg
    address: str
    start_ms: int
    end_ms: int
    relay: SourceRelay | None
    info: MediaInfo
    cancelled: Callable[[], bool]
    lead_ms: int = 0

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def seconds(self) -> str:
        return ms_to_seconds(self.duration_ms)

    @property
    def lead(self) -> str:
        """The lead in seconds; empty where there is none."""
        return ms_to_seconds(self.lead_ms) if self.lead_ms else ""

    @property
    def frame_ms(self) -> int:
        return math.ceil(1000 / self.info.frame_rate) + 1 if self.info.frame_rate else 1000

    @property
    def timeout(self) -> float:
        """Seconds that one run over the clip may take."""
        return 300 + self.duration_ms / 1000 * 40

    @property
    def bytes_read(self) -> int:
        """What came from the store; 0 for a path."""
        return self.relay.bytes_read if self.relay else 0

    def input(self) -> list[str]:
        """ffmpeg's options that open the range, with nothing allowed that a clip does not need."""
        limited = ("-rw_timeout", str(_STALL_MICROSECONDS), "-recv_buffer_size", str(_READ_AHEAD))
        protocols = ("-protocol_whitelist", "http,tcp", *limited) if self.relay else ("-protocol_whitelist", "file")
        return [
            "-xerror", *protocols, "-format_whitelist", FORMATS, "-codec_whitelist", DECODERS, "-max_pixels", str(MAX_SIDE**2),
            "-threads", str(THREADS), "-ss", ms_to_seconds(self.start_ms - self.lead_ms),
            "-t", ms_to_seconds(self.duration_ms + self.lead_ms), "-i", self.address,
        ]  # fmt: skip

    def look(self, readings: Sequence[Reading], *, file_size: int = 0) -> str:
        """Read the clip in several ways at once, each with an input and an output of its own, so that each ends by itself. → the log."""
        inputs = [part for reading in readings for part in (*reading.options, *self.input())]
        outputs = [part for index, reading in enumerate(readings) for part in ("-map", f"{index}:{reading.stream}", *reading.output)]
        return self.run(["-loglevel", "info", *inputs, *outputs], file_size=file_size) if readings else ""

    def run(self, args: Sequence[str], *, file_size: int, on_progress: Callable[[int], None] | None = None) -> str:
        """``Ffmpeg.run`` within the limits of a render; ``file_size``: bytes that one file may take."""
        limits = Limits(memory=_MEMORY, cpu_seconds=math.ceil(self.timeout) * THREADS, file_size=file_size)
        return self.ffmpeg.run(args, timeout=self.timeout, on_progress=on_progress, cancelled=self.cancelled, limits=limits)


@contextmanager
def open_clip(
    ffmpeg: Ffmpeg, source: Source, start_ms: int, end_ms: int, folder: Path, *, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[ClipSource]:
    """Open the range; ``folder`` has the room for what is read from the store. Blocks.

    Raises, here and for everything done with it, ``MediaError`` for footage that cannot be used, ``StorageError`` for a source that cannot
    be read, and ``MediaCancelled`` within a second of ``cancelled`` saying so.
    """
    with _relayed(source, folder) as relay:
        try:
            address = relay.address if relay else f"file:{Path(str(source)).absolute()}"
            info = _probe(address, relay, cancelled)
            clip = ClipSource(ffmpeg, address, start_ms, end_ms, relay, info, cancelled)
            known_ms = min(end_ms, info.duration_ms)
            if known_ms - start_ms < clip.frame_ms or end_ms - known_ms > 1000:
                raise MediaError("The clip lies beyond the end of its video: trim it, then export it again.")
            yield clip if info.indexed else replace(clip, lead_ms=min(_LEAD_MS, start_ms))
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


def _probe(address: str, relay: SourceRelay | None, cancelled: Callable[[], bool]) -> MediaInfo:
    """In a thread, because a store that is slow to answer must not keep a person waiting who has cancelled."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(probe, address)
        while True:
            if cancelled():
                if relay:
                    relay.close()
                raise MediaCancelled
            try:
                return future.result(_POLL_SECONDS)
            except NotYet:
                continue


def _explained(error: MediaError) -> MediaError:
    for words, sentence in _REASONS:
        if words in error.log:
            return MediaError(sentence, error.log)
    return error
