"""Inspect a master without playing it: what ``probe`` finds, and how it is stored. Times are milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from clipviewer.media.source.mp4_boxes import MoovPlace, moov_place
from clipviewer.media.source.opened_source import OpenedSource, open_source
from clipviewer.media.source.probe import MediaInfo, describe, open_media
from clipviewer.media.source.stored_source import Source

_MOST_TRACKS = 32
_UNINDEXED_SHARE = 0.5
_TEXT = {"mov_text", "subrip", "srt", "webvtt", "ass", "ssa", "text"}
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_UNKNOWN_LANGUAGES = {"und", "mis", "mul", "zxx"}

# As numbered in ITU-T H.273, named as ffmpeg does.
_PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
_TRANSFERS = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 13: "iec61966-2-1", 14: "bt2020-10",
    15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67",
}  # fmt: skip


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
    return found.ask(lambda address: _inspect(found, address))


def _inspect(found: OpenedSource, address: str) -> Inspection:
    with open_media(address) as container:
        media = describe(container)
        streams = container.streams
        video, sound = streams.video[0], streams.audio[0] if streams.audio else None
        captions = tuple(_captions(index, stream) for index, stream in enumerate(streams.subtitles[:_MOST_TRACKS]))
        bit_rate, kind, keyframe_ms = container.bit_rate, container.format.name, _keyframe_ms(container, video, media)
    size = found.size()
    return Inspection(
        media=media,
        container=kind,
        size=size,
        bit_rate=bit_rate or size * 8000 // media.duration_ms,
        moov=moov_place(found.read, size),
        colour_primaries=_PRIMARIES.get(video.codec_context.color_primaries, ""),
        colour_transfer=_TRANSFERS.get(video.codec_context.color_trc, ""),
        audio_channels=_channels(sound),
        audio_rate=sound.codec_context.sample_rate if sound and sound.codec_context else 0,
        captions=captions,
        keyframe_ms=keyframe_ms,
    )


def _channels(sound: AudioStream | None) -> int:
    return sound.codec_context.channels if sound and sound.codec_context else 0


def _captions(index: int, stream: SubtitleStream) -> EmbeddedCaptions:
    codec = stream.codec_context.codec.canonical_name if stream.codec_context else ""
    language = stream.language or ""
    if not _LANGUAGE.fullmatch(language) or language in _UNKNOWN_LANGUAGES:
        language = ""
    return EmbeddedCaptions(index, language, codec, codec in _TEXT)


def _keyframe_ms(container: InputContainer, video: VideoStream, media: MediaInfo) -> int | None:
    if not media.indexed or video.time_base is None:
        return None
    container.seek(0)  # Matroska's index is not read before.
    tick_ms = float(video.time_base * 1000)
    index = [(entry.timestamp * tick_ms, entry.is_keyframe) for entry in video.index_entries]
    times = [time for time, key in index if key]
    end = (video.start_time or 0) * tick_ms + media.duration_ms
    if not times or index[-1][0] < end - media.duration_ms * _UNINDEXED_SHARE:
        return None
    if not index[-1][1]:  # Every picture is listed, by when it is decoded: the last comes a little before the end.
        end = index[-1][0] + (float(1000 / media.frame_rate) if media.frame_rate else 0)
    return round(max(after - before for before, after in pairwise([*times, max(end, times[-1])])))
