"""The identity of an export: a hash of everything that decides its content, and the keys derived from it."""

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
    """Return the identity as SHA-256 in hex. ``captions`` comes from ``captions_identity``; ``recipe`` is the renderer's version."""
    parts = [video_id, source_etag, start_ms, end_ms, ratio.value, language, framing_key(framing), captions, recipe]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def export_key(prefix: str, video_id: str, identity: str, ratio: AspectRatio, attempt: int) -> str:
    """Return the key of the exported file. Every attempt has its own key, so leftovers of an earlier attempt do no harm."""
    again = f"-{attempt}" if attempt > 1 else ""
    return f"{prefix}exports/{video_id}/{identity[:16]}_{ratio.value.replace(':', 'x')}{again}.mp4"


def sidecar_key(key: str) -> str:
    """Return the key of the provenance sidecar."""
    return f"{key.removesuffix('.mp4')}.json"


def captions_key(key: str) -> str:
    """Return the key of the WebVTT sidecar."""
    return f"{key.removesuffix('.mp4')}.vtt"
