"""What makes two exports the same file: the hash of everything that decides its content."""

from __future__ import annotations

import hashlib
import json

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, framing_key

RECIPE_VERSION = 3
"""Counts up whenever the same specification renders to something else: exports made before are then out of date."""


def export_identity(
    video_id: str,
    source_etag: str,
    start_ms: int,
    end_ms: int,
    *,
    ratio: AspectRatio,
    language: str,
    framing: Framing,
    captions: str,
    recipe: int,
) -> str:
    """SHA-256 in hex. ``captions``: as ``captions_identity`` gives it; ``recipe``: the renderer's version."""
    parts = [video_id, source_etag, start_ms, end_ms, ratio.value, language, framing_key(framing), captions, recipe]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def export_key(prefix: str, video_id: str, identity: str, ratio: AspectRatio, attempt: int) -> str:
    """Where the file lies in the bucket. A repeated attempt has a key of its own, so what is left of an earlier one cannot harm it."""
    again = f"-{attempt}" if attempt > 1 else ""
    return f"{prefix}exports/{video_id}/{identity[:16]}_{ratio.value.replace(':', 'x')}{again}.mp4"


def sidecar_key(key: str) -> str:
    """The provenance sidecar beside the file."""
    return f"{key.removesuffix('.mp4')}.json"


def captions_key(key: str) -> str:
    """The WebVTT sidecar beside the file."""
    return f"{key.removesuffix('.mp4')}.vtt"
