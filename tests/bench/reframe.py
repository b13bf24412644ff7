"""How much of the subject *Auto* keeps in frame, against a centre crop: in drawn scenes, and in real footage if present.

The subjects of the real footage were marked by hand, a few times each; a score is the visible fraction of the subject's box, averaged
over those times.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, auto_framing_at, crop_rect
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.framing.reframe import PictureAnalysis, analyse_range
from clipviewer.media.render.render import RenderSpec, render
from tests.bench import Row
from tests.moving_subjects import FRAME_RATE, SCENES, Box, film

SAMPLES = Path(__file__).parents[3] / "shared/samples"
RATIOS = (AspectRatio.PORTRAIT, AspectRatio.SQUARE)
TEARS = "tears-of-steel-battle-clip-medium.webm"

# File, name, start and end of the clip (s), and the subject's boxes at times of the file (s).
MARKED: tuple[tuple[str, str, float, float, dict[float, Box]], ...] = (
    (
        "friday.mp4", "the speaker's head and shoulders", 0, 6,
        {
            0.5: (0.62, 0.03, 0.88, 0.5), 1.5: (0.56, 0.03, 0.84, 0.5), 2.5: (0.58, 0.05, 0.85, 0.5),
            3.5: (0.55, 0.05, 0.82, 0.5), 4.5: (0.58, 0.04, 0.86, 0.5), 5.5: (0.6, 0.03, 0.86, 0.5),
        },
    ),
    ("flower.mp4", "the flower", 0, 5, {0.5: (0.41, 0.37, 0.57, 0.65), 2.5: (0.37, 0.27, 0.58, 0.7), 4.5: (0.31, 0.17, 0.62, 0.7)}),
    (
        TEARS, "soldiers, tower", 0, 9.2,
        {1.0: (0.22, 0.05, 0.52, 0.95), 4.0: (0.47, 0.17, 0.64, 0.95), 6.0: (0.33, 0.1, 0.47, 0.55), 8.0: (0.15, 0, 0.5, 1)},
    ),
    (
        TEARS, "the man at the controls", 13, 29.5,
        {
            15.0: (0.34, 0.08, 0.54, 0.75), 18.0: (0.35, 0.02, 0.57, 0.6), 21.0: (0.2, 0.02, 0.4, 0.5),
            24.0: (0.27, 0.05, 0.46, 0.5), 26.0: (0.18, 0.1, 0.37, 0.75),
        },
    ),
    (
        TEARS, "crew, faces, machines", 30, 54,
        {
            31.0: (0.3, 0.55, 0.72, 0.95), 36.7: (0.11, 0, 0.38, 0.6), 43.0: (0.22, 0.45, 0.73, 0.95),
            50.7: (0.44, 0.03, 0.63, 0.45), 53.0: (0.5, 0, 0.86, 0.8),
        },
    ),
    (
        TEARS, "fights", 54, 70,
        {
            56.5: (0.38, 0.1, 0.78, 0.95), 58.5: (0.6, 0.1, 1, 1), 60.5: (0.33, 0.1, 0.62, 0.95),
            64.5: (0.6, 0.2, 1, 0.9), 66.5: (0.32, 0.05, 0.62, 0.95),
        },
    ),
)  # fmt: skip


def run() -> list[Row]:
    rows, clips = [], list[tuple[Path, int]]()
    with tempfile.TemporaryDirectory() as folder:
        for scene in SCENES:
            path = film(scene, Path(folder) / f"{len(clips)}.mp4")
            times = [1000 * frame / FRAME_RATE for frame in range(0, round(scene.seconds * FRAME_RATE), 4)]
            rows += share_in_frame(scene.name, path, 0, round(scene.seconds * 1000), [(at_ms, scene.box(at_ms)) for at_ms in times])
            clips.append((path, round(scene.seconds * 1000)))
        for name, subject, start, end, boxes in MARKED:
            if (SAMPLES / name).exists():
                start_ms, end_ms = round(start * 1000), round(end * 1000)
                marked = [(at * 1000 - start_ms, box) for at, box in boxes.items()]
                rows += share_in_frame(f"{name.split('-')[0]}: {subject}", SAMPLES / name, start_ms, end_ms, marked)
        rows.append(cost(full_hd(Path(folder)), Path(folder)))
    return rows


def share_in_frame(name: str, path: Path, start_ms: int, end_ms: int, boxes: Sequence[tuple[float, Box]]) -> list[Row]:
    """Return the fraction of the boxes (at ms from the clip's start) that is in frame."""
    with tempfile.TemporaryDirectory() as folder:
        look = analyse_range(Ffmpeg(), str(path), start_ms, end_ms, Path(folder))
    rows = []
    for ratio in RATIOS:
        auto = mean(in_frame(look, ratio, auto_framing_at(look.shots[ratio], at_ms), box) for at_ms, box in boxes)
        centre = mean(in_frame(look, ratio, Framing(FramingMode.CENTRE), box) for at_ms, box in boxes)
        rows.append(Row(f"{name}, {ratio}", 100 * auto, 100 * centre, "%"))
    return rows


def in_frame(look: PictureAnalysis, ratio: AspectRatio, framing: Framing, box: Box) -> float:
    """Return the fraction of the visible part of ``box`` that the crop shows, 0 to 1."""
    rect = crop_rect(look.content.width, look.content.height, ratio, framing)
    left, top = (look.content.x + rect.x) / look.width, (look.content.y + rect.y) / look.height
    across = _overlap(box[0], box[2], left, left + rect.width / look.width) / _overlap(box[0], box[2], 0, 1)
    return across * _overlap(box[1], box[3], top, top + rect.height / look.height) / _overlap(box[1], box[3], 0, 1)


def _overlap(start: float, end: float, low: float, high: float) -> float:
    return max(0.0, min(end, high) - max(start, low))


def cost(source: Path, folder: Path) -> Row:
    """Return the CPU time of a 30 s export from 1080p with *Auto* and with a centre crop; medians of alternating runs."""
    exports = {
        mode: RenderSpec(str(source), 0, 30_000, AspectRatio.PORTRAIT, Framing(mode)) for mode in (FramingMode.AUTO, FramingMode.CENTRE)
    }
    times: dict[FramingMode, list[float]] = {mode: [] for mode in exports}
    for _ in range(3):
        for mode, spec in exports.items():
            times[mode].append(_cpu(lambda spec=spec: render(Ffmpeg(), spec, folder / "clip.mp4")))  # type: ignore[misc]
    auto, centre = (sorted(times[mode])[1] for mode in exports)
    return Row("CPU time of a 30 s export from 1080p to 9:16", auto, centre, goal="≤ 1.25")


def _cpu(work: Callable[[], object]) -> float:
    before = sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - before


def full_hd(folder: Path) -> Path:
    """Render thirty seconds of 1080p as current encoders write it: scenes with moving subjects, one after another."""
    films = [film(scene, folder / f"part {index}.mp4") for index, scene in enumerate(SCENES[:5])]
    listed = [part for path in films for part in ("-i", str(path))]
    joined = "".join(f"[{index}:v]" for index in range(len(films))) + f"concat=n={len(films)},scale=1920:1080,noise=alls=8:allf=t"
    out = folder / "hd.mp4"
    coding = ["-c:v", "libx264", "-preset", "fast", "-b:v", "6M", "-pix_fmt", "yuv420p"]
    Ffmpeg().run([*listed, "-filter_complex", joined, "-t", "30", *coding, "-y", str(out)], timeout=300)
    return out
