"""A look at a clip's picture: what lies between its black bars, and which part of it *Auto* shows. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Rect, Shot
from clipviewer.media.clip_source import ClipSource, Reading, open_clip
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.letterbox import DETECT, parse_content
from clipviewer.media.picture_filters import square_pixels
from clipviewer.media.stored_source import Source

LOOK_VERSION = 1
"""Counts up whenever the same clip is seen differently."""

_BARS_PICTURES = 24


@dataclass(frozen=True, slots=True)
class Look:
    """``width`` and ``height`` are the picture's as displayed, ``content`` the part between its bars; pixels.

    ``shots``: for each ratio what *Auto* shows, the first from 0; times count from the clip's start, shares are of ``content``.
    """

    width: int
    height: int
    content: Rect
    shots: Mapping[AspectRatio, tuple[Shot, ...]]


def look_at(
    ffmpeg: Ffmpeg, source: Source, start_ms: int, end_ms: int, folder: Path, *, cancelled: Callable[[], bool] = lambda: False
) -> Look:
    """What the renderer sees in that range of ``source``. Blocks; ``folder`` is for what is kept meanwhile.

    Raises as ``render`` does; nothing is left in ``folder``.
    """
    with open_clip(ffmpeg, source, start_ms, end_ms, folder, cancelled=cancelled) as clip:
        return look_through(clip, folder, list(AspectRatio))[0]


def look_through(clip: ClipSource, folder: Path, ratios: Sequence[AspectRatio], also: Sequence[Reading] = ()) -> tuple[Look, str]:
    """The look, with shots for ``ratios`` only, and what ffmpeg said; ``also``: what is read in the same run."""
    width, height = clip.info.width, clip.info.height
    # From the keyframe before the clip on: a short clip may not have one of its own.
    keyframes = ["-skip_frame", "nokey", "-noaccurate_seek"]
    bars = ["-frames:v", str(_BARS_PICTURES), "-vf", f"{square_pixels(clip.info)},{DETECT}", "-f", "null", "-"]
    log = clip.look([Reading(keyframes, "v:0", bars), *also])
    shots = {ratio: (Shot(0, 0.5, 0.5),) for ratio in ratios}
    return Look(width, height, parse_content(log, width, height), shots), log
