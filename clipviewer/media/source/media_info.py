"""What opening a media file finds: facts only, as the process that opens it reports them. Times are milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A probed file. ``width`` and ``height`` are displayed pixels: rotation (degrees, clockwise) and pixel shape are applied.

    ``indexed`` is true if the file has an index of keyframes, so that seeks find them.
    """

    duration_ms: int
    width: int
    height: int
    frame_rate: Fraction
    rotation: int
    video_codec: str
    audio_codec: str | None
    hdr: bool = False
    variable_frame_rate: bool = False
    indexed: bool = True

    @property
    def has_audio(self) -> bool:
        return self.audio_codec is not None


@dataclass(frozen=True, slots=True)
class CaptionStream:
    """A caption track as the file states it; ``codec`` is ffmpeg's name. All are "" if missing."""

    codec: str
    language: str
    title: str


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """A probed file and how it is stored; the fields are those of ``inspection.Inspection``."""

    media: MediaInfo
    container: str
    bit_rate: int
    colour_primaries: str
    colour_transfer: str
    audio_channels: int
    audio_rate: int
    captions: tuple[CaptionStream, ...]
    keyframe_ms: int | None
