"""Sources of every kind: odd ones are rendered, bad ones refused with a message, and neither leaves anything behind."""

from __future__ import annotations

import socket
from itertools import pairwise
from pathlib import Path

import av
import pytest

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.render.render import RenderResult, RenderSpec, render
from clipviewer.media.source.probe import probe
from tests.footage import frame_numbers

TONE = ("-f", "lavfi", "-i", "sine=d=2")


@pytest.fixture(scope="module")
def master(small_footage: Path) -> Path:
    return small_footage


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A path in an empty folder; the test fails if a failed render leaves something there."""
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder / "clip.mp4"


def export(
    source: Path, out: Path, start_ms: int = 0, end_ms: int = 1_000, ratio: AspectRatio = AspectRatio.PORTRAIT, **fields: object
) -> RenderResult:
    spec = RenderSpec(str(source), start_ms, end_ms, ratio, **fields)  # type: ignore[arg-type]
    return render(Ffmpeg(), spec, out, preset="ultrafast")


def make(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=60)
    return out


def picture(graph: str, *encoding: str) -> list[str]:
    return ["-f", "lavfi", "-i", graph, *encoding]


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def test_a_source_without_sound_gives_an_export_without_sound(master: Path, tmp_path: Path, out: Path) -> None:
    result = export(make(tmp_path / "silent.mp4", "-i", str(master), "-c", "copy", "-an"), out)
    assert not result.has_audio


@pytest.mark.parametrize("mode", [FramingMode.CENTRE, FramingMode.FIT, FramingMode.AUTO])
@pytest.mark.parametrize("graph", ["testsrc2=s=641x363:d=2,format=yuv444p", "testsrc2=s=640x480:d=2", "testsrc2=s=320x180:d=2,setsar=4/3"])
def test_odd_sizes_other_shapes_and_wide_pixels_fill_the_frame(tmp_path: Path, out: Path, graph: str, mode: FramingMode) -> None:
    source = make(tmp_path / "odd.mkv", *picture(graph), *TONE, "-c:a", "aac")
    result = export(source, out, framing=Framing(mode))
    assert (result.width, result.height) == (720, 1280)
    assert abs(result.duration_ms - 1_000) <= 40


@pytest.mark.parametrize("turned", [-90, 90, 180])
def test_a_rotated_source_stands_upright(tmp_path: Path, out: Path, turned: int) -> None:
    white_top = make(tmp_path / "flat.mp4", *picture("color=black:s=640x360:d=2,drawbox=w=640:h=180:c=white:t=fill,format=yuv420p"))
    source = make(tmp_path / "turned.mp4", "-display_rotation", str(turned), "-i", str(white_top), "-c", "copy")
    expected = {-90: ((0.9, 0.5), (0.1, 0.5)), 90: ((0.1, 0.5), (0.9, 0.5)), 180: ((0.5, 0.9), (0.5, 0.1))}[turned]
    export(source, out, ratio=AspectRatio.SQUARE, framing=Framing(FramingMode.MANUAL))
    with av.open(str(out)) as container:
        plane = next(container.decode(video=0)).reformat(format="gray").planes[0]
    white, black = (bytes(plane)[int(1080 * y) * plane.line_size + int(1080 * x)] for x, y in expected)
    assert (white > 200, black < 50) == (True, True)


def test_pictures_at_irregular_times_get_a_constant_rate_and_keep_their_times(tmp_path: Path, out: Path) -> None:
    graph = "testsrc2=s=320x180:r=30:d=8,select='lt(n,60)+not(mod(n,7))'"
    source = make(tmp_path / "vfr.mp4", *picture(graph), "-f", "lavfi", "-i", "sine=d=8", "-fps_mode", "vfr")
    assert probe(source).variable_frame_rate
    result = export(source, out, 1_000, 5_000)
    shown = times(out)
    assert len({round(after - before, 2) for before, after in pairwise(shown)}) == 1
    assert shown[0] == 0
    assert abs(result.duration_ms - 4_000) <= 70


def test_upright_phone_footage_keeps_its_size(tmp_path: Path, out: Path) -> None:
    source = make(tmp_path / "upright.mp4", *picture("testsrc2=s=1080x1920:d=2,format=yuv420p"), *TONE)
    result = export(source, out)
    assert (result.width, result.height) == (1080, 1920)


def test_damage_is_reported_as_damage_even_if_the_master_has_captions(tmp_path: Path, out: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    inputs = [*picture("testsrc2=s=320x180:d=4"), "-i", str(words)]
    whole = make(tmp_path / "whole.mp4", *inputs, "-c:s", "mov_text", "-movflags", "+faststart").read_bytes()
    middle = len(whole) // 2
    source = tmp_path / "damaged.mp4"
    source.write_bytes(whole[:middle] + b"\xff" * 20_000 + whole[middle + 20_000 :])
    with pytest.raises(MediaError, match="The footage is damaged"):
        export(source, out, 1_000, 3_500)
    assert list(out.parent.iterdir()) == []


def test_very_high_frame_rates_become_sixty(tmp_path: Path, out: Path) -> None:
    export(make(tmp_path / "fast.mp4", *picture("testsrc2=s=320x180:r=120:d=2")), out)
    assert len(times(out)) == 60


def test_sound_that_begins_late_stays_beside_its_picture(tmp_path: Path, out: Path) -> None:
    source = make(
        tmp_path / "late.mkv", *picture("testsrc2=s=320x180:d=4"), "-itsoffset", "1", "-f", "lavfi", "-i", "sine=d=3", "-c:a", "flac"
    )
    export(source, out, 500, 2_500)
    with av.open(str(out)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=1_000)
        samples: list[int] = []
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                samples += memoryview(bytes(part.planes[0])[: part.samples * 2]).cast("h")
    first = next(index for index, sample in enumerate(samples) if abs(sample) > 1_000)
    assert first == pytest.approx(500, abs=40)


def test_hdr_footage_is_brought_to_what_every_screen_shows(tmp_path: Path, out: Path) -> None:
    source = hdr(tmp_path)
    assert probe(source).hdr
    export(source, out)
    with av.open(str(out)) as container:
        frame = next(container.decode(video=0))
        assert (frame.format.name, frame.color_trc, frame.colorspace) == ("yuv420p", 1, 1)


def test_hdr_footage_is_refused_by_an_ffmpeg_that_cannot_convert_it(tmp_path: Path, out: Path) -> None:
    lesser = tmp_path / "ffmpeg"
    real = Ffmpeg().executable
    lesser.write_text(
        f'#!/bin/sh\ncase "$*" in *zscale*) echo "No such filter: \'zscale\'" >&2; exit 8;; esac\nexec {real} "$@"\n', encoding="utf-8"
    )
    lesser.chmod(0o700)
    with pytest.raises(MediaError, match="HDR"):
        render(Ffmpeg(str(lesser)), RenderSpec(str(hdr(tmp_path)), 0, 1_000, AspectRatio.SQUARE), out)
    assert list(out.parent.iterdir()) == []


def test_a_source_of_another_container_is_cut_to_the_frame(master: Path, tmp_path: Path, out: Path) -> None:
    for name in ("master.mkv", "master.mov", "master.ts", "master.mpg"):
        coding = ["-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2"] if name.endswith("mpg") else ["-c", "copy"]
        source = make(tmp_path / name, "-i", str(master), *coding)
        export(source, out, 2_500, 3_500)
        numbers = frame_numbers(out)
        assert numbers == list(range(60, 60 + len(numbers))), name
        assert abs(len(numbers) - 24) <= 1, name


BAD = {
    "empty": b"",
    "text": b"Dear Anna,\nplease find attached.\n" * 100,
    "zeros": b"\0" * 100_000,
    "only a beginning": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, out: Path, content: bytes) -> None:
    source = tmp_path / "bad.mp4"
    source.write_bytes(content)
    with pytest.raises(MediaError, match="video file cannot be read"):
        export(source, out)
    assert list(out.parent.iterdir()) == []


def test_a_truncated_source_is_refused(master: Path, tmp_path: Path, out: Path) -> None:
    source = tmp_path / "truncated.mp4"
    source.write_bytes(master.read_bytes()[: master.stat().st_size // 2])
    with pytest.raises(MediaError, match=r"damaged|ends too early|ends within"):
        export(source, out, 0, 6_000)
    assert list(out.parent.iterdir()) == []


def test_a_source_with_damage_in_the_clip_is_refused(master: Path, tmp_path: Path, out: Path) -> None:
    data = bytearray(master.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100_000] = bytes(255 - byte for byte in data[middle : middle + 100_000])
    source = tmp_path / "damaged.mp4"
    source.write_bytes(data)
    with pytest.raises(MediaError, match=r"damaged|ends too early|ends within"):
        export(source, out, 0, 6_000)
    assert list(out.parent.iterdir()) == []


def test_a_picture_of_sixteen_thousand_pixels_is_refused(tmp_path: Path, out: Path) -> None:
    source = make(tmp_path / "huge.mkv", *picture("color=s=16384x64:d=0.2", "-c:v", "ffv1"))
    with pytest.raises(MediaError, match="too large"):
        export(source, out, 0, 100)
    assert list(out.parent.iterdir()) == []


def test_an_unexpected_codec_is_refused(tmp_path: Path, out: Path) -> None:
    source = make(tmp_path / "rare.avi", *picture("testsrc2=s=320x180:d=2", "-c:v", "zmbv"))
    with pytest.raises(MediaError, match="unsupported format"):
        export(source, out)
    assert list(out.parent.iterdir()) == []


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{url}'\n",
}


@pytest.mark.parametrize("playlist", PLAYLISTS.values(), ids=PLAYLISTS)
def test_a_playlist_that_calls_itself_a_video_makes_no_request(tmp_path: Path, out: Path, playlist: str) -> None:
    source = tmp_path / "playlist.mp4"
    with socket.create_server(("127.0.0.1", 0)) as canary:
        source.write_text(playlist.format(url=f"http://127.0.0.1:{canary.getsockname()[1]}/segment.ts"))
        with pytest.raises(MediaError):
            export(source, out)
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert list(out.parent.iterdir()) == []


def test_a_missing_file_is_refused(tmp_path: Path, out: Path) -> None:
    with pytest.raises(MediaError, match="missing"):
        export(tmp_path / "nothing.mp4", out)


def hdr(folder: Path) -> Path:
    colours = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
    tagged = "testsrc2=s=320x180:d=2,format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    return make(folder / "hdr.mkv", *picture(tagged, "-c:v", "libx265", "-x265-params", "log-level=none", *colours))
