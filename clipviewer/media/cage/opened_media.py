"""Open media with PyAV and describe it. Runs only in the child process. Times are milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.subtitles.stream import SubtitleStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from clipviewer.media.allowed import DECODERS, FORMATS, MAX_SIDE, TEXT_CAPTIONS, THREADS
from clipviewer.media.source.media_info import CaptionStream, ContainerInfo, MediaInfo

_TIMEOUT_SECONDS = 15
_MOST_STREAMS, _MOST_CAPTIONS, _LONGEST_TEXT = 256, 40, 200
_MOST_SAMPLES = 20_000_000  # Over three days at 60 pictures a second.
_COUNTED_ONE_BY_ONE = ("pcm_", "adpcm_")  # Sound of 48,000 samples a second, of which an index lists only the chunks.
_MAX_PIXELS = {"max_pixels": str(MAX_SIDE**2)}
_ONE_PICTURE = _MAX_PIXELS | {"flags": "low_delay", "skip_loop_filter": "all"}  # Nothing is asked of the ones after it.
_TOO_MANY_PIXELS = re.compile("exceeds specified max pixel count")
_WITHOUT_INDEX = {"mpegts", "mpeg"}
_HDR_TRANSFERS = (16, 18)  # SMPTE ST 2084 (PQ) and ARIB STD-B67 (HLG), as numbered in ITU-T H.273
_UNINDEXED_SHARE = 0.5

# As numbered in ITU-T H.273, named as ffmpeg does.
_PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
_TRANSFERS = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 13: "iec61966-2-1", 14: "bt2020-10",
    15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67",
}  # fmt: skip

_UNREADABLE = "This video file cannot be read: it is missing, damaged or of an unknown type."
_TOO_LARGE = f"This picture is too large: a side has more than {MAX_SIDE} pixels."


class Refused(Exception):
    """The file is not used; the message is a sentence for people."""


@contextmanager
def open_media(address: str) -> Iterator[InputContainer]:
    """Open a ``file:`` or HTTP URL, allowing only the formats, codecs, sizes and protocols that footage needs.

    Raises ``Refused``, here and on every read; ``MemoryError`` if the process may not take as much memory as the file needs.
    """
    options = {
        "format_whitelist": FORMATS,
        "codec_whitelist": ",".join((DECODERS, *TEXT_CAPTIONS)),
        "protocol_whitelist": "http,https,tcp,tls,crypto" if address.startswith(("http://", "https://")) else "file",
    }
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    with av.logging.Capture() as log:
        try:
            with _open(address, options) as container:
                _check_index(container)
                yield container
        except MemoryError:
            raise
        except (av.error.FFmpegError, OSError, ValueError) as error:
            too_large = any(_TOO_MANY_PIXELS.search(line) for _, _, line in log)
            raise Refused(_TOO_LARGE if too_large else _UNREADABLE) from error


def _open(address: str, options: dict[str, str]) -> InputContainer:
    """Open the file with a maximum size of pictures, if its format tells of streams before they are read: MPEG program streams do not."""
    sizes: Any = [_MAX_PIXELS] * _MOST_STREAMS
    try:
        return av.open(address, options=options, stream_options=sizes, timeout=_TIMEOUT_SECONDS)
    except ValueError as error:
        if "stream_options" not in str(error):
            raise
        return av.open(address, options=options, timeout=_TIMEOUT_SECONDS)


def _check_index(container: InputContainer) -> None:
    """Refuse a file whose index claims more than a video can have: whoever reads it next would need gigabytes for that."""
    for stream in container.streams:
        kind = stream.codec_context.name if stream.codec_context is not None else ""
        if stream.frames > _MOST_SAMPLES and not kind.startswith(_COUNTED_ONE_BY_ONE):
            raise Refused(f"The index of this file claims {stream.frames:,} pictures or sounds: it is damaged or malicious.")


def probe(container: InputContainer) -> MediaInfo:
    """Describe an open file; decodes the first picture. Raises as ``open_media`` does."""
    if not container.streams.video:
        raise Refused("This file has no picture: choose a video.")
    stream = container.streams.video[0]
    frame = _first_picture(container, stream)
    if stream.duration is not None and stream.time_base is not None:
        duration_ms = round(stream.duration * stream.time_base * 1000)
    else:
        duration_ms = round((container.duration or 0) * 1000 / av.time_base)
    if duration_ms <= 0:
        raise Refused("This video does not state its length: it is incomplete.")
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


def inspect(container: InputContainer) -> ContainerInfo:
    """Describe an open file and how it is stored. Raises as ``probe`` does."""
    media = probe(container)
    streams = container.streams
    video, sound = streams.video[0], streams.audio[0] if streams.audio else None
    return ContainerInfo(
        media=media,
        container=container.format.name,
        bit_rate=container.bit_rate or 0,
        colour_primaries=_PRIMARIES.get(video.codec_context.color_primaries, ""),
        colour_transfer=_TRANSFERS.get(video.codec_context.color_trc, ""),
        audio_channels=_channels(sound),
        audio_rate=sound.codec_context.sample_rate if sound and sound.codec_context else 0,
        captions=list_captions(container),
        keyframe_ms=_keyframe_ms(container, video, media),
    )


def list_captions(container: InputContainer) -> tuple[CaptionStream, ...]:
    """Return the first caption tracks, in file order."""
    return tuple(_caption_stream(stream) for stream in container.streams.subtitles[:_MOST_CAPTIONS])


def _first_picture(container: InputContainer, stream: VideoStream) -> VideoFrame:
    """Decode the first picture, if it is small enough and of an allowed kind."""
    decoder = stream.codec_context
    if decoder is None:
        raise Refused("The picture of this video is in an unknown format.")
    if decoder.codec.name not in DECODERS.split(","):
        raise Refused("The footage is in an unsupported format: convert it to H.264 in an mp4 first.")
    if max(decoder.width, decoder.height) > MAX_SIDE:
        raise Refused(_TOO_LARGE)
    decoder.options, decoder.thread_count = _ONE_PICTURE, THREADS
    frame = next(container.decode(stream), None)
    if frame is None:
        raise Refused("No picture of this video can be decoded.")
    return frame


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


def _channels(sound: AudioStream | None) -> int:
    return sound.codec_context.channels if sound and sound.codec_context else 0


def _caption_stream(stream: SubtitleStream) -> CaptionStream:
    codec = stream.codec_context.codec.canonical_name if stream.codec_context else ""
    title = next((value for name, value in stream.metadata.items() if name.lower() in ("title", "name")), "")
    return CaptionStream(codec, (stream.language or "")[:_LONGEST_TEXT], title[:_LONGEST_TEXT])


def _keyframe_ms(container: InputContainer, video: VideoStream, media: MediaInfo) -> int | None:
    """Return the longest distance between keyframes; keeps nothing of an index of millions of entries."""
    if not media.indexed or video.time_base is None:
        return None
    container.seek(0)  # Matroska's index is not read before.
    tick_ms = float(video.time_base * 1000)
    longest, key_at, at, is_key = 0.0, None, 0.0, False
    for entry in video.index_entries:
        at, is_key = entry.timestamp * tick_ms, entry.is_keyframe
        if is_key:
            longest, key_at = max(longest, at - (at if key_at is None else key_at)), at
    end = (video.start_time or 0) * tick_ms + media.duration_ms
    if key_at is None or at < end - media.duration_ms * _UNINDEXED_SHARE:
        return None
    if not is_key:  # Every picture is listed, by when it is decoded: the last comes a little before the end.
        end = at + (float(1000 / media.frame_rate) if media.frame_rate else 0)
    return round(max(longest, end - key_at))
