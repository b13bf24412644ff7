"""Inspect a master without playing it: what ``probe`` finds, and how it is stored. Times are milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clipviewer.media.allowed import TEXT_CAPTIONS
from clipviewer.media.cage.cage import INSPECT
from clipviewer.media.source.media_info import CaptionStream, MediaInfo
from clipviewer.media.source.mp4_boxes import MoovPlace, moov_place
from clipviewer.media.source.opened_source import OpenedSource, open_source
from clipviewer.media.source.stored_source import Source

_MOST_TRACKS = 32
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_UNKNOWN_LANGUAGES = {"und", "mis", "mul", "zxx"}


@dataclass(frozen=True, slots=True)
class EmbeddedCaptions:
    """A caption track in the file. ``index`` counts its caption tracks (ffmpeg's ``0:s:index``).

    ``language`` is as the file states it, mostly ISO 639-2, "" if missing. ``usable`` is true for text, false for pictures of text.
    """

    index: int
    language: str
    codec: str
    usable: bool


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of an inspection.

    ``media``: length, displayed size, frame rate, rotation, codecs. ``container`` and ``colour_…`` are ffmpeg's names, "" if the file does
    not say; ``size`` in bytes, ``bit_rate`` in bits per second, ``audio_rate`` in Hz. ``keyframe_ms``: the longest distance between
    keyframes by the file's index; None if it has none.
    """

    media: MediaInfo
    container: str
    size: int
    bit_rate: int
    moov: MoovPlace
    colour_primaries: str
    colour_transfer: str
    audio_channels: int
    audio_rate: int
    captions: tuple[EmbeddedCaptions, ...]
    keyframe_ms: int | None

    @property
    def slow_to_start(self) -> bool:
        """Whether players read the end of the file before they show the start; ``remux`` fixes it."""
        return self.moov is MoovPlace.LAST


def inspect(source: Source, folder: Path, *, cancelled: Callable[[], bool] = lambda: False) -> Inspection:
    """Inspect ``source``, reading only its index and first picture. Blocks; ``folder`` holds temporary files.

    Raises ``MediaError`` for an unusable video, ``StorageError`` for an unreadable source, and ``MediaCancelled`` within a second of
    ``cancelled`` returning true; nothing is left in ``folder``.
    """
    with open_source(source, folder, cancelled=cancelled) as found:
        return inspect_opened(found)


def inspect_opened(found: OpenedSource) -> Inspection:
    """Run ``inspect`` on an open source."""
    stored, size = found.ask(INSPECT), found.size()
    return Inspection(
        media=stored.media,
        container=stored.container,
        size=size,
        bit_rate=stored.bit_rate or size * 8000 // stored.media.duration_ms,
        moov=moov_place(found.read, size),
        colour_primaries=stored.colour_primaries,
        colour_transfer=stored.colour_transfer,
        audio_channels=stored.audio_channels,
        audio_rate=stored.audio_rate,
        captions=tuple(_captions(index, stream) for index, stream in enumerate(stored.captions[:_MOST_TRACKS])),
        keyframe_ms=stored.keyframe_ms,
    )


def _captions(index: int, stream: CaptionStream) -> EmbeddedCaptions:
    known = _LANGUAGE.fullmatch(stream.language) and stream.language not in _UNKNOWN_LANGUAGES
    return EmbeddedCaptions(index, stream.language if known else "", stream.codec, stream.codec in TEXT_CAPTIONS)
