"""Find clips in an hour of stored 1080p video, against real time; and detect cuts in the sample battle, against PySceneDetect.

PySceneDetect is not in the requirements: SCENEDETECT_PYTHON names an interpreter that has it; without one its rows are left out.
The cuts of the battle were marked by hand, frame by frame; both detectors run with their defaults, over the whole file.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from clipviewer.media.cage.cage import PROBE
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.finding.cuts import find_cuts
from clipviewer.media.finding.footage_scan import Footage
from clipviewer.media.finding.highlights import find_clips_in
from clipviewer.media.source.opened_source import open_source
from tests.bench import Row, compare, seconds
from tests.bench.render import FOLDER, Timed, hour_long, stored

RUNS = 5
HOUR_MS = 3_600_000
BATTLE = Path(__file__).parents[3] / "shared" / "samples" / "tears-of-steel-battle-clip-medium.webm"
FRAME_RATE = 24
# The first frame of every shot but the first. 1157 is a whip pan that starts with a cut; the explosion at 1665 is not a cut.
CUTS = (
    52, 122, 158, 221, 309, 715, 788, 872, 901, 987, 1127, 1157, 1203,
    1234, 1246, 1284, 1345, 1378, 1430, 1472, 1525, 1571, 1618, 1650, 1689,
)  # fmt: skip

_DETECT = """
import json, sys
from scenedetect import AdaptiveDetector, detect
print(json.dumps([scene[0].frame_num for scene in detect(sys.argv[1], AdaptiveDetector())][1:]))
"""


def run() -> list[Row]:
    return [*_hour(), *(_cuts(os.environ.get("SCENEDETECT_PYTHON")) if BATTLE.exists() else [])]


def _hour() -> list[Row]:
    """Return seconds of work, seconds of footage, and the bytes read from the store."""
    master, read = hour_long(), []

    def find(url: str, folder: Path) -> None:
        with open_source(url, folder) as opened:
            find_clips_in(Ffmpeg(), opened, duration_ms=HOUR_MS, captions=None, folder=folder)
            read.append(opened.bytes_read)

    with stored(master) as url, tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        work = Timed(lambda: find(url, Path(folder)))
        took = median(seconds(work) for _ in range(RUNS))
    return [
        Row("an hour, from the store, against real time", took, HOUR_MS / 1000, goal="≤ 1/60"),
        Row("its CPU time, the store's included, against two cores for a minute", median(work.cpu), 120),
        Row("bytes read, against all of them", read[-1] / 1e6, master.stat().st_size / 1e6, "MB"),
    ]


def _cuts(interpreter: str | None) -> list[Row]:
    found = _our_cuts()
    if interpreter is None:
        return [
            Row("cuts found, against those there are", len(_right(found)), len(CUTS), "cuts"),
            Row("right ones, against all found", len(_right(found)), len(found), "cuts"),
        ]
    theirs = _their_cuts(interpreter)
    return [
        compare("cuts of 70 s, process start included", _our_cuts, lambda: _their_cuts(interpreter), runs=RUNS),
        Row(f"found, of {len(CUTS)} cuts", 100 * len(_right(found)) / len(CUTS), 100 * len(_right(theirs)) / len(CUTS), "%"),
        Row("of what was found, right", 100 * len(_right(found)) / len(found), 100 * len(_right(theirs)) / len(theirs), "%"),
    ]


def _right(found: Sequence[int]) -> set[int]:
    """Return the detected cuts that are on the exact frame."""
    return set(found) & set(CUTS)


def _our_cuts() -> list[int]:
    with tempfile.TemporaryDirectory() as folder, open_source(str(BATTLE), Path(folder)) as opened:
        info = opened.ask(PROBE)
        ((pictures, times),) = Footage(Ffmpeg(), opened, info, info.duration_ms).look_closely([(0, info.duration_ms)], Path(folder))
        return [round(times[index] * FRAME_RATE / 1000) for index in find_cuts(pictures)]


def _their_cuts(interpreter: str) -> list[int]:
    answer = subprocess.run([interpreter, "-c", _DETECT, str(BATTLE)], capture_output=True, check=True, text=True)
    return list(json.loads(answer.stdout))
