"""An export shows exactly its clip, in its shape, as loud as the others, and contains nothing else."""

from __future__ import annotations

import math
from pathlib import Path

import av
import pytest

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, Rect
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.framing.reframe import analyse_range
from clipviewer.media.render.loudness import MEASURE, TARGET_LUFS, parse_loudness
from clipviewer.media.render.render import RenderResult, RenderSpec, render
from clipviewer.media.source.probe import probe
from tests.footage import frame_numbers

FIT = Framing(FramingMode.FIT)


@pytest.fixture(scope="module")
def master(small_footage: Path) -> Path:
    return small_footage


def export(source: Path, out: Path, start_ms: int, end_ms: int, ratio: AspectRatio = AspectRatio.SQUARE, **fields: object) -> RenderResult:
    spec = RenderSpec(str(source), start_ms, end_ms, ratio, **fields)  # type: ignore[arg-type]
    return render(Ffmpeg(), spec, out, preset="ultrafast")


def make(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=60)
    return out


def luma(path: Path, at: tuple[float, float]) -> int:
    """Return the brightness of the first frame at a fraction of its width and height."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
    plane = frame.planes[0]
    return bytes(plane)[int(frame.height * at[1]) * plane.line_size + int(frame.width * at[0])]


def lufs(path: Path) -> float | None:
    return parse_loudness(Ffmpeg().run(["-loglevel", "info", "-i", str(path), "-af", MEASURE, "-vn", "-f", "null", "-"], timeout=60))


@pytest.mark.parametrize("ratio", AspectRatio)
@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 1_000), (500, 1_500), (3_510, 4_510), (5_000, 6_000)])
def test_an_export_shows_every_frame_of_its_clip_and_no_other(
    master: Path, tmp_path: Path, ratio: AspectRatio, start_ms: int, end_ms: int
) -> None:
    out = tmp_path / "clip.mp4"
    result = export(master, out, start_ms, end_ms, ratio)
    numbers = frame_numbers(out)
    assert numbers[0] == math.ceil(start_ms * 24 / 1000)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert abs(len(numbers) - (end_ms - start_ms) * 24 / 1000) <= 1
    assert (result.width, result.height) == (ratio.frame.width, ratio.frame.height)
    assert (result.has_audio, result.size, result.source_bytes) == (True, out.stat().st_size, 0)
    assert abs(result.duration_ms - (end_ms - start_ms)) <= 42


def test_a_larger_size_is_set_by_the_specification(master: Path, tmp_path: Path) -> None:
    result = export(master, tmp_path / "clip.mp4", 0, 200, AspectRatio.PORTRAIT, size=(1080, 1920))
    assert (result.width, result.height) == (1080, 1920)


def test_an_export_plays_while_it_loads_and_reveals_nothing_of_its_source(master: Path, tmp_path: Path) -> None:
    tagged = make(
        tmp_path / "tagged.mp4", "-i", str(master), "-c", "copy", "-metadata", "title=Secret", "-metadata:s:a", "handler_name=Secret"
    )
    out = tmp_path / "clips" / "clip.mp4"
    out.parent.mkdir()
    export(tagged, out, 0, 500)
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"Secret" in tagged.read_bytes()
    assert b"Secret" not in data
    assert b"tagged" not in data
    assert list(out.parent.iterdir()) == [out]
    with av.open(str(out)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 48_000, 2)


def test_progress_grows_from_the_start_to_one(master: Path, tmp_path: Path) -> None:
    told: list[float] = []
    spec = RenderSpec(str(master), 0, 6_000, AspectRatio.PORTRAIT)
    render(Ffmpeg(), spec, tmp_path / "clip.mp4", on_progress=told.append, preset="ultrafast")
    assert told == sorted(told)
    assert 0 < told[0] < 0.5
    assert told[-1] == 1.0
    assert len(told) >= 3


def test_a_cancelled_render_leaves_nothing_and_keeps_what_was_there(master: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "clip.mp4", list[float]()
    out.write_bytes(b"before")
    spec = RenderSpec(str(master), 0, 6_000, AspectRatio.LANDSCAPE, size=(3840, 2160))
    with pytest.raises(MediaCancelled):
        render(Ffmpeg(), spec, out, on_progress=told.append, cancelled=lambda: bool(told))
    assert out.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(("gain", "source_lufs"), [("-20dB", -41), ("-6dB", -27), ("12dB", -9)])
def test_exports_are_equally_loud(tmp_path: Path, gain: str, source_lufs: int) -> None:
    tone = ["-f", "lavfi", "-i", f"sine=440:d=5,volume={gain},aformat=channel_layouts=stereo"]
    source = make(tmp_path / "tone.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=5", *tone, "-c:a", "aac", "-shortest")
    out = tmp_path / "clip.mp4"
    result = export(source, out, 500, 4_500)
    measured = lufs(out)
    assert result.source_lufs == pytest.approx(source_lufs, abs=2)
    expected = max(TARGET_LUFS, min(TARGET_LUFS, (result.source_lufs or 0) + 20)) if source_lufs > -34 else (result.source_lufs or 0) + 20
    assert measured == pytest.approx(expected, abs=1)


def test_only_the_clip_counts_for_its_loudness(tmp_path: Path) -> None:
    loud_then_quiet = "aevalsrc='if(lt(t,3),0.8,0.02)*sin(880*PI*t)|if(lt(t,3),0.8,0.02)*sin(880*PI*t)':s=48000:d=8"
    source = make(tmp_path / "two.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=8", "-f", "lavfi", "-i", loud_then_quiet, "-g", "1000")
    result = export(source, tmp_path / "clip.mp4", 4_000, 7_000)
    assert result.source_lufs == pytest.approx(-34, abs=1.5)
    assert lufs(tmp_path / "clip.mp4") == pytest.approx(TARGET_LUFS, abs=1)


def test_silence_stays_silent(master: Path, tmp_path: Path) -> None:
    result = export(master, tmp_path / "clip.mp4", 2_200, 3_800)
    assert result.has_audio
    assert result.source_lufs is None
    assert lufs(tmp_path / "clip.mp4") is None


def test_a_crop_by_hand_shows_that_part(tmp_path: Path) -> None:
    left_white = "color=black:s=640x360:d=1,drawbox=w=202:h=360:c=white:t=fill,format=yuv420p"
    source = make(tmp_path / "white.mp4", "-f", "lavfi", "-i", left_white)
    for x, expected in ((0.0, True), (1.0, False)):
        export(source, tmp_path / "clip.mp4", 0, 500, AspectRatio.PORTRAIT, framing=Framing(FramingMode.MANUAL, x))
        assert [luma(tmp_path / "clip.mp4", (share, 0.5)) > 200 for share in (0.02, 0.5, 0.97)] == [expected] * 3


def test_fit_shows_the_whole_picture_over_a_blurred_copy(tmp_path: Path) -> None:
    source = make(tmp_path / "white.mp4", "-f", "lavfi", "-i", "color=white:s=640x360:d=1,drawbox=w=6:h=360:c=black:t=fill,format=yuv420p")
    export(source, tmp_path / "clip.mp4", 0, 500, AspectRatio.PORTRAIT, framing=FIT)
    assert luma(tmp_path / "clip.mp4", (0.002, 0.5)) < 60
    assert luma(tmp_path / "clip.mp4", (0.5, 0.5)) > 200
    assert luma(tmp_path / "clip.mp4", (0.5, 0.1)) > 200


@pytest.mark.parametrize("mode", FramingMode)
def test_black_bars_are_cropped_in_every_mode(tmp_path: Path, mode: FramingMode) -> None:
    barred = "testsrc2=s=640x272:d=1,pad=640:360:0:44,format=yuv420p"
    source = make(tmp_path / "barred.mp4", "-f", "lavfi", "-i", barred)
    result = export(source, tmp_path / "clip.mp4", 0, 800, AspectRatio.PORTRAIT, framing=Framing(mode))
    assert result.content == Rect(0, 44, 640, 272)
    assert luma(tmp_path / "clip.mp4", (0.5, 0.02)) > 30
    assert analyse_range(Ffmpeg(), str(source), 0, 800, tmp_path).content == result.content


def test_a_dark_edge_is_not_taken_for_a_bar(tmp_path: Path) -> None:
    dark_sky = "testsrc2=s=640x272:d=1,pad=640:360:0:88,format=yuv420p"
    result = export(make(tmp_path / "dark.mp4", "-f", "lavfi", "-i", dark_sky), tmp_path / "clip.mp4", 0, 800)
    assert result.content == Rect(0, 0, 640, 360)


def test_captions_become_tracks_with_their_language_or_part_of_the_picture(master: Path, tmp_path: Path) -> None:
    folder = tmp_path / "it's [a], b; c:d\\e"
    folder.mkdir()
    captions = folder / "captions.srt"
    captions.write_text("1\n00:00:00,000 --> 00:00:05,000\n████████████████\n", encoding="utf-8")
    export(master, tmp_path / "soft.mp4", 2_000, 3_000, soft_captions=[(captions, "de"), (captions, "pt-BR")])
    with av.open(str(tmp_path / "soft.mp4")) as container:
        assert [(track.codec_context.name, track.metadata["language"]) for track in container.streams.subtitles] == [
            ("mov_text", "deu"),
            ("mov_text", "por"),
        ]
    export(master, tmp_path / "plain.mp4", 2_000, 3_000)
    export(master, tmp_path / "burnt.mp4", 2_000, 3_000, burn_in=captions)
    differing = [
        y for y in range(100) if abs(luma(tmp_path / "plain.mp4", (0.5, y / 100)) - luma(tmp_path / "burnt.mp4", (0.5, y / 100))) > 40
    ]
    assert differing
    assert min(differing) > 60
    assert abs(probe(tmp_path / "soft.mp4").duration_ms - 1_000) <= 42


@pytest.mark.parametrize(("start_ms", "end_ms"), [(-1, 1_000), (1_000, 1_000), (2_000, 1_000)])
def test_an_invalid_range_is_refused(start_ms: int, end_ms: int) -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        RenderSpec("source.mp4", start_ms, end_ms, AspectRatio.SQUARE)


@pytest.mark.parametrize("size", [(721, 1280), (0, 100), (16_384, 100)])
def test_a_size_that_cannot_be_rendered_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="even"):
        RenderSpec("source.mp4", 0, 1_000, AspectRatio.SQUARE, size=size)


@pytest.mark.parametrize(("start_ms", "end_ms"), [(7_000, 8_000), (5_000, 9_000)])
def test_a_clip_beyond_the_end_is_refused(master: Path, tmp_path: Path, start_ms: int, end_ms: int) -> None:
    with pytest.raises(MediaError, match="beyond the end"):
        export(master, tmp_path / "clip.mp4", start_ms, end_ms)
