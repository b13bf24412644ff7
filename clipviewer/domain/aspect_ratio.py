"""The shapes an export can have, and the box in which the player shows each of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AspectRatio(StrEnum):
    """Width to height, written as people write it."""

    PORTRAIT = "9:16"
    SQUARE = "1:1"
    LANDSCAPE = "16:9"

    @property
    def frame(self) -> Frame:
        return _FRAMES[self]


@dataclass(frozen=True, slots=True)
class Frame:
    """``width`` by ``height`` is the size that we render (pixels); ``max_width`` the widest player (CSS), None for 100 %.

    ``sharp``: a larger size, for footage that has that many pixels to show.
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
