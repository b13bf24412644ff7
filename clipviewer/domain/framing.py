"""Which part of the picture an export shows. The preview and the renderer share these rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from clipviewer.domain.aspect_ratio import AspectRatio


class FramingMode(StrEnum):
    """``AUTO`` follows what was found in each shot, or the centre; ``FIT`` shows the whole picture over a blurred copy of itself."""

    CENTRE = "centre"
    MANUAL = "manual"
    FIT = "fit"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Framing:
    """A framing mode; for ``MANUAL``, ``x`` and ``y`` are the crop's centre as shares (0 to 1) of the picture between its black bars."""

    mode: FramingMode = FramingMode.CENTRE
    x: float = 0.5
    y: float = 0.5

    def __post_init__(self) -> None:
        if not all(math.isfinite(share) and 0 <= share <= 1 for share in (self.x, self.y)):
            raise ValueError("the crop's centre must be within the picture: 0 to 1")


@dataclass(frozen=True, slots=True)
class Shot:
    """The crop's centre from ``start_ms`` (after the clip's start) on, as shares like those of ``Framing``.

    It holds until the next shot starts; with ``glides`` it moves there linearly.
    """

    start_ms: int
    x: float
    y: float
    glides: bool = False


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in whole pixels of the displayed picture, measured from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


def crop_rect(width: int, height: int, ratio: AspectRatio, framing: Framing) -> Rect:
    """Return the part of a ``width`` × ``height`` picture that an export in ``ratio`` shows: as large as fits, never outside.

    The picture is the area between the black bars. All four numbers are even, because video stores colour for pairs of pixels.
    ``FIT`` returns the whole picture, ``AUTO`` its fallback (the centre). Raises ``ValueError`` for a picture under 2 × 2 pixels.
    """
    if min(width, height) < 2:
        raise ValueError("a picture must have at least 2 × 2 pixels")
    if framing.mode is FramingMode.FIT:
        return Rect(0, 0, _even(width), _even(height))
    frame = ratio.frame
    crop_width = max(2, _even(min(width, height * frame.width / frame.height)))
    crop_height = max(2, _even(min(height, width * frame.height / frame.width)))
    x, y = (framing.x, framing.y) if framing.mode is FramingMode.MANUAL else (0.5, 0.5)
    return Rect(_offset(x, width, crop_width), _offset(y, height, crop_height), crop_width, crop_height)


def auto_framing_at(shots: Sequence[Shot], at_ms: float) -> Framing:
    """Return the framing that *Auto* uses ``at_ms`` after the clip's start; the centre if there are no shots."""
    index = max((index for index, shot in enumerate(shots) if shot.start_ms <= at_ms), default=0)
    here, then = shots[index : index + 1], shots[index + 1 : index + 2]
    if not here:
        return Framing()
    shot = here[0]
    share = (at_ms - shot.start_ms) / (then[0].start_ms - shot.start_ms) if shot.glides and then else 0.0
    x, y = (shot.x + (then[0].x - shot.x) * share, shot.y + (then[0].y - shot.y) * share) if share else (shot.x, shot.y)
    return Framing(FramingMode.MANUAL, x, y)


def export_size(content: Rect, ratio: AspectRatio, framing: Framing) -> tuple[int, int]:
    """Return the pixel size of an export of ``content``: the ratio's sharp size if the footage has enough pixels, else the normal one."""
    frame, shown = ratio.frame, crop_rect(content.width, content.height, ratio, framing)
    if frame.sharp is not None and shown.width >= frame.sharp[0] and shown.height >= frame.sharp[1]:
        return frame.sharp
    return frame.width, frame.height


def framing_key(framing: Framing) -> str:
    """Return a text that is equal for framings that show the same, for hashing: ``centre``, ``manual:0.2500:0.5000``."""
    if framing.mode is FramingMode.MANUAL:
        return f"{framing.mode}:{framing.x:.4f}:{framing.y:.4f}"
    return framing.mode.value


def _offset(centre: float, size: int, crop: int) -> int:
    return _even(min(max(centre * size - crop / 2, 0), size - crop))


def _even(value: float) -> int:
    return int(value) // 2 * 2
