"""One range of a source, opened for ffmpeg. Analysis and rendering read the same pictures. Times are milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.cage.cage import PROBE
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.source.media_info import MediaInfo
from clipviewer.media.source.opened_source import OpenedSource, open_source
from clipviewer.media.source.stored_source import Source

_LEAD_MS = 15_000  # Longer than the distance of keyframes: where a seek may land behind the clip's start, it aims before it.


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the clip: input options, the stream to take (``v:0``), and output options."""

    options: Sequence[str]
    stream: str
    output: Sequence[str]


@dataclass(frozen=True, slots=True)
class ClipSource:
    """The range ``start_ms`` to ``end_ms`` of ``opened``; ``info`` describes the source.

    If a seek is not exact, the first ``lead_ms`` that are read lie before the clip.
    """

    ffmpeg: Ffmpeg
    opened: OpenedSource
    start_ms: int
    end_ms: int
    info: MediaInfo
    lead_ms: int = 0

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms

    @property
    def seconds(self) -> str:
        return ms_to_seconds(self.duration_ms)

    @property
    def lead(self) -> str:
        """The lead in seconds; empty if there is none."""
        return ms_to_seconds(self.lead_ms) if self.lead_ms else ""

    @property
    def frame_ms(self) -> int:
        return math.ceil(1000 / self.info.frame_rate) + 1 if self.info.frame_rate else 1000

    @property
    def timeout(self) -> float:
        """Maximum seconds for one run over the clip."""
        return 300 + self.duration_ms / 1000 * 40

    @property
    def cancelled(self) -> Callable[[], bool]:
        return self.opened.cancelled

    @property
    def bytes_read(self) -> int:
        """Bytes read from the store; 0 for a path."""
        return self.opened.bytes_read

    def input(self) -> list[str]:
        """Return ffmpeg's options that open the range, allowing only what a clip needs."""
        start, length = self.start_ms - self.lead_ms, self.duration_ms + self.lead_ms
        return self.opened.input("-ss", ms_to_seconds(start), "-t", ms_to_seconds(length))

    def look(self, readings: Sequence[Reading], *, file_size: int = 0) -> str:
        """Read the clip in several ways in one run, each with its own input and output; return the log."""
        inputs = [part for reading in readings for part in (*reading.options, *self.input())]
        outputs = [part for index, reading in enumerate(readings) for part in ("-map", f"{index}:{reading.stream}", *reading.output)]
        return self.run(["-loglevel", "info", *inputs, *outputs], file_size=file_size) if readings else ""

    def run(self, args: Sequence[str], *, file_size: int, on_progress: Callable[[int], None] | None = None) -> str:
        """Run ffmpeg within the limits of a render; ``file_size`` is the maximum size of one file in bytes."""
        return self.opened.run(self.ffmpeg, args, timeout=self.timeout, file_size=file_size, on_progress=on_progress)


@contextmanager
def open_clip(
    ffmpeg: Ffmpeg, source: Source, start_ms: int, end_ms: int, folder: Path, *, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[ClipSource]:
    """Open the range; ``folder`` holds what is read from the store. Blocks. Raises as ``open_source`` does."""
    with open_source(source, folder, cancelled=cancelled) as opened:
        info = opened.ask(PROBE)
        clip = ClipSource(ffmpeg, opened, start_ms, end_ms, info)
        known_ms = min(end_ms, info.duration_ms)
        if known_ms - start_ms < clip.frame_ms or end_ms - known_ms > 1000:
            raise MediaError("The clip is beyond the end of its video: trim it, then export it again.")
        yield clip if info.indexed else replace(clip, lead_ms=min(_LEAD_MS, start_ms))
