"""Aspect ratios of exports, and the player frame for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AspectRatio(StrEnum):
    """An aspect ratio, written ``width:height``."""

    PORTRAIT = "9:16"
    SQUARE = "1:1"
    LANDSCAPE = "16:9"

    @property
    def frame(self) -> Frame:
        return _FRAMES[self]


@dataclass(frozen=True, slots=True)
class Frame:
    """Sizes for one aspect ratio.

    ``width`` and ``height`` are the rendered size in pixels, ``sharp`` the larger size used when the footage has enough pixels.
    ``max_width`` is the player's maximum width in CSS pixels; None means 100 %.
    """

    width: int
    height: int
    max_width: int | None
    use: str
    sharp: tuple[int, int] | None = None


_FRAMES = {
    AspectRatio.PORTRAIT: Frame(720, 1280, 360, "Stories, Reels, Shorts, TikTok", sharp=(1080, 1920)),
    AspectRatio.SQUARE: Frame(1080, 1080, 500, "Feed posts"),
    AspectRatio.LANDSCAPE: Frame(1280, 720, None, "YouTube, web"),
}
