"""Poster, filmstrip and waveform of the hour-long master of ``render``, read from the store.

The baseline of the time is the goal of 60 × real time; the baseline of the bytes is the size of the master.
"""

from __future__ import annotations

import shutil
from statistics import median

from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.previews.previews import Previews, make_previews
from clipviewer.media.source.inspection import inspect
from tests.bench import Row, seconds
from tests.bench.render import FOLDER, Timed, hour_long, stored

RUNS = 3
GOAL = 60


def run() -> list[Row]:
    master, folder = hour_long(), FOLDER / "previews"
    made: list[Previews] = []
    looks: list[float] = []

    def once() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with stored(master) as url:
            looks.append(seconds(lambda: inspect(url, folder)))
            made.append(make_previews(Ffmpeg(), url, inspect(url, folder), folder))

    timed = Timed(once)
    took = median(seconds(timed) for _ in range(RUNS))
    length = inspect(str(master), folder).media.duration_ms / 1000
    shown = [made[-1].poster, *made[-1].sheets, made[-1].filmstrip, made[-1].waveform]
    kept = sum(path.stat().st_size for path in shown if path is not None)
    shutil.rmtree(folder)
    return [
        Row(f"all of it: {length / took:.0f} × real time", took, length / GOAL, goal="≤ 1"),
        Row("its CPU time, the store's included", median(timed.cpu), length / GOAL),
        Row("a look into the master alone", median(looks), took),
        Row("bytes read, against the master", made[-1].source_bytes / 1e6, master.stat().st_size / 1e6, "MB", "≤ 1.05"),
        Row("what is kept, against the master", kept / 1e6, master.stat().st_size / 1e6, "MB"),
    ]
