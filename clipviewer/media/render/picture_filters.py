"""Build ffmpeg's filter graph from a source's picture to an export's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, Rect, Shot, crop_rect
from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.source.media_info import MediaInfo

MOST_FRAMES_PER_SECOND = 60

# Linear light in floats, the highlights bent into what a screen shows, and back to BT.709.
TO_SDR = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
_BLUR_SHARE = 8


def square_pixels(info: MediaInfo) -> str:
    """Return filters that show the picture in square pixels, even if the stream changes its size."""
    return f"scale={info.width}:{info.height},setsar=1"


def picture_graph(
    info: MediaInfo,
    content: Rect,
    ratio: AspectRatio,
    framing: Framing,
    size: tuple[int, int],
    *,
    seconds: str,
    lead: str = "",
    shots: Sequence[Shot] = (),
    burn_in: Path | None = None,
    fonts: Path | None = None,
) -> str:
    """Return a graph from ``[0:v:0]`` to ``[picture]``: ``content`` (displayed pixels) in ``ratio``, scaled to ``size``, ``seconds`` long.

    The first ``lead`` seconds that are read lie before the clip and are dropped. ``shots``, if any, replace ``framing``.
    """
    steps = [*without_lead(lead), square_pixels(info), *constant_rate(info, seconds)]
    width, height = size
    if framing.mode is FramingMode.FIT:
        framed = _fit_over_blur(",".join([*steps, _crop(_even(content))]), width, height)
    else:
        framed = f"[0:v:0]{','.join([*steps, _crop_over_time(content, ratio, framing, shots)])},scale={width}:{height},setsar=1"
    if info.hdr:
        framed += f",{TO_SDR}"
    if burn_in is not None:
        framed += f",subtitles=filename={escape_path(burn_in)}"
        if fonts is not None:
            framed += f":fontsdir={escape_path(fonts)}"
    return f"{framed},format=yuv420p[picture]"


def escape_path(path: Path) -> str:
    """Escape a path for a filter option, then for the graph around it (ffmpeg-filters, 4.1.1)."""
    option = re.sub(r"([\\':])", r"\\\1", str(path.absolute()))
    return re.sub(r"([\\'\[\],;])", r"\\\1", option)


def without_lead(lead: str) -> list[str]:
    """Return the filters that drop the first ``lead`` seconds."""
    return [f"trim=start={lead}", f"setpts=PTS-{lead}/TB"] if lead else []


def constant_rate(info: MediaInfo, seconds: str) -> list[str]:
    """Return filters that make variable-rate footage constant; the first and last picture stand until the next is due."""
    rate = min(info.frame_rate, Fraction(MOST_FRAMES_PER_SECOND))
    if info.variable_frame_rate:
        return [f"fps={rate}:start_time=0", "tpad=stop_mode=clone:stop_duration=5", f"trim=duration={seconds}"]
    return [f"fps={rate}"] if info.frame_rate > MOST_FRAMES_PER_SECOND else []


def _fit_over_blur(picture: str, width: int, height: int) -> str:
    """Return filters for the whole picture over a blurred copy. The copy is blurred small and scaled up: cheaper, and looks the same."""
    small = f"{_half(width // _BLUR_SHARE)}:{_half(height // _BLUR_SHARE)}"
    fill, fit = "force_original_aspect_ratio=increase:force_divisible_by=2", "force_original_aspect_ratio=decrease:force_divisible_by=2"
    return (
        f"[0:v:0]{picture},split[front][back];"
        f"[back]scale={small}:{fill},crop={small},gblur=sigma=4,scale={width}:{height},setsar=1[blurred];"
        f"[front]scale={width}:{height}:{fit},setsar=1[whole];"
        f"[blurred][whole]overlay=(W-w)/2:(H-h)/2:format=auto"
    )


def _crop_over_time(content: Rect, ratio: AspectRatio, framing: Framing, shots: Sequence[Shot]) -> str:
    """Return the crop of one framing, or the crop that follows the shots by each picture's time."""
    framings = [Framing(FramingMode.MANUAL, shot.x, shot.y) for shot in shots] or [framing]
    rects = [crop_rect(content.width, content.height, ratio, each) for each in framings]
    x, y = (
        _offset_over_time([content.x + rect.x for rect in rects], shots),
        _offset_over_time([content.y + rect.y for rect in rects], shots),
    )
    return f"crop={rects[0].width}:{rects[0].height}:{x}:{y}"


def _offset_over_time(offsets: Sequence[int], shots: Sequence[Shot]) -> str:
    """Return the offset over time as an expression: a sum with one term per change."""
    terms = [str(offsets[0])]
    for (before, after), (shot, then) in zip(pairwise(offsets), pairwise(shots), strict=True):
        if before != after:
            start, end = ms_to_seconds(shot.start_ms), ms_to_seconds(then.start_ms)
            share = f"clip((t-{start})/({end}-{start}),0,1)" if shot.glides else f"gte(t,{end})"
            terms.append(f"{after - before}*{share}")
    return f"'{_nested_sum(terms)}'" if len(terms) > 1 else terms[0]


def _nested_sum(terms: Sequence[str]) -> str:
    """Nest a sum in pairs of pairs: ffmpeg allows expressions 100 deep, and each further sign adds one level."""
    middle = len(terms) // 2
    return f"({_nested_sum(terms[:middle])}+{_nested_sum(terms[middle:])})" if middle else terms[0]


def _crop(rect: Rect) -> str:
    return f"crop={rect.width}:{rect.height}:{rect.x}:{rect.y}"


def _even(rect: Rect) -> Rect:
    return Rect(_half(rect.x), _half(rect.y), _half(rect.width), _half(rect.height))


def _half(pixels: int) -> int:
    return pixels // 2 * 2
