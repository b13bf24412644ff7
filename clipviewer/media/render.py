"""An export: a clip of a source in one shape, rendered from no more of the source than it needs. Times are milliseconds."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, Rect
from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.cut import KEYFRAME_SECONDS
from clipviewer.media.ffmpeg import FORMATS, Ffmpeg, Limits, MediaCancelled, MediaError
from clipviewer.media.letterbox import DETECT, parse_content
from clipviewer.media.loudness import MEASURE, SAMPLE_RATE, levelled, parse_loudness, without_lead
from clipviewer.media.picture_filters import picture_graph, square_pixels
from clipviewer.media.probe import MAX_SIDE, MediaInfo, probe
from clipviewer.media.source_relay import SourceRelay
from clipviewer.media.track_language import track_language

RECIPE_VERSION = 1
"""Counts up whenever the same specification renders to something else: exports made before are then out of date."""

DECODERS = (
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg1video,mpeg2video,mpeg4,msmpeg4v3,h263,theora,vc1,wmv3,prores,dnxhd,cfhd,dvvideo,ffv1,mjpeg,rawvideo,"
    "aac,aac_fixed,mp3,mp3float,mp2,mp2float,ac3,eac3,opus,libopus,vorbis,flac,alac,dca,truehd,wmav2,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,pcm_u8,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav"
)
_CAPTION_FORMATS, _CAPTION_DECODERS = "srt,webvtt,ass", "srt,subrip,webvtt,ass,ssa"
_LOOKED_AT_SHARE = 0.05
_MEMORY = 6 * 1024**3
_THREADS = max(1, min(4, os.cpu_count() or 1))
_BITS_PER_PIXEL = 13
_STALL_MICROSECONDS = 60_000_000
_POLL_SECONDS = 0.1
_READ_AHEAD = 256 * 1024  # The system would let several MB wait between the relay and ffmpeg: read from the store, and never used.
_LOOSE_END_MS = 500
_LEAD_MS = 15_000  # Longer than the distance of keyframes: where a seek may land behind the clip's start, it aims before it.

# What ffmpeg says, and what a person can do about it; the first that fits.
_REASONS = (
    ("No space left on device", "The disk of this machine is full: make room for the render, then retry."),
    ("not on whitelist", "The footage is in a format that is not rendered here: convert it to H.264 in an mp4 first."),
    (
        "zscale",
        "This is HDR footage, and this ffmpeg cannot convert it: unset CLIPVIEWER_FFMPEG to use the one that is installed with clipviewer.",
    ),
    ("Cannot allocate memory", "The footage needs more memory than a render may take: convert it to H.264 at a smaller size first."),
)


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """``source``: an http(s) address, or a path. ``size``: pixels, else the ratio's own. ``burn_in``: an .ass or .srt file that becomes
    part of the picture, set in fonts of the folder ``fonts``. ``soft_captions``: files with their language tags, as tracks to switch on.
    Caption times start with the clip.
    """

    source: str
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
    """What was rendered, as measured in the finished file. ``size`` in bytes; ``source_bytes``: read from the store, 0 for a path;
    ``content``: the part of the source's picture between its black bars; ``source_lufs``: how loud the clip was, None if silent.
    """

    duration_ms: int
    width: int
    height: int
    size: int
    has_audio: bool
    content: Rect
    source_lufs: float | None
    source_bytes: int


def render(
    ffmpeg: Ffmpeg,
    spec: RenderSpec,
    out: Path,
    *,
    on_progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    preset: str = "veryfast",
) -> RenderResult:
    """Write the export to ``out``, whole or not at all. Blocks; ``on_progress`` is told the share done, 0 to 1, and never less than before.

    Raises ``MediaError`` for footage that cannot be rendered, ``StorageError`` for a source that cannot be read, and ``MediaCancelled``
    within a second of ``cancelled`` saying so; nothing is left on disk then.
    """
    remote = spec.source.startswith(("http://", "https://"))
    with SourceRelay(spec.source, out.parent) if remote else nullcontext() as relay:
        try:
            result = _Rendering(ffmpeg, spec, relay, cancelled, on_progress, preset).run(out)
        except MediaError as error:
            if relay is not None and relay.failure is not None:
                raise relay.failure from error
            raise _explained(error) from error
    on_progress(1.0)
    return result


class _Rendering:
    def __init__(
        self,
        ffmpeg: Ffmpeg,
        spec: RenderSpec,
        relay: SourceRelay | None,
        cancelled: Callable[[], bool],
        on_progress: Callable[[float], None],
        preset: str,
    ) -> None:
        self._ffmpeg, self._spec, self._relay, self._preset = ffmpeg, spec, relay, preset
        self._cancelled, self._on_progress = cancelled, on_progress
        self._seconds = ms_to_seconds(spec.duration_ms)
        self._lead_ms, self._lead = 0, ""
        self._timeout = 300 + spec.duration_ms / 1000 * 40

    def run(self, out: Path) -> RenderResult:
        info = self._probe()
        if not info.indexed:
            self._lead_ms = min(_LEAD_MS, self._spec.start_ms)
            self._lead = ms_to_seconds(self._lead_ms) if self._lead_ms else ""
        end_ms = min(self._spec.end_ms, info.duration_ms)
        if end_ms - self._spec.start_ms < _frame_ms(info) or self._spec.end_ms - end_ms > 1000:
            raise MediaError("The clip lies beyond the end of its video: trim it, then export it again.")
        content, lufs = self._look_at(info)
        self._on_progress(_LOOKED_AT_SHARE)
        partial = out.with_name(f"{out.name}.part")
        try:
            self._encode(info, content, lufs, partial)
            result = self._checked(info, content, lufs, partial)
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
        return result

    def _probe(self) -> MediaInfo:
        """In a thread, because a store that is slow to answer must not keep a person waiting who has cancelled."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(probe, self._relay.address if self._relay else Path(self._spec.source))
            while True:
                if self._cancelled():
                    if self._relay:
                        self._relay.close()
                    raise MediaCancelled
                try:
                    return future.result(_POLL_SECONDS)
                except NotYet:
                    continue

    def _look_at(self, info: MediaInfo) -> tuple[Rect, float | None]:
        """The picture between the bars and the loudness, from the clip's keyframes and its sound; about a hundredth of the whole work."""
        whole = Rect(0, 0, info.width, info.height)
        # What a person framed by hand is shown as it was framed, bars and all.
        by_hand = self._spec.framing.mode is FramingMode.MANUAL
        if by_hand and not info.has_audio:
            return whole, None
        # Two inputs: pictures begin at the keyframe before the clip, sound exactly with it. Two outputs: each ends by itself.
        inputs, outputs = [], []
        if not by_hand:
            inputs += ["-skip_frame", "nokey", "-noaccurate_seek", *self._input()]
            outputs += ["-map", "0:v:0", "-frames:v", "24", "-vf", f"{square_pixels(info)},{DETECT}", "-f", "null", "-"]
        if info.has_audio:
            inputs += ["-vn", *self._input()]
            outputs += ["-map", f"{int(not by_hand)}:a:0", "-af", without_lead(MEASURE, self._lead), "-f", "null", "-"]
        log = self._run(["-loglevel", "info", *inputs, *outputs], file_size=0)
        return whole if by_hand else parse_content(log, info.width, info.height), parse_loudness(log)

    def _encode(self, info: MediaInfo, content: Rect, lufs: float | None, out: Path) -> None:
        spec = self._spec
        width, height = spec.frame
        bits = width * height * _BITS_PER_PIXEL
        graph = picture_graph(
            info,
            content,
            spec.ratio,
            spec.framing,
            spec.frame,
            seconds=self._seconds,
            lead=self._lead,
            burn_in=spec.burn_in,
            fonts=spec.fonts,
        )
        colours = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709") if info.hdr else ()
        self._run(
            [
                *self._input(), *self._caption_inputs(),
                "-filter_complex", graph, "-map", "[picture]", "-map", "0:a:0?", *self._caption_maps(),
                "-c:v", "libx264", "-preset", self._preset, "-crf", "21", "-maxrate", str(bits), "-bufsize", str(2 * bits),
                "-threads", str(_THREADS), "-force_key_frames", f"expr:gte(t,n_forced*{KEYFRAME_SECONDS})", *colours,
                "-af", without_lead(levelled(lufs), self._lead), "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", str(SAMPLE_RATE),
                "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
                "-movflags", "+faststart", "-f", "mp4", "-y", f"file:{out}",
            ],
            file_size=32 * 1024**2 + bits // 8 * math.ceil(spec.duration_ms / 1000) * 2, report=True,
        )  # fmt: skip

    def _checked(self, info: MediaInfo, content: Rect, lufs: float | None, out: Path) -> RenderResult:
        """What the file holds; ``MediaError`` if that is not what was asked for."""
        made = probe(out)
        missing = min(self._spec.end_ms, info.duration_ms) - self._spec.start_ms - made.duration_ms
        # Some containers count the sound's length, which may outlast the picture, as the video's.
        at_end = self._spec.end_ms > info.duration_ms - _LOOSE_END_MS
        if not -_frame_ms(info) <= missing <= (_LOOSE_END_MS if at_end else _frame_ms(info)):
            raise MediaError("The source breaks off within the clip: it is damaged, or was not written to the end.")
        if (made.width, made.height) != self._spec.frame or made.has_audio is not info.has_audio:
            raise MediaError("The export came out other than asked for, and was thrown away. Retry.")
        size = out.stat().st_size
        read = self._relay.bytes_read if self._relay else 0
        return RenderResult(made.duration_ms, made.width, made.height, size, made.has_audio, content, lufs, read)

    def _input(self) -> list[str]:
        source = self._relay.address if self._relay else f"file:{Path(self._spec.source).absolute()}"
        limited = ("-rw_timeout", str(_STALL_MICROSECONDS), "-recv_buffer_size", str(_READ_AHEAD))
        protocols = ("-protocol_whitelist", "http,tcp", *limited) if self._relay else ("-protocol_whitelist", "file")
        return [
            "-xerror", *protocols, "-format_whitelist", FORMATS, "-codec_whitelist", DECODERS, "-max_pixels", str(MAX_SIDE**2),
            "-threads", str(_THREADS), "-ss", ms_to_seconds(self._spec.start_ms - self._lead_ms),
            "-t", ms_to_seconds(self._spec.duration_ms + self._lead_ms), "-i", source,
        ]  # fmt: skip

    def _caption_inputs(self) -> list[str]:
        lists = ("-protocol_whitelist", "file", "-format_whitelist", _CAPTION_FORMATS, "-codec_whitelist", _CAPTION_DECODERS)
        return [part for path, _ in self._spec.soft_captions for part in (*lists, "-t", self._seconds, "-i", f"file:{path.absolute()}")]

    def _caption_maps(self) -> list[str]:
        maps = []
        for index, (_, language) in enumerate(self._spec.soft_captions):
            maps += ["-map", f"{index + 1}:s:0", f"-metadata:s:s:{index}", f"language={track_language(language)}"]
        return [*maps, "-c:s", "mov_text"] if maps else []

    def _run(self, args: list[str], *, file_size: int, report: bool = False) -> str:
        def progress(done_ms: int) -> None:
            share = min(1.0, done_ms / self._spec.duration_ms)
            self._on_progress(_LOOKED_AT_SHARE + (0.99 - _LOOKED_AT_SHARE) * share)

        return self._ffmpeg.run(
            args, timeout=self._timeout, on_progress=progress if report else None, cancelled=self._cancelled,
            limits=Limits(memory=_MEMORY, cpu_seconds=math.ceil(self._timeout) * _THREADS, file_size=file_size),
        )  # fmt: skip


def _frame_ms(info: MediaInfo) -> int:
    return math.ceil(1000 / info.frame_rate) + 1 if info.frame_rate else 1000


def _explained(error: MediaError) -> MediaError:
    for words, sentence in _REASONS:
        if words in error.log:
            return MediaError(sentence, error.log)
    return error
