"""Clips cut from demo footage show exactly the frames of their range, in the requested shape."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
import pytest

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.render.cut import cut_clip, write_poster
from clipviewer.media.source.probe import probe
from tests.footage import frame_numbers


@pytest.fixture(scope="module")
def master(small_footage: Path) -> Path:
    return small_footage


def test_a_master_carries_every_frame_number_once_and_starts_playing_at_once(master: Path) -> None:
    info = probe(master)
    assert frame_numbers(master) == list(range(144))
    assert (info.width, info.height, info.frame_rate, info.duration_ms) == (1280, 720, Fraction(24), 6_000)
    assert (info.video_codec, info.audio_codec) == ("h264", "aac")
    assert _moov_comes_first(master)
    assert list(master.parent.iterdir()) == [master]


def test_a_master_has_a_keyframe_every_two_seconds(master: Path) -> None:
    assert {0, 48, 96} <= set(_keyframes(master))


def test_the_sound_differs_by_scene(master: Path) -> None:
    loud = _loudness(master)
    assert loud[2] == loud[3] == 0
    assert min(loud[4:6]) > 1_000
    assert loud[0] > 500


@pytest.mark.parametrize("ratio", AspectRatio)
@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 1_000), (500, 1_500), (3_510, 4_510)])
def test_a_clip_shows_the_frames_of_its_range_in_every_shape(
    master: Path, tmp_path: Path, ratio: AspectRatio, start_ms: int, end_ms: int
) -> None:
    out = tmp_path / "clip.mp4"
    cut_clip(Ffmpeg(), master, out, start_ms=start_ms, end_ms=end_ms, ratio=ratio, preset="ultrafast")
    numbers, info = frame_numbers(out), probe(out)
    assert numbers[0] == math.ceil(start_ms * 24 / 1000)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert abs(len(numbers) - (end_ms - start_ms) * 24 / 1000) <= 1
    assert (info.width, info.height) == (ratio.frame.width, ratio.frame.height)
    assert info.has_audio
    assert _moov_comes_first(out)


def test_a_clip_keeps_no_metadata_and_is_alone_in_its_folder(master: Path, tmp_path: Path) -> None:
    tagged, out = tmp_path / "tagged.mp4", tmp_path / "clips" / "clip.mp4"
    out.parent.mkdir()
    Ffmpeg().run(["-i", str(master), "-c", "copy", "-metadata", "title=Secret", str(tagged)], timeout=60)
    cut_clip(Ffmpeg(), tagged, out, start_ms=0, end_ms=500, ratio=AspectRatio.SQUARE, preset="ultrafast")
    assert b"Secret" in tagged.read_bytes()
    assert b"Secret" not in out.read_bytes()
    assert list(out.parent.iterdir()) == [out]


def test_a_source_without_sound_gives_a_clip_without_sound(master: Path, tmp_path: Path) -> None:
    silent, out = tmp_path / "silent.mp4", tmp_path / "clip.mp4"
    Ffmpeg().run(["-i", str(master), "-c", "copy", "-an", str(silent)], timeout=60)
    cut_clip(Ffmpeg(), silent, out, start_ms=0, end_ms=500, ratio=AspectRatio.LANDSCAPE, preset="ultrafast")
    assert not probe(out).has_audio


def test_a_truncated_source_publishes_nothing(master: Path, tmp_path: Path) -> None:
    broken, out = tmp_path / "broken.mp4", tmp_path / "clips" / "clip.mp4"
    out.parent.mkdir()
    data = master.read_bytes()
    broken.write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError):
        cut_clip(Ffmpeg(), broken, out, start_ms=0, end_ms=6_000, ratio=AspectRatio.LANDSCAPE, preset="ultrafast")
    assert list(out.parent.iterdir()) == []


def test_a_cancelled_cut_publishes_nothing_and_keeps_what_was_there(master: Path, tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    out.write_bytes(b"before")
    with pytest.raises(MediaCancelled):
        cut_clip(Ffmpeg(), master, out, start_ms=0, end_ms=6_000, ratio=AspectRatio.SQUARE, cancelled=lambda: True)
    assert out.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(("start_ms", "end_ms"), [(-1, 1_000), (1_000, 1_000), (2_000, 1_000)])
def test_an_invalid_range_is_refused(master: Path, tmp_path: Path, start_ms: int, end_ms: int) -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        cut_clip(Ffmpeg(), master, tmp_path / "clip.mp4", start_ms=start_ms, end_ms=end_ms, ratio=AspectRatio.SQUARE)


def test_a_poster_is_a_jpeg_of_that_moment_and_at_most_640_pixels_wide(master: Path, tmp_path: Path) -> None:
    out = tmp_path / "poster.jpg"
    write_poster(Ffmpeg(), master, out, at_ms=2_500)
    assert out.read_bytes().startswith(b"\xff\xd8\xff")
    with av.open(str(out)) as image:
        frame = next(image.decode(video=0))
    assert (frame.width, frame.height) == (640, 360)
    assert frame_numbers(out) == [60]


def test_a_poster_of_a_small_picture_is_not_blown_up(tmp_path: Path) -> None:
    small, out = tmp_path / "small.mp4", tmp_path / "poster.jpg"
    Ffmpeg().run(["-f", "lavfi", "-i", "color=s=320x240:d=1", str(small)], timeout=60)
    write_poster(Ffmpeg(), small, out, at_ms=0)
    with av.open(str(out)) as image:
        assert next(image.decode(video=0)).width == 320


def _moov_comes_first(path: Path) -> bool:
    data = path.read_bytes()
    return data.index(b"moov") < data.index(b"mdat")


def _keyframes(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [number for number, frame in enumerate(container.decode(video=0)) if frame.key_frame]


def _loudness(path: Path) -> list[int]:
    """Return the loudest sample of each second, without its last tenths, where the codec may ring on."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=8_000)
        samples: list[int] = []
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                samples += memoryview(bytes(part.planes[0])[: part.samples * 2]).cast("h")
    return [max(abs(sample) for sample in samples[second * 8_000 + 800 : second * 8_000 + 7_200]) for second in range(6)]
