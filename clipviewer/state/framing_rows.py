"""The data of the crop preview: small frozen rows, as ``assets/crop/chosen_crops.js`` reads them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing
from clipviewer.media.framing.reframe import PictureAnalysis


@dataclasses.dataclass(frozen=True)
class ContentView:
    """The part of a picture between its bars, in pixels of the picture."""

    x: int
    y: int
    width: int
    height: int


@dataclasses.dataclass(frozen=True)
class LookView:
    """``width`` and ``height`` of the picture in pixels; ``shots`` by ratio: ``[start in ms, x, y, glides]``, shares of ``content``."""

    width: int
    height: int
    content: ContentView
    shots: dict[str, list[list[float]]]


@dataclasses.dataclass(frozen=True)
class FramingView:
    """``saved`` by ratio: the centre ``[x, y]`` of the saved crop. ``looking``: its picture is being analysed; ``problem``: why that
    failed. ``answers`` counts the handled decisions, ``refused`` says that the last one was not saved.
    """

    clip_id: str = ""
    saved: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    look: LookView | None = None
    looking: bool = False
    problem: str = ""
    answers: int = 0
    refused: bool = False


def framing_view(clip_id: str, saved: Mapping[tuple[str, AspectRatio], Framing], look: PictureAnalysis | None) -> FramingView:
    crops = {ratio.value: [framing.x, framing.y] for (clip, ratio), framing in saved.items() if clip == clip_id}
    return FramingView(clip_id, crops, None if look is None else _look_view(look))


def _look_view(look: PictureAnalysis) -> LookView:
    shots = {ratio.value: [[shot.start_ms, shot.x, shot.y, shot.glides] for shot in found] for ratio, found in look.shots.items()}
    return LookView(look.width, look.height, ContentView(*dataclasses.astuple(look.content)), shots)
