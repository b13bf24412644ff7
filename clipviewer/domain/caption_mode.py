"""How captions come with an export."""

from __future__ import annotations

from enum import StrEnum


class CaptionMode(StrEnum):
    """``SOFT``: a track that a player switches on; ``BURNED``: part of the picture. Both have a WebVTT sidecar."""

    OFF = "off"
    SOFT = "soft"
    BURNED = "burned"
