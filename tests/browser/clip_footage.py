"""Small real clips: moving pictures in three shapes, each with a tone, and a long one that no player buffers whole."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

SHORT_SECONDS = 6
LONG_SECONDS = 48


@dataclass(frozen=True)
class Footage:
    """``long`` (16:9) is about 25 MB, so that most of it is always still to come."""

    portrait: Path
    square: Path
    landscape: Path
    long: Path
    tiny: Path


def render_footage(folder: Path) -> Footage:
    def render(name: str, size: str, hertz: int, seconds: int, *video: str) -> Path:
        path = folder / f"{name}.mp4"
        pictures = f"testsrc2=size={size}:rate=25:duration={seconds}"
        sound = f"sine=frequency={hertz}:duration={seconds}"
        encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac", "-b:a", "64k"]
        inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound]
        command = [get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", *inputs, *encoding, *video, "-movflags", "+faststart", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    noise = ("-vf", "noise=alls=60:allf=t", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "4M")
    return Footage(
        portrait=render("portrait", "270x480", 330, SHORT_SECONDS),
        square=render("square", "320x320", 440, SHORT_SECONDS),
        landscape=render("landscape", "480x270", 550, SHORT_SECONDS),
        tiny=render("tiny", "144x256", 220, 2),
        long=render("long", "480x270", 660, LONG_SECONDS, *noise),
    )
