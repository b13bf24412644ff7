"""Extract caption tracks from a video file without decoding pictures or sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from clipviewer.media.allowed import DECODERS, TEXT_CAPTIONS
from clipviewer.media.cage.cage import CAPTIONS
from clipviewer.media.captions.reading import MAX_BYTES, CaptionsUnreadable, CaptionTrack, parse_captions
from clipviewer.media.captions.track_language import language_of_code
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.source.media_info import CaptionStream
from clipviewer.media.source.opened_source import OpenedSource, open_source
from clipviewer.media.source.stored_source import Source

_PICTURES = ("dvd_subtitle", "hdmv_pgs_subtitle", "dvb_subtitle", "xsub")
_LONGEST = MAX_BYTES + 100_000  # bytes: enough to be told that it is too much
_TIMEOUT_SECONDS = 600
_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class EmbeddedTrack:
    """One embedded track. ``language`` is a tag, or None if unknown; if ``track`` is None, ``problem`` says why."""

    number: int
    language: str | None
    name: str
    track: CaptionTrack | None = None
    problem: str = ""


def extract_captions(ffmpeg: Ffmpeg, source: Source, folder: Path) -> list[EmbeddedTrack]:
    """Return every caption track of a video, in file order. ``folder`` holds what is read from the store.

    Blocks for about ten seconds per GB: captions are interleaved with pictures, so a file that has some is read from end to end. Raises
    ``MediaError`` for an unreadable file, and ``StorageError``.
    """
    with open_source(source, folder) as file:
        streams = file.ask(CAPTIONS)
        found = [_describe_track(number, stream) for number, stream in enumerate(streams)]
        usable = [track for track in found if not track.problem]
        if not usable:
            return found
        with TemporaryDirectory(dir=folder) as made:
            paths = _extract_to_srt(ffmpeg, file, [track.number for track in usable], Path(made))
            texts = {track.number: _read_track(track, path) for track, path in zip(usable, paths, strict=True)}
    return [texts.get(track.number, track) for track in found]


def _describe_track(number: int, stream: CaptionStream) -> EmbeddedTrack:
    shown = "".join(char for char in stream.title if char.isprintable()).strip()[:_NAME_LENGTH] or f"Track {number + 1}"
    problem = ""
    if stream.codec in _PICTURES:
        problem = "Its captions are pictures, not text: attach them as a .vtt or .srt file."
    elif stream.codec not in TEXT_CAPTIONS:
        problem = "Its captions are of a kind that cannot be read: attach them as a .vtt or .srt file."
    return EmbeddedTrack(number, language_of_code(stream.language), shown, problem=problem)


def _extract_to_srt(ffmpeg: Ffmpeg, file: OpenedSource, numbers: Sequence[int], folder: Path) -> list[Path]:
    """Extract the tracks as SubRip files in one pass that decodes nothing else."""
    paths = [folder / f"{number}.srt" for number in numbers]
    outputs = [
        part
        for number, path in zip(numbers, paths, strict=True)
        for part in ("-map", f"0:s:{number}", "-c:s", "srt", "-f", "srt", "-fs", str(_LONGEST), f"file:{path}")
    ]
    args = [*file.input("-codec_whitelist", ",".join((DECODERS, *TEXT_CAPTIONS))), *outputs]
    file.run(ffmpeg, args, timeout=_TIMEOUT_SECONDS, file_size=2 * MAX_BYTES)
    return paths


def _read_track(track: EmbeddedTrack, path: Path) -> EmbeddedTrack:
    try:
        return replace(track, track=parse_captions(path.read_bytes(), track.name))
    except CaptionsUnreadable as error:
        return replace(track, problem=error.detail)
    except OSError as error:
        raise MediaError("The captions in this video could not be read: attach them as a .vtt or .srt file.") from error
