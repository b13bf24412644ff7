"""One pass over a whole video: small grey pictures and the sound, for whatever looks for something in it. Times are milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from clipviewer.media.clip_source import THREADS, ClipSource
from clipviewer.media.ffmpeg import Limits, MediaError

WIDTH, HEIGHT = 64, 36
SOUND_RATE = 16_000
LOOKED_THROUGH_UP_TO_MS = 5 * 60_000
"""Of a video up to that length every picture is looked at, of a longer one the keyframes."""

_LEAST_STEP, _LEAST_KEYFRAME_STEP = 1 / 62, 0.5  # seconds
_LEAST_READ = 0.9
_MEMORY = 4 * 1024**3
_LEAD_MS = 15_000

_GREY = f"scale={WIDTH}:{HEIGHT}:flags=area,format=gray"
_PICTURES = ("-fps_mode", "passthrough", "-c:v", "rawvideo", "-f", "nut", "-y")
_FAST = ("-flags2", "fast", "-skip_loop_filter", "all")
_KEYFRAMES = ("-skip_frame", "nokey", "-discard:v", "nokey")
_SOUND = (
    "-map", "0:a:0", "-af", f"aresample={SOUND_RATE}:async=1:first_pts=0,aformat=sample_fmts=s16:channel_layouts=mono",
    "-c:a", "pcm_s16le", "-f", "s16le", "-y",
)  # fmt: skip

Pictures = NDArray[np.uint8]
"""Number × ``HEIGHT`` × ``WIDTH``."""


@dataclass(frozen=True, slots=True)
class Scan:
    """``pictures`` and ``times_ms`` belong together, in order; ``complete``: they are all there are, else the keyframes.

    ``sound``: a file of 16-bit samples, one channel, 16 kHz; None where the video has none.
    """

    duration_ms: int
    pictures: Pictures
    times_ms: NDArray[np.float64]
    complete: bool
    sound: Path | None

    def between(self, ranges: Sequence[tuple[int, int]]) -> list[tuple[Pictures, NDArray[np.float64]]]:
        """The pictures of each range (ms), with their times."""
        bounds = [slice(*np.searchsorted(self.times_ms, edges)) for edges in ranges]
        return [(self.pictures[part], self.times_ms[part]) for part in bounds]


def whole(clip: ClipSource, duration_ms: int) -> ClipSource:
    """The whole video that a clip was opened of."""
    return replace(clip, start_ms=0, end_ms=min(duration_ms, clip.info.duration_ms), lead_ms=0)


def scan(clip: ClipSource, folder: Path, on_progress: Callable[[float], None]) -> Scan:
    """Read the range of ``clip`` once, and write what was found to ``folder``. Damage in some places is passed over.

    Raises ``MediaError`` for a video that breaks off before its end, and as everything done with a ``ClipSource`` does.
    """
    complete = clip.duration_ms <= LOOKED_THROUGH_UP_TO_MS
    step = _LEAST_STEP if complete else _LEAST_KEYFRAME_STEP
    pictures, sound = folder / "pictures.nut", folder / "sound.s16"
    args = [
        *_FAST, *(() if complete else _KEYFRAMES), *clip.input(), "-noxerror",
        "-map", "0:v:0", "-vf", f"select='isnan(prev_selected_t)+gte(t-prev_selected_t,{step:.4f})',{_GREY}", *_PICTURES, f"file:{pictures}",
    ]  # fmt: skip
    if clip.info.has_audio:
        args += [*_SOUND, f"file:{sound}"]
    read_ms = 0

    def progressed(ms: int) -> None:
        nonlocal read_ms
        read_ms = max(read_ms, ms)
        on_progress(min(1.0, ms / clip.duration_ms))

    _run(clip, args, progressed)
    _check_read(clip)
    frames, times = _read_pictures(pictures, 0)
    heard_ms = sound.stat().st_size * 1000 // (2 * SOUND_RATE) if clip.info.has_audio else 0
    if max(heard_ms, times[-1] if len(times) else 0, read_ms) < clip.duration_ms * _LEAST_READ:
        raise MediaError("The source breaks off before its end: it is damaged, or was not written to the end.")
    return Scan(clip.duration_ms, frames, times, complete, sound if heard_ms else None)


def look_closely(clip: ClipSource, ranges: Sequence[tuple[int, int]], folder: Path) -> list[tuple[Pictures, NDArray[np.float64]]]:
    """Every picture of each range (ms) with its time, all ranges in one run."""
    parts = [_part(clip, *bounds) for bounds in ranges]
    files = [folder / f"close-{number}.nut" for number in range(len(parts))]
    inputs = [option for part in parts for option in (*_FAST, *part.input())]
    outputs = [
        option
        for number, file in enumerate(files)
        for option in ("-map", f"{number}:v:0", "-vf", _GREY, *_PICTURES, f"file:{file}")
    ]  # fmt: skip
    _run(clip, [*inputs, "-noxerror", *outputs], None)
    _check_read(clip)
    return [_read_pictures(file, part.start_ms - part.lead_ms) for part, file in zip(parts, files, strict=True)]


def _part(clip: ClipSource, start_ms: int, end_ms: int) -> ClipSource:
    return replace(clip, start_ms=start_ms, end_ms=end_ms, lead_ms=0 if clip.info.indexed else min(_LEAD_MS, start_ms))


def _run(clip: ClipSource, args: Sequence[str], on_progress: Callable[[int], None] | None) -> None:
    seconds = clip.duration_ms / 1000
    pictures_a_second = (WIDTH * HEIGHT + 64) / _LEAST_STEP
    limits = Limits(
        memory=_MEMORY,
        cpu_seconds=math.ceil(300 + 2 * seconds) * THREADS,
        file_size=16 * 1024**2 + math.ceil(seconds * pictures_a_second),
    )
    clip.ffmpeg.run(args, timeout=300 + 2 * seconds, on_progress=on_progress, cancelled=clip.cancelled, limits=limits)


def _check_read(clip: ClipSource) -> None:
    """Without ``-xerror`` ffmpeg takes a store that fails for the end of the file."""
    if clip.relay is not None and clip.relay.failure is not None:
        raise clip.relay.failure


def _read_pictures(path: Path, start_ms: int) -> tuple[Pictures, NDArray[np.float64]]:
    """The pictures in a file that this process made, and their times."""
    frames: list[bytes] = []
    times: list[float] = []
    with av.open(str(path), format="nut", options={"protocol_whitelist": "file"}) as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size == WIDTH * HEIGHT and stream.time_base is not None:
                frames.append(bytes(packet))
                times.append(start_ms + float(packet.pts * stream.time_base) * 1000)
    path.unlink()
    pictures = np.frombuffer(b"".join(frames), np.uint8).reshape(-1, HEIGHT, WIDTH)
    return pictures, np.array(times, np.float64)
