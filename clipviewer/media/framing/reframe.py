"""Analyse a clip's picture: its content between black bars, and the crops that *Auto* proposes. Times are milliseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, Rect, Shot, crop_rect
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.framing.crop_path import choose_path
from clipviewer.media.framing.letterbox import DETECT, parse_content
from clipviewer.media.framing.samples import Pictures, Samples, Sampling
from clipviewer.media.framing.shot_cuts import Cut, find_cuts, refine_cuts
from clipviewer.media.framing.subjects import Sign, find_signs
from clipviewer.media.render.picture_filters import square_pixels
from clipviewer.media.source.clip_source import ClipSource, Reading, open_clip
from clipviewer.media.source.stored_source import Source

LOOK_VERSION = 2
"""Version of the analysis; increased whenever it gives another result for the same clip."""

_BARS_PICTURES = 24
_ABOUT = 0.04


@dataclass(frozen=True, slots=True)
class PictureAnalysis:
    """The analysis of a clip. ``width`` and ``height`` are the displayed picture's, ``content`` the part between its bars; pixels.

    ``shots`` holds what *Auto* shows for each ratio, the first from 0; times count from the clip's start, shares are of ``content``.
    """

    width: int
    height: int
    content: Rect
    shots: Mapping[AspectRatio, tuple[Shot, ...]]


def analyse_range(
    ffmpeg: Ffmpeg, source: Source, start_ms: int, end_ms: int, folder: Path, *, cancelled: Callable[[], bool] = lambda: False
) -> PictureAnalysis:
    """Analyse a range of ``source`` as the renderer does. Blocks; ``folder`` holds temporary files and is left empty.

    Raises as ``render`` does.
    """
    with open_clip(ffmpeg, source, start_ms, end_ms, folder, cancelled=cancelled) as clip, TemporaryDirectory(dir=folder) as own:
        return analyse_clip(clip, Path(own), list(AspectRatio))[0]


def analyse_clip(
    clip: ClipSource, folder: Path, ratios: Sequence[AspectRatio], also: Sequence[Reading] = ()
) -> tuple[PictureAnalysis, str]:
    """Analyse a clip with shots for ``ratios`` only; return the analysis and ffmpeg's log. ``also`` is read in the same run.

    ``folder`` must be empty, and is not cleared afterwards.
    """
    width, height = clip.info.width, clip.info.height
    # From the keyframe before the clip on: a short clip may not have one of its own.
    keyframes = ["-skip_frame", "nokey", "-noaccurate_seek"]
    bars = ["-frames:v", str(_BARS_PICTURES), "-vf", f"{square_pixels(clip.info)},{DETECT}", "-f", "null", "-"]
    readings = [Reading(keyframes, "v:0", bars), *also]
    if not ratios:
        log = clip.look(readings)
        return PictureAnalysis(width, height, parse_content(log, width, height), {}), log
    sampling = Sampling(clip, folder)
    log = clip.look([*readings, sampling.reading()], file_size=sampling.file_size)
    content, samples = parse_content(log, width, height), sampling.samples()
    cuts = refine_cuts(clip, find_cuts(samples.changes), folder)
    return PictureAnalysis(width, height, content, _shots(clip, samples, cuts, content, ratios)), log


def _shots(
    clip: ClipSource, samples: Samples, cuts: Sequence[Cut], content: Rect, ratios: Sequence[AspectRatio]
) -> dict[AspectRatio, tuple[Shot, ...]]:
    pictures = _between_bars(samples.pictures, Rect(0, 0, clip.info.width, clip.info.height), content)
    found: dict[AspectRatio, list[Shot]] = {ratio: [] for ratio in ratios}
    starts = [0, *(cut.start_ms for cut in cuts)]
    for start, end in zip(starts, [*starts[1:], math.inf], strict=True):
        within = [index for index, at_ms in enumerate(samples.times_ms) if start <= at_ms < end]
        times = [samples.times_ms[index] for index in within]
        signs = find_signs(pictures[within[0] : within[-1] + 1], times, clip.cancelled) if within else []
        for ratio, shots in found.items():
            shots += _shots_for_ratio(signs, times or [start], start, content, ratio)
    return {ratio: _drop_small_jumps(shots) for ratio, shots in found.items()}


def _between_bars(pictures: Pictures, whole: Rect, content: Rect) -> Pictures:
    _, height, width = pictures.shape
    left, right = content.x * width // whole.width, (content.x + content.width) * width // whole.width
    top, bottom = content.y * height // whole.height, (content.y + content.height) * height // whole.height
    return pictures[:, top:bottom, left:right]


def _shots_for_ratio(signs: Sequence[Sign], times_ms: Sequence[float], start_ms: int, content: Rect, ratio: AspectRatio) -> list[Shot]:
    """Return the crop of one shot in ``ratio``: it moves on one axis at most and is centred on the other."""
    crop = crop_rect(content.width, content.height, ratio, Framing())
    across = choose_path([(sign.across, sign.clear, sign.gain) for sign in signs], times_ms, crop.width / content.width)
    down = choose_path([(sign.down, sign.clear, sign.gain) for sign in signs], times_ms, crop.height / content.height)
    if len(across) > 1 or len(down) == 1:
        path = [(at_ms, place, down[0][1]) for at_ms, place in across]
    else:
        path = [(at_ms, across[0][1], place) for at_ms, place in down]
    # The first corner is the cut itself, and the last one holds.
    times = [start_ms, *(max(start_ms + 1, round(at_ms)) for at_ms, _, _ in path[1:])]
    return [Shot(at_ms, x, y, glides=at_ms != times[-1]) for at_ms, (_, x, y) in zip(times, path, strict=True)]


def _drop_small_jumps(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    """Drop small jumps: a still shot keeps the previous shot's place if that is about the same."""
    calm: list[Shot] = []
    for shot in shots:
        before = calm[-1] if calm else None
        still = before is not None and not before.glides and not shot.glides
        if before is not None and still and abs(shot.x - before.x) <= _ABOUT and abs(shot.y - before.y) <= _ABOUT:
            continue
        calm.append(shot)
    return tuple(calm)
