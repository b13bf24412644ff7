"""Small real clips: moving pictures in three shapes, each with a tone, and two long ones, rendered once for all workers of a run."""

from __future__ import annotations

import fcntl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

SHORT_SECONDS = 6
LONG_SECONDS = 48


@dataclass(frozen=True)
class Footage:
    """Paths of the clips. ``master`` and ``long`` (16:9) last 48 s; ``long`` is about 25 MB, so that most of it is never buffered yet."""

    portrait: Path
    square: Path
    landscape: Path
    tiny: Path
    master: Path
    long: Path


def shared_footage(folder: Path) -> Footage:
    """Return the footage in ``folder``; the first process renders it, the others wait."""
    folder.mkdir(exist_ok=True)
    done = folder / "rendered"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _render(folder)
            done.touch()
    return Footage(**{name: folder / f"{name}.mp4" for name in Footage.__dataclass_fields__})


def _render(folder: Path) -> None:
    def render(name: str, size: str, hertz: int, seconds: int, *video: str) -> None:
        pictures = f"testsrc2=size={size}:rate=25:duration={seconds}"
        sound = f"sine=frequency={hertz}:duration={seconds}"
        encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac", "-b:a", "64k"]
        inputs = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound]
        command = [get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-y", *inputs, *encoding, *video, "-movflags", "+faststart"]
        subprocess.run([*command, str(folder / f"{name}.mp4")], check=True, stdin=subprocess.DEVNULL)

    # Filler gives a constant bit rate at no cost of encoding and decoding.
    filled = ("-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "4M", "-x264-params", "nal-hrd=cbr")
    render("portrait", "270x480", 330, SHORT_SECONDS)
    render("square", "320x320", 440, SHORT_SECONDS)
    render("landscape", "480x270", 550, SHORT_SECONDS)
    render("tiny", "144x256", 220, 2)
    render("master", "480x270", 770, LONG_SECONDS)
    render("long", "480x270", 660, LONG_SECONDS, *filled)
