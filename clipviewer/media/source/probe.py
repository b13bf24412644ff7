"""Probe what a media file holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from clipviewer.media.ffmpeg import FORMATS, MediaError

MAX_SIDE = 8192
"""Maximum pixels. A larger picture takes gigabytes to decode, and no current camera makes one."""

_TIMEOUT_SECONDS = 15
_WITHOUT_INDEX = {"mpegts", "mpeg"}
_HDR_TRANSFERS = (16, 18)  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), as numbered in ITU-T H.273


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


def probe(source: Path | str) -> MediaInfo:
    """Open a file or an HTTP URL and decode its first picture. Raises ``MediaError`` with a sentence for people."""
    with open_media(source) as container:
        return describe(container)


@contextmanager
def open_media(source: Path | str) -> Iterator[InputContainer]:
    """Open a file or an HTTP URL with PyAV, allowing only the formats and protocols that footage needs.

    Raises, here and on every read, ``MediaError`` with a sentence for people.
    """
    remote = isinstance(source, str) and source.startswith(("http://", "https://"))
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "http,https,tcp,tls,crypto" if remote else "file"}
    try:
        with av.open(str(source), options=options, timeout=_TIMEOUT_SECONDS) as container:
            yield container
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError("This video file cannot be read: it is missing, damaged or of an unknown type.") from error


def describe(container: InputContainer) -> MediaInfo:
    """Describe an open file; decodes the first picture. Raises ``MediaError``, and as PyAV does."""
    if not container.streams.video:
        raise MediaError("This file has no picture: choose a video.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise MediaError("The picture of this video is in an unknown format.")
    if max(stream.codec_context.width, stream.codec_context.height) > MAX_SIDE:
        raise MediaError(f"This picture is too large: a side has more than {MAX_SIDE} pixels.")
    frame = next(container.decode(stream), None)
    if frame is None:
        raise MediaError("No picture of this video can be decoded.")
    if stream.duration is not None and stream.time_base is not None:
        duration_ms = round(stream.duration * stream.time_base * 1000)
    else:
        duration_ms = round((container.duration or 0) * 1000 / av.time_base)
    if duration_ms <= 0:
        raise MediaError("This video does not state its length: it is incomplete.")
    # PyAV gives counter-clockwise degrees from -180 to 180, the way the display matrix is stored.
    rotation = -frame.rotation % 360
    width, height = round(frame.width * (stream.sample_aspect_ratio or 1)), frame.height
    if rotation in (90, 270):
        width, height = height, width
    audio = container.streams.audio
    return MediaInfo(
        duration_ms=duration_ms,
        width=width,
        height=height,
        frame_rate=_nominal_rate(stream.average_rate, stream.base_rate) or stream.guessed_rate or Fraction(0),
        rotation=rotation,
        video_codec=stream.codec_context.name,
        audio_codec=audio[0].codec_context.name if audio else None,
        hdr=frame.color_trc in _HDR_TRANSFERS,
        variable_frame_rate=_has_variable_rate(stream.average_rate, stream.base_rate),
        indexed=container.format.name not in _WITHOUT_INDEX,
    )


def _nominal_rate(average: Fraction | None, base: Fraction | None) -> Fraction | None:
    """Return the nominal rate; an average over pieces of a file only approximates it. The base is a guess, used if needed.

    An average above the base is invalid: AVI states the resolution of its clock, not its frame rate.
    """
    if average and base and average - base > base / 100:
        return base
    rough = average is not None and average.denominator not in (1, 1001)
    return base if base and rough and not _has_variable_rate(average, base) else average


def _has_variable_rate(average: Fraction | None, base: Fraction | None) -> bool:
    """Return whether pictures come less often than the finest step between them suggests."""
    return average is not None and base is not None and base - average > base / 100
