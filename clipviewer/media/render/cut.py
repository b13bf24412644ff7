"""Cut a clip or a still out of a local file. Times are milliseconds of the source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.allowed import FORMATS
from clipviewer.media.ffmpeg import Ffmpeg

POSTER_WIDTH = 640
KEYFRAME_SECONDS = 2

_INPUT = ("-xerror", "-protocol_whitelist", "file", "-format_whitelist", FORMATS)


def cut_clip(
    ffmpeg: Ffmpeg,
    source: Path,
    out: Path,
    *,
    start_ms: int,
    end_ms: int,
    ratio: AspectRatio,
    preset: str = "veryfast",
    timeout: float = 900,
    on_progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write ``start_ms`` to ``end_ms`` of ``source`` to ``out``: H.264 and AAC in a fast-start mp4.

    The picture is centre-cropped to ``ratio`` and scaled to that ratio's frame. ``out`` appears whole or not at all. Raises as
    ``Ffmpeg.run`` does.
    """
    if not 0 <= start_ms < end_ms:
        raise ValueError("a clip ends after it starts")
    width, height = ratio.frame.width, ratio.frame.height
    crop = f"crop=w='min(iw,ih*{width}/{height}/sar)':h='min(ih,iw*sar*{height}/{width})'"
    partial = _partial(out)
    try:
        ffmpeg.run(
            [
                *_INPUT, "-ss", ms_to_seconds(start_ms), "-t", ms_to_seconds(end_ms - start_ms), "-i", f"file:{source}",
                "-map", "0:v:0", "-map", "0:a:0?", "-vf", f"{crop},scale={width}:{height},setsar=1",
                "-c:v", "libx264", "-preset", preset, "-crf", "22", "-pix_fmt", "yuv420p",
                "-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})",
                "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000",
                "-map_metadata", "-1", "-map_chapters", "-1", "-movflags", "+faststart", "-f", "mp4", "-y", f"file:{partial}",
            ],
            timeout=timeout, on_progress=on_progress, cancelled=cancelled,
        )  # fmt: skip
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def write_poster(ffmpeg: Ffmpeg, source: Path, out: Path, *, at_ms: int, timeout: float = 60) -> None:
    """Write the picture at ``at_ms`` to ``out`` as JPEG, at most 640 pixels wide. Raises as ``Ffmpeg.run`` does."""
    partial = _partial(out)
    try:
        ffmpeg.run(
            [
                *_INPUT, "-ss", ms_to_seconds(at_ms), "-i", f"file:{source}", "-map", "0:v:0", "-frames:v", "1",
                "-vf", f"scale=w='min({POSTER_WIDTH},trunc(iw*sar/2)*2)':h=-2,setsar=1", "-map_metadata", "-1",
                "-c:v", "mjpeg", "-q:v", "4", "-f", "image2", "-update", "1", "-y", f"file:{partial}",
            ],
            timeout=timeout,
        )  # fmt: skip
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _partial(out: Path) -> Path:
    return out.with_name(f"{out.name}.part")
