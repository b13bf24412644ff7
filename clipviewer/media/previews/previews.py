"""Make poster, filmstrip and waveform of a video in one pass. Times are milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from clipviewer.domain.timecode import ms_to_seconds
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.previews import filmstrip
from clipviewer.media.previews.filmstrip import picture_size, step_ms, thumbnails_vtt, write_sheets
from clipviewer.media.previews.poster import best_picture
from clipviewer.media.previews.waveform import SAMPLE_RATE, write_waveform
from clipviewer.media.raw_pictures import Picture, picture_filters, picture_output, read_pictures, read_times
from clipviewer.media.render.picture_filters import TO_SDR
from clipviewer.media.source.inspection import Inspection
from clipviewer.media.source.mp4_boxes import MoovPlace
from clipviewer.media.source.opened_source import OpenedSource, open_source
from clipviewer.media.source.stored_source import Source

PREVIEWS_VERSION = 1
"""Version of the previews; increased whenever the same video gives other ones."""

POSTER_WIDTH = 1280
THUMB_WIDTH, THUMB_HEIGHT = 64, 36

_POSTER_CANDIDATES = 24
_THUMB_STEP_MS = 1_000
_KEYFRAMES, _SHARED = "nokey", "noref"
_SHORT_MS = 120_000
_READ_SHARE, _TRIED_SHARE = 0.95, 0.1
_INTRA = {"prores", "dnxhd", "cfhd", "mjpeg", "dvvideo", "ffv1", "rawvideo"}
_NO_INPUT_FILTERS = "Option bsf"  # Before ffmpeg 7.1 an input had none.
_ROOM = 128 * 1024**2
_SOUND_BYTES_PER_SECOND = SAMPLE_RATE * 2


@dataclass(frozen=True, slots=True)
class ScanFiles:
    """Intermediate files that a search for highlights can reuse; the last user deletes them.

    ``sound``: 16 kHz mono PCM (``s16le``) from the video's start on, None without sound. ``thumbs``: grey pictures of ``THUMB_WIDTH`` ×
    ``THUMB_HEIGHT`` bytes one after the other, shown at ``thumb_times_ms``; mostly keyframes, about one per second at most.
    """

    sound: Path | None
    thumbs: Path
    thumb_times_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Previews:
    """The previews of a video.

    ``poster``: a JPEG of the picture at ``poster_ms``, at most 1280 pixels wide. ``sheets``: the WebP files that ``filmstrip``, a WebVTT
    file, refers to by name. ``waveform``: JSON, None without sound. ``source_bytes``: read from the store, 0 for a path.
    """

    poster: Path
    poster_ms: int
    sheets: tuple[Path, ...]
    filmstrip: Path
    waveform: Path | None
    work: ScanFiles
    source_bytes: int


def make_previews(
    ffmpeg: Ffmpeg,
    source: Source,
    info: Inspection,
    folder: Path,
    *,
    on_progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Previews:
    """Write all previews into the empty ``folder``, or none. ``info`` is the result of ``inspect`` on ``source``. Blocks.

    ``on_progress`` receives the share done, 0 to 1, never decreasing. Raises ``MediaError`` for damaged or unusable footage,
    ``StorageError`` for an unreadable source, and ``MediaCancelled`` within a second of ``cancelled`` returning true.
    """
    with TemporaryDirectory(dir=folder, prefix="part-", ignore_cleanup_errors=True) as name:
        making = _PreviewsRun(ffmpeg, info, Path(name), on_progress, cancelled)
        with open_source(source, folder, cancelled=cancelled) as found:
            making.read(found)
        made = making.finish(found.bytes_read)
        published = _moved(made, folder)
    on_progress(1.0)
    return published


def _moved(made: Previews, folder: Path) -> Previews:
    def move(path: Path) -> Path:
        return path.rename(folder / path.name)

    work = replace(made.work, sound=made.work.sound and move(made.work.sound), thumbs=move(made.work.thumbs))
    return replace(
        made,
        poster=move(made.poster),
        sheets=tuple(move(sheet) for sheet in made.sheets),
        filmstrip=move(made.filmstrip),
        waveform=made.waveform and move(made.waveform),
        work=work,
    )


class _PreviewsRun:
    def __init__(
        self, ffmpeg: Ffmpeg, info: Inspection, folder: Path, on_progress: Callable[[float], None], cancelled: Callable[[], bool]
    ) -> None:
        self._ffmpeg, self._info, self._folder, self._cancelled = ffmpeg, info, folder, cancelled
        self._media, self._length = info.media, info.media.duration_ms
        self._size = picture_size(info.media.width, info.media.height)
        self._on_progress, self._told = on_progress, 0.0
        self._strip, self._thumbs, self._sound = (folder / name for name in ("strip.raw", "thumbs.raw", "sound.pcm"))

    def read(self, found: OpenedSource) -> None:
        """Read in one pass, or two if the first shows that keyframes are too far apart."""
        choices, begun = self._choices(), 0.0
        for index, choice in enumerate(choices):
            end = _READ_SHARE if index == len(choices) - 1 else _TRIED_SHARE
            self._pass(found, choice, begun, end)
            if self._near_enough():
                break
            begun = end

    def _choices(self) -> list[str]:
        """Return ffmpeg's ``skip_frame`` values to try: keyframes if they are close enough, else all referenced pictures."""
        known, longest = self._info.keyframe_ms, filmstrip.longest_gap_ms(self._length)
        if known is not None and known <= longest:
            return [_KEYFRAMES]
        if self._length <= _SHORT_MS or (known is not None and self._info.moov is not MoovPlace.NONE):
            return [_SHARED]
        return [_KEYFRAMES, _SHARED]

    def _near_enough(self) -> bool:
        times = [0, *read_times(self._strip), self._length]
        return max(after - before for before, after in pairwise(times)) <= filmstrip.longest_gap_ms(self._length)

    def _pass(self, found: OpenedSource, choice: str, begun: float, end: float) -> None:
        for path in self._folder.iterdir():
            path.unlink()
        seconds = self._length / 1000
        sound = ["-map", "0:a:0", "-af", f"aresample={SAMPLE_RATE}:async=1:first_pts=0", "-ac", "1", "-c:a", "pcm_s16le"]
        to_sound = [*sound, "-t", ms_to_seconds(self._length), "-f", "s16le", "-y", f"file:{self._sound}"]
        wanted = [*found.input("-skip_frame", choice), "-filter_complex", self._graph()]
        outputs = [
            *picture_output("strip", self._strip), *picture_output("thumbs", self._thumbs),
            "-map", "[poster]", "-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-c:v", "mjpeg", "-q:v", "3",
            "-map_metadata", "-1", "-f", "image2", "-frame_pts", "1", "-y", f"file:{self._folder}/poster-%d.jpg",
            *(to_sound if self._media.has_audio else []),
        ]  # fmt: skip

        def run(*thinned: str) -> None:
            found.run(
                self._ffmpeg,
                [*thinned, *wanted, *outputs],
                timeout=300 + seconds * 10,
                file_size=_ROOM + round(seconds * _SOUND_BYTES_PER_SECOND),
                on_progress=lambda done_ms: self._tell(begun + (end - begun) * min(1.0, done_ms / self._length)),
            )

        if not self._all_keyframes():
            run()
            return
        try:
            run("-bsf:v", _first_keyframe_of_each(self._step_ms))
        except MediaError as error:
            if _NO_INPUT_FILTERS not in error.log:
                raise
            run()

    def _all_keyframes(self) -> bool:
        """Return whether there are more keyframes than wanted; the surplus is then not even decoded."""
        known = self._info.keyframe_ms
        return self._media.video_codec in _INTRA or (known is not None and known <= self._step_ms // 2)

    @property
    def _step_ms(self) -> int:
        return min(step_ms(self._length), _THUMB_STEP_MS)

    def finish(self, source_bytes: int) -> Previews:
        folder, has_sound = self._folder, self._media.has_audio
        sheets, times = write_sheets(self._going_on(read_pictures(self._strip)), folder)
        candidates = sorted(folder.glob("poster-*.jpg"), key=_shown_ms)
        if not times:
            raise MediaError("No picture of this video can be decoded.")
        thumbnails, poster = folder / "filmstrip.vtt", best_picture(candidates)
        thumbnails.write_text(thumbnails_vtt(times, self._size, self._length), encoding="utf-8")
        waveform = folder / "waveform.json" if has_sound else None
        if waveform is not None:
            write_waveform(self._sound, self._length, waveform)
        thumbs, thumb_times = folder / "thumbs.gray", []
        with thumbs.open("wb") as file:
            for time, picture in self._going_on(read_pictures(self._thumbs)):
                thumb_times.append(time)
                file.write(picture.tobytes())
        work = ScanFiles(self._sound if has_sound else None, thumbs, tuple(thumb_times))
        poster_ms = _shown_ms(poster)
        return Previews(poster.rename(folder / "poster.jpg"), poster_ms, tuple(sheets), thumbnails, waveform, work, source_bytes)

    def _graph(self) -> str:
        strip_ms = step_ms(self._length)
        width, height = self._size
        poster_width = min(POSTER_WIDTH, self._media.width) // 2 * 2
        poster_height = max(2, round(poster_width * self._media.height / self._media.width / 2) * 2)
        sdr = f",{TO_SDR}" if self._media.hdr else ""
        return (
            f"[0:v:0]{_one_picture_per(self._step_ms)},split[all][some];"
            f"[all]scale={width}:{height}:flags=area,setsar=1{sdr},split[small][smaller];"
            f"[small]{_one_picture_per(strip_ms)},{picture_filters('strip', 'bgr24')};"
            f"[smaller]scale={THUMB_WIDTH}:{THUMB_HEIGHT}:flags=area,setsar=1,{picture_filters('thumbs', 'gray')};"
            f"[some]{_one_picture_per(max(1, self._length // _POSTER_CANDIDATES))},scale={poster_width}:{poster_height},setsar=1{sdr},"
            f"scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p[poster]"
        )

    def _going_on(self, pictures: Iterator[tuple[int, Picture]]) -> Iterator[tuple[int, Picture]]:
        for each in pictures:
            if self._cancelled():
                raise MediaCancelled
            yield each

    def _tell(self, share: float) -> None:
        self._told = max(self._told, min(share, 1.0))
        self._on_progress(self._told)


def _one_picture_per(ms: int) -> str:
    """Return the filter that passes the first picture of each ``ms``, counted from the start."""
    of = f"{{}}*1000/{ms}+0.001"
    return f"select='isnan(prev_selected_t)+gt(floor({of.format('t')}),floor({of.format('prev_selected_t')}))'"


def _first_keyframe_of_each(ms: int) -> str:
    """Return the bitstream filter that keeps only the first keyframe of each ``ms``, and packets without a time."""
    time = "(pts*tb*1000+1)"
    return f"noise=drop='if(isnan(pts),0,if(key*gte({time},ld(0)),st(0,(floor({time}/{ms})+1)*{ms})*0,1))'"


def _shown_ms(candidate: Path) -> int:
    return int(candidate.stem.partition("-")[2])
