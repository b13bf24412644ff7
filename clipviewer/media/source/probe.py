"""Probe what a media file holds."""

from __future__ import annotations

from pathlib import Path

from clipviewer.media.cage.cage import CAGE, PROBE
from clipviewer.media.source.media_info import MediaInfo


def probe(source: Path | str) -> MediaInfo:
    """Open a file or an HTTP URL and decode its first picture, in a child process. Raises ``MediaError`` with a sentence for people."""
    remote = isinstance(source, str) and source.startswith(("http://", "https://"))
    return CAGE.look(PROBE, str(source) if remote else f"file:{Path(source).absolute()}")
