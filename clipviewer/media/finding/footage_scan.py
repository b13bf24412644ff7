"""One pass over a whole video for small grey pictures and the sound. Times are milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.raw_pictures import picture_filters, picture_output, read_times
from clipviewer.media.source.media_info import MediaInfo
from clipviewer.media.source.opened_source import OpenedSource

WIDTH, HEIGHT = 64, 36
SOUND_RATE = 16_000
LOOKED_THROUGH_UP_TO_MS = 5 * 60_000
"""Up to this length every picture of a video is read, of longer ones the keyframes."""

_LEAST_STEP, _LEAST_KEYFRAME_STEP = 1 / 62, 0.5  # seconds
_LEAST_READ = 0.9
_ROOM = 16 * 1024**2
_LEAD_MS = 15_000  # Longer than the distance of keyframes: where a seek may land behind its aim, it aims before it.

_SMALL = f"scale={WIDTH}:{HEIGHT}:flags=area"
_FAST = ("-flags2", "fast", "-skip_loop_filter", "all")
_KEYFRAMES = ("-skip_frame", "nokey", "-discard:v", "nokey")
# Decoders that do not skip: one that cannot, and those to which every picture is a keyframe. What they need not see is dropped before them.
_DROPPED = {"vp9": "not(key)"} | dict.fromkeys(
    ("prores", "dnxhd", "cfhd", "dvvideo", "ffv1", "mjpeg", "rawvideo"), "eq(floor(pts*tb/{step}),floor((pts-duration)*tb/{step}))"
)
_SOUND = (
    "-map", "0:a:0", "-af", f"aresample={SOUND_RATE}:async=1:first_pts=0,aformat=sample_fmts=s16:channel_layouts=mono",
    "-c:a", "pcm_s16le", "-f", "s16le", "-y",
)  # fmt: skip

Pictures = NDArray[np.uint8]
"""Shape: number × ``HEIGHT`` × ``WIDTH``."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan. ``pictures`` and ``times_ms`` correspond, in order; ``complete`` if every picture was read, not only keyframes.

    ``sound`` is a file of 16-bit mono samples at 16 kHz; None if the video has no sound.
    """

    duration_ms: int
    pictures: Pictures
    times_ms: NDArray[np.float64]
    complete: bool
    sound: Path | None

    def between(self, ranges: Sequence[tuple[int, int]]) -> list[tuple[Pictures, NDArray[np.float64]]]:
        """Return the pictures of each range (ms), with their times."""
        bounds = [slice(*np.searchsorted(self.times_ms, edges)) for edges in ranges]
        return [(self.pictures[part], self.times_ms[part]) for part in bounds]


@dataclass(frozen=True, slots=True)
class Footage:
    """An open video. ``info`` describes it, ``duration_ms`` is how much of it is scanned."""

    ffmpeg: Ffmpeg
    opened: OpenedSource
    info: MediaInfo
    duration_ms: int

    def scan(self, folder: Path, on_progress: Callable[[float], None]) -> Scan:
        """Read the video once and write the results to ``folder``. Damage in a few places is tolerated.

        Raises ``MediaError`` for a video that breaks off before its end, and as every use of an ``OpenedSource`` does.
        """
        complete = self.duration_ms <= LOOKED_THROUGH_UP_TO_MS
        step = _LEAST_STEP if complete else _LEAST_KEYFRAME_STEP
        pictures, sound = folder / "pictures.raw", folder / "sound.s16"
        chosen = f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{step:.4f})'"
        args = [
            *_FAST, *(() if complete else self._keyframes(step)), *self._input(0, self.duration_ms), "-noxerror",
            "-filter_complex", f"[0:v:0]{chosen},{_SMALL},{picture_filters('all', 'gray')}",
            *picture_output("all", pictures), *((*_SOUND, f"file:{sound}") if self.info.has_audio else ()),
        ]  # fmt: skip
        self._run(args, lambda ms: on_progress(min(1.0, ms / self.duration_ms)))
        frames, times = _read_pictures(pictures, 0)
        heard_ms = sound.stat().st_size * 1000 // (2 * SOUND_RATE) if self.info.has_audio else 0
        # After the last keyframe there may be as much as there was between others.
        seen_ms = times[-1] + np.diff(times).max(initial=0 if len(times) > 1 else self.duration_ms) if len(times) else 0
        if max(heard_ms, seen_ms) < self.duration_ms * _LEAST_READ:
            raise MediaError("The source ends too early: it is damaged or incomplete.")
        return Scan(self.duration_ms, frames, times, complete, sound if heard_ms else None)

    def look_closely(self, ranges: Sequence[tuple[int, int]], folder: Path) -> list[tuple[Pictures, NDArray[np.float64]]]:
        """Return every picture of each range (ms) with its time, all ranges in one run."""
        leads = [0 if self.info.indexed else min(_LEAD_MS, start) for start, _ in ranges]
        files = [folder / f"close-{number}.raw" for number in range(len(ranges))]
        inputs = [
            part
            for (start, end), lead in zip(ranges, leads, strict=True)
            for part in (*_FAST, *self._input(start - lead, end))
        ]  # fmt: skip
        graph = ";".join(f"[{number}:v:0]{_SMALL},{picture_filters(f'close{number}', 'gray')}" for number in range(len(ranges)))
        outputs = [part for number, file in enumerate(files) for part in picture_output(f"close{number}", file)]
        self._run([*inputs, "-noxerror", "-filter_complex", graph, *outputs], None)
        return [_read_pictures(file, start - lead) for (start, _), lead, file in zip(ranges, leads, files, strict=True)]

    def _keyframes(self, step: float) -> list[str]:
        dropped = _DROPPED.get(self.info.video_codec)
        return [*_KEYFRAMES, *(("-bsf:v", f"noise=drop='{dropped.format(step=step)}'") if dropped else ())]

    def _input(self, start_ms: int, end_ms: int) -> list[str]:
        return self.opened.input("-ss", ms_to_seconds(start_ms), "-t", ms_to_seconds(end_ms - start_ms))

    def _run(self, args: Sequence[str], on_progress: Callable[[int], None] | None) -> None:
        seconds = self.duration_ms / 1000
        file_size = _ROOM + math.ceil(seconds * (WIDTH * HEIGHT + 64) / _LEAST_STEP)
        self.opened.run(self.ffmpeg, args, timeout=300 + 2 * seconds, file_size=file_size, on_progress=on_progress)
        # Without -xerror ffmpeg takes a store that fails for the end of the file.
        if self.opened.relay is not None and self.opened.relay.failure is not None:
            raise self.opened.relay.failure


def _read_pictures(path: Path, start_ms: int) -> tuple[Pictures, NDArray[np.float64]]:
    """Read pictures and their times, as many as have both, and remove the file."""
    times, pixels = read_times(path), np.fromfile(path, np.uint8)
    path.unlink()
    count = min(len(times), len(pixels) // (WIDTH * HEIGHT))
    return pixels[: count * WIDTH * HEIGHT].reshape(-1, HEIGHT, WIDTH), start_ms + np.array(times[:count], np.float64)
