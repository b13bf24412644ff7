"""Export a 30 s clip at minute 33 of an hour-long stored master to 9:16 at 720×1280, against plain ffmpeg on a local copy.

The master is rendered once, into a temporary folder: an hour of moving noise and a test card, looped without re-encoding.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.render.render import RenderResult, RenderSpec, render
from clipviewer.services.bucket.signing import signer_for
from clipviewer.settings import Settings
from clipviewer.storage.s3 import open_store
from tests.bench import Row, compare
from tests.storage.serving import KEYS, serving

KEY = "masters/hour.mp4"
START_MS, END_MS = 33 * 60_000, 33 * 60_000 + 30_000
FOLDER = Path(tempfile.gettempdir()) / "clipviewer-bench-render"


def run() -> list[Row]:
    ffmpeg, master = Ffmpeg(), hour_long()
    plain, out = FOLDER / "plain.mp4", FOLDER / "clip.mp4"
    results: list[RenderResult] = []

    with stored(master) as url:
        ours, baseline = (
            Timed(lambda: results.append(render(ffmpeg, spec(url), out))),
            Timed(lambda: run_plain_ffmpeg(ffmpeg, master, plain)),
        )
        wall = compare("a clip, from the store", ours, baseline, goal="≤ 1.05")
    cpu = Row("its CPU time, the store's included", median(ours.cpu[1:]), median(baseline.cpu[1:]))
    share = master.stat().st_size * 30 / 3600
    read = results[-1].source_bytes
    bytes_read = Row("bytes read, against the clip's share", read / 1e6, share / 1e6, "MB", f"≤ {1.5 * share / 1e6 + 15:.0f} MB")
    return [wall, cpu, bytes_read]


def spec(source: str) -> RenderSpec:
    return RenderSpec(source, START_MS, END_MS, AspectRatio.PORTRAIT)


class Timed:
    """Work measured in CPU seconds of this process and its children, so that other work on the machine does not count."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.cpu: list[float] = []
        self._work = work

    def __call__(self) -> None:
        before = sum(os.times()[:4])
        self._work()
        self.cpu.append(sum(os.times()[:4]) - before)


def run_plain_ffmpeg(ffmpeg: Ffmpeg, master: Path, out: Path) -> None:
    """Run the command that one would type: no loudness measurement, no detection of bars, no relay."""
    ffmpeg.run(
        [
            "-ss", "1980", "-t", "30", "-i", str(master), "-vf", "crop=606:1080:656:0,scale=720:1280,setsar=1",
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k",
            "-movflags", "+faststart", "-y", str(out),
        ],
        timeout=600,
    )  # fmt: skip


def hour_long() -> Path:
    """Render one hour of 1080p at about 6 Mbit/s: 2.8 GB."""
    FOLDER.mkdir(exist_ok=True)
    minute, hour = FOLDER / "minute.mp4", FOLDER / "hour.mp4"
    if not hour.exists():
        picture = "testsrc2=s=1920x1080:r=24:d=60,noise=alls=12:allf=t,format=yuv420p"
        coding = ["-preset", "ultrafast", "-b:v", "6M", "-maxrate", "6M", "-bufsize", "6M", "-g", "48", "-c:a", "aac", "-b:a", "128k"]
        ffmpeg = Ffmpeg()
        ffmpeg.run(["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=60", *coding, "-y", str(minute)], timeout=600)
        partly = hour.with_suffix(".part")
        copied = ["-stream_loop", "59", "-i", str(minute), "-c", "copy", "-movflags", "+faststart", "-f", "mp4", "-y", str(partly)]
        ffmpeg.run(copied, timeout=600)
        partly.replace(hour)
    return hour


@contextmanager
def stored(master: Path) -> Iterator[str]:
    """Yield a signed URL of the master in an embedded store."""
    with serving(FOLDER / "store") as served:
        settings = Settings(data_dir=FOLDER, database_url="sqlite://", port=served.port)
        store = open_store(settings, KEYS)
        if not list(store.list(KEY)):
            store.put_file(KEY, master, "video/mp4")
        yield signer_for(settings, store).sign(KEY).url
