"""Read small raw pictures that ffmpeg wrote together with their times. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Shape: height × width × 3 (blue, green, red), or height × width (grey)."""


def picture_output(path: Path, pixel_format: str) -> list[str]:
    """Return ffmpeg's output options for ``read_pictures``; ``pixel_format`` is ``bgr24`` or ``gray``."""
    return [
        "-c:v", "rawvideo", "-pix_fmt", pixel_format, "-fps_mode", "passthrough", "-enc_time_base", "1:1000",
        "-f", "nut", "-y", f"file:{path}",
    ]  # fmt: skip


def read_pictures(path: Path) -> Iterator[tuple[int, Picture]]:
    """Yield each picture with its time."""
    with av.open(str(path), format="nut", options={"protocol_whitelist": "file"}) as container:
        stream = container.streams.video[0]
        height, width = stream.codec_context.height, stream.codec_context.width
        for packet in container.demux(stream):
            if packet.size and packet.pts is not None and packet.time_base is not None:
                pixels = np.frombuffer(bytes(packet), np.uint8)
                yield (
                    round(packet.pts * packet.time_base * 1000),
                    pixels.reshape(height, width, *([3] if pixels.size > height * width else [])),
                )
