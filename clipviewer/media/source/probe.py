"""What a media file holds."""

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
"""Pixels. A larger picture takes gigabytes to decode, and no camera of today makes one."""

_TIMEOUT_SECONDS = 15
_WITHOUT_INDEX = {"mpegts", "mpeg"}
_HDR_TRANSFERS = (16, 18)  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), as numbered in ITU-T H.273


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """``width`` and ``height`` are pixels as displayed: rotation (degrees, clockwise) and pixel shape are already applied.

    ``indexed``: whether the file says where its keyframes lie, so that a seek finds them.
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
    """Open a file or an HTTP address and decode its first picture. Raises ``MediaError`` with a sentence that says what is wrong."""
    with opened(source) as container:
        return describe(container)


@contextmanager
def opened(source: Path | str) -> Iterator[InputContainer]:
    """A file or an HTTP address as PyAV opens it, with no format and no protocol that footage does not need.

    Raises, here and for what is read from it, ``MediaError`` with a sentence that says what is wrong.
    """
    remote = isinstance(source, str) and source.startswith(("http://", "https://"))
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "http,https,tcp,tls,crypto" if remote else "file"}
    try:
        with av.open(str(source), options=options, timeout=_TIMEOUT_SECONDS) as container:
            yield container
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError("This is no video file that can be read: it is missing, damaged or of an unknown kind.") from error


def describe(container: InputContainer) -> MediaInfo:
    """Decodes the first picture. Raises ``MediaError``, and as PyAV does."""
    if not container.streams.video:
        raise MediaError("This file has no picture: choose a video.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise MediaError("The picture of this video is in a format that is not known here.")
    if max(stream.codec_context.width, stream.codec_context.height) > MAX_SIDE:
        raise MediaError(f"This picture is too large: a side has more than {MAX_SIDE} pixels.")
    frame = next(container.decode(stream), None)
    if frame is None:
        raise MediaError("This video has no picture that can be decoded.")
    if stream.duration is not None and stream.time_base is not None:
        duration_ms = round(stream.duration * stream.time_base * 1000)
    else:
        duration_ms = round((container.duration or 0) * 1000 / av.time_base)
    if duration_ms <= 0:
        raise MediaError("This video does not say how long it is: it was not written to the end.")
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
        frame_rate=_rate(stream.average_rate, stream.base_rate) or stream.guessed_rate or Fraction(0),
        rotation=rotation,
        video_codec=stream.codec_context.name,
        audio_codec=audio[0].codec_context.name if audio else None,
        hdr=frame.color_trc in _HDR_TRANSFERS,
        variable_frame_rate=_varies(stream.average_rate, stream.base_rate),
        indexed=container.format.name not in _WITHOUT_INDEX,
    )


def _rate(average: Fraction | None, base: Fraction | None) -> Fraction | None:
    """The rate that was meant: an average over pieces of a file is near it only. The base is a guess, and not asked without need.

    An average above the base is none: AVI says how fine its clock is, not how many pictures there are.
    """
    if average and base and average - base > base / 100:
        return base
    rough = average is not None and average.denominator not in (1, 1001)
    return base if base and rough and not _varies(average, base) else average


def _varies(average: Fraction | None, base: Fraction | None) -> bool:
    """Whether pictures come less often than the finest step between them says."""
    return average is not None and base is not None and base - average > base / 100
