"""How captions come with an export."""

from __future__ import annotations

import hashlib
from enum import StrEnum


class CaptionMode(StrEnum):
    """``SOFT``: a track that a player switches on; ``BURNED``: part of the picture. Both have a WebVTT sidecar."""

    OFF = "off"
    SOFT = "soft"
    BURNED = "burned"


def captions_identity(mode: CaptionMode, webvtt: str) -> str:
    """What tells apart exports by their captions: ``soft:0123456789abcdef`` from the sidecar's text; "" without captions."""
    return "" if mode is CaptionMode.OFF else f"{mode}:{hashlib.sha256(webvtt.encode()).hexdigest()[:16]}"


def mode_of(identity: str) -> CaptionMode:
    """The mode in what ``captions_identity`` gave. Raises ``ValueError`` for anything else."""
    return CaptionMode(identity.partition(":")[0]) if identity else CaptionMode.OFF
