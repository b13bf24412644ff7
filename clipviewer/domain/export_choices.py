"""The choices of an export, shared by the dialog, the matrix, the API, and the services that plan and request exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import Framing
from clipviewer.domain.language import ORIGINAL


@dataclass(frozen=True, slots=True)
class ExportChoices:
    """Every clip is exported in each of ``ratios`` and each of ``languages`` (tags), with ``captions``.

    A ratio that is not in ``framings``, or is None there, is framed as somebody has saved for each clip, else around the centre.
    """

    ratios: Sequence[AspectRatio]
    languages: Sequence[str] = (ORIGINAL,)
    framings: Mapping[AspectRatio, Framing | None] = field(default_factory=dict)
    captions: CaptionMode = CaptionMode.OFF
