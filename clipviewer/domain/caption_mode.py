"""How captions are delivered with an export."""

from __future__ import annotations

import hashlib
from enum import StrEnum


class CaptionMode(StrEnum):
    """``SOFT`` is a track that the player can switch on, ``BURNED`` is part of the picture. Both come with a WebVTT sidecar."""

    OFF = "off"
    SOFT = "soft"
    BURNED = "burned"


def captions_identity(mode: CaptionMode, webvtt: str) -> str:
    """Return the captions' part of an export's identity, such as ``soft:0123456789abcdef``; "" without captions."""
    return "" if mode is CaptionMode.OFF else f"{mode}:{hashlib.sha256(webvtt.encode()).hexdigest()[:16]}"


def parse_mode(identity: str) -> CaptionMode:
    """Return the mode in a value made by ``captions_identity``. Raises ``ValueError`` for anything else."""
    return CaptionMode(identity.partition(":")[0]) if identity else CaptionMode.OFF
