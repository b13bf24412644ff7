"""Filmstrips: small pictures on a few sheets, and a WebVTT file that maps times to pictures.

Times are milliseconds, sizes pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from clipviewer.media.captions.tracks import CaptionTrack, Cue, to_webvtt
from clipviewer.media.raw_pictures import Picture

SHEET_NAME = "filmstrip-{}.webp"
LONGEST_SIDE = 160
COLUMNS, ROWS = 10, 10
MOST_PICTURES = 600

_STEP_MS, _LEAST_STEP_MS, _FEW_PICTURES = 1_000, 100, 24
_LONGEST_GAP_MS = 15_000
_QUALITY = 75


def step_ms(duration_ms: int) -> int:
    """Return the time between pictures: a second, less for short videos, more where ``MOST_PICTURES`` would be exceeded."""
    return max(-(-duration_ms // MOST_PICTURES), min(_STEP_MS, duration_ms // _FEW_PICTURES), _LEAST_STEP_MS)


def longest_gap_ms(duration_ms: int) -> int:
    """Return the largest gap between two pictures before a strip is too coarse to be useful."""
    return max(2 * step_ms(duration_ms), min(_LONGEST_GAP_MS, duration_ms // _FEW_PICTURES))


def picture_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of one picture: in proportion to the video, even, and at most ``LONGEST_SIDE``."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return tuple(max(2, round(side * scale / 2) * 2) for side in (width, height))  # type: ignore[return-value]


def write_sheets(pictures: Iterable[tuple[int, Picture]], folder: Path) -> tuple[list[Path], list[int]]:
    """Write the sheets; return the files, and the time of each picture."""
    sheets: list[Path] = []
    times: list[int] = []
    sheet: list[Picture] = []
    for time, picture in pictures:
        times.append(time)
        sheet.append(picture)
        if len(sheet) == COLUMNS * ROWS:
            sheets.append(_write_sheet(sheet, folder / SHEET_NAME.format(len(sheets) + 1)))
            sheet = []
    if sheet:
        sheets.append(_write_sheet(sheet, folder / SHEET_NAME.format(len(sheets) + 1)))
    return sheets, times


def thumbnails_vtt(times_ms: Sequence[int], size: tuple[int, int], duration_ms: int) -> str:
    """Return the WebVTT file. It covers 0 to the end without gaps: each picture from its time, the first from the start."""
    width, height = size
    cues = []
    for index, (start, end) in enumerate(zip([0, *times_ms[1:]], [*times_ms[1:], max(duration_ms, times_ms[-1] + 1)], strict=True)):
        sheet, place = divmod(index, COLUMNS * ROWS)
        row, column = divmod(place, COLUMNS)
        cues.append(Cue(start, end, f"{SHEET_NAME.format(sheet + 1)}#xywh={column * width},{row * height},{width},{height}"))
    return to_webvtt(CaptionTrack(tuple(cues)))


def _write_sheet(pictures: Sequence[Picture], path: Path) -> Path:
    height, width = pictures[0].shape[:2]
    columns, rows = min(len(pictures), COLUMNS), -(-len(pictures) // COLUMNS)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for index, picture in enumerate(pictures):
        y, x = index // COLUMNS * height, index % COLUMNS * width
        sheet[y : y + height, x : x + width] = picture
    encoded = cv2.imencode(".webp", sheet, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])[1]
    path.write_bytes(encoded.tobytes())
    return path
