"""Render an export: one clip of a source in one shape, reading no more of the source than needed. Times are milliseconds."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, Rect, Shot, export_size
from clipviewer.media.allowed import MAX_SIDE, THREADS
from clipviewer.media.captions.track_language import track_code_of
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.framing.reframe import analyse_clip
from clipviewer.media.render.cut import KEYFRAME_SECONDS
from clipviewer.media.render.loudness import MEASURE, SAMPLE_RATE, normalize_loudness, parse_loudness, without_lead
from clipviewer.media.render.picture_filters import picture_graph
from clipviewer.media.source.clip_source import ClipSource, Reading, open_clip
from clipviewer.media.source.probe import probe
from clipviewer.media.source.stored_source import Source

_CAPTION_FORMATS, _CAPTION_DECODERS = "srt,webvtt,ass", "srt,subrip,webvtt,ass,ssa"
_LOOKED_AT_SHARE = 0.05
_BITS_PER_PIXEL = 13
_LOOSE_END_MS = 500


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """What to render.

    ``size``: pixels, by default ``export_size`` of the footage. ``burn_in``: an .ass or .srt file drawn into the picture in fonts from the
    folder ``fonts``. ``soft_captions``: files with their language tags, added as tracks. Caption times count from the clip's start.
    """

    source: Source
    start_ms: int
    end_ms: int
    ratio: AspectRatio
    framing: Framing = field(default_factory=Framing)
    size: tuple[int, int] | None = None
    burn_in: Path | None = None
    soft_captions: Sequence[tuple[Path, str]] = ()
    fonts: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms < self.end_ms:
            raise ValueError("a clip ends after it starts")
        if any(side % 2 or not 2 <= side <= MAX_SIDE for side in self.frame):
            raise ValueError("the sides of an export are even, and at most 8192 pixels")

    @property
    def frame(self) -> tuple[int, int]:
        return self.size or (self.ratio.frame.width, self.ratio.frame.height)

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class RenderResult:
    """What was rendered, measured in the finished file.

    ``size`` in bytes; ``source_bytes``: read from the store, 0 for a path; ``content``: the source's picture between its black bars;
    ``source_lufs``: the clip's loudness, None if silent; ``shots``: what *Auto* chose, empty for other framings.
    """

    duration_ms: int
    width: int
    height: int
    size: int
    has_audio: bool
    content: Rect
    source_lufs: float | None
    source_bytes: int
    shots: tuple[Shot, ...] = ()


def render(
    ffmpeg: Ffmpeg,
    spec: RenderSpec,
    out: Path,
    *,
    on_progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    preset: str = "veryfast",
) -> RenderResult:
    """Write the export to ``out``, whole or not at all. Blocks; ``on_progress`` receives the share done, 0 to 1, never decreasing.

    Raises ``MediaError`` for footage that cannot be rendered, ``StorageError`` for an unreadable source, and ``MediaCancelled`` within a
    second of ``cancelled`` returning true; nothing is left on disk then.
    """
    with open_clip(ffmpeg, spec.source, spec.start_ms, spec.end_ms, out.parent, cancelled=cancelled) as clip:
        result = _Rendering(clip, spec, on_progress, preset).run(out)
    on_progress(1.0)
    return result


class _Rendering:
    def __init__(self, clip: ClipSource, spec: RenderSpec, on_progress: Callable[[float], None], preset: str) -> None:
        self._clip, self._spec, self._on_progress, self._preset = clip, spec, on_progress, preset
        self._size = spec.frame

    def run(self, out: Path) -> RenderResult:
        content, shots, lufs = self._look(out.with_name(f"{out.name}.look"))
        self._size = self._spec.size or export_size(content, self._spec.ratio, self._spec.framing)
        self._on_progress(_LOOKED_AT_SHARE)
        partial = out.with_name(f"{out.name}.part")
        try:
            self._encode(content, shots, lufs, partial)
            result = self._checked(content, shots, lufs, partial)
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
        return result

    def _look(self, folder: Path) -> tuple[Rect, tuple[Shot, ...], float | None]:
        """Measure bars, *Auto*'s crops and loudness in one pass over the clip."""
        sound = [Reading(["-vn"], "a:0", ["-af", without_lead(MEASURE, self._clip.lead), "-f", "null", "-"])]
        auto = self._spec.framing.mode is FramingMode.AUTO
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            look, log = analyse_clip(self._clip, folder, [self._spec.ratio] if auto else [], sound if self._clip.info.has_audio else [])
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return look.content, look.shots[self._spec.ratio] if auto else (), parse_loudness(log)

    def _encode(self, content: Rect, shots: tuple[Shot, ...], lufs: float | None, out: Path) -> None:
        spec, clip = self._spec, self._clip
        width, height = self._size
        bits = width * height * _BITS_PER_PIXEL
        graph = picture_graph(
            clip.info,
            content,
            spec.ratio,
            spec.framing,
            self._size,
            shots=shots,
            seconds=clip.seconds,
            lead=clip.lead,
            burn_in=spec.burn_in,
            fonts=spec.fonts,
        )
        colours = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709") if clip.info.hdr else ()
        clip.run(
            [
                *clip.input(), *self._caption_inputs(),
                "-filter_complex", graph, "-map", "[picture]", "-map", "0:a:0?", *self._caption_maps(),
                "-c:v", "libx264", "-preset", self._preset, "-crf", "21", "-maxrate", str(bits), "-bufsize", str(2 * bits),
                "-threads", str(THREADS), "-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})", *colours,
                "-af", without_lead(normalize_loudness(lufs), clip.lead),
                "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", str(SAMPLE_RATE),
                "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
                "-movflags", "+faststart", "-f", "mp4", "-y", f"file:{out}",
            ],
            file_size=32 * 1024**2 + bits // 8 * math.ceil(spec.duration_ms / 1000) * 2, on_progress=self._encoded,
        )  # fmt: skip

    def _encoded(self, done_ms: int) -> None:
        share = min(1.0, done_ms / self._spec.duration_ms)
        self._on_progress(_LOOKED_AT_SHARE + (0.99 - _LOOKED_AT_SHARE) * share)

    def _checked(self, content: Rect, shots: tuple[Shot, ...], lufs: float | None, out: Path) -> RenderResult:
        """Return what the file holds; raises ``MediaError`` if that is not what was asked for."""
        made, info, frame_ms = probe(out), self._clip.info, self._clip.frame_ms
        missing = min(self._spec.end_ms, info.duration_ms) - self._spec.start_ms - made.duration_ms
        # Some containers count the sound's length, which may outlast the picture, as the video's.
        at_end = self._spec.end_ms > info.duration_ms - _LOOSE_END_MS
        if not -frame_ms <= missing <= (_LOOSE_END_MS if at_end else frame_ms):
            raise MediaError("The source ends within the clip: it is damaged or incomplete.")
        if (made.width, made.height) != self._size or made.has_audio is not info.has_audio:
            raise MediaError("The export is not as requested and was discarded. Retry.")
        size = out.stat().st_size
        return RenderResult(made.duration_ms, made.width, made.height, size, made.has_audio, content, lufs, self._clip.bytes_read, shots)

    def _caption_inputs(self) -> list[str]:
        lists = ("-protocol_whitelist", "file", "-format_whitelist", _CAPTION_FORMATS, "-codec_whitelist", _CAPTION_DECODERS)
        return [
            part for path, _ in self._spec.soft_captions for part in (*lists, "-t", self._clip.seconds, "-i", f"file:{path.absolute()}")
        ]

    def _caption_maps(self) -> list[str]:
        maps = []
        for index, (_, language) in enumerate(self._spec.soft_captions):
            maps += ["-map", f"{index + 1}:s:0", f"-metadata:s:s:{index}", f"language={track_code_of(language)}"]
        return [*maps, "-c:s", "mov_text"] if maps else []
