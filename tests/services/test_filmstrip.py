"""The filmstrip: each picture shows the time at which it appears, and together they cover the video."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from clipviewer.media.captions.reading import parse_captions
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.previews.filmstrip import longest_gap_ms, step_ms, thumbnails_vtt
from clipviewer.media.previews.previews import Previews, make_previews
from clipviewer.media.source.inspection import inspect
from tests.preview_footage import RATE, SAMPLES, counted_footage, encode, previews, read_number, strip_pictures


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return counted_footage(tmp_path_factory.mktemp("footage") / "counted.mp4", 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "previews"
    path.mkdir()
    return path


def expect_gapless(made: Previews, duration_ms: int) -> None:
    cues = strip_pictures(made)
    assert cues[0][0] == 0
    assert cues[-1][1] == duration_ms
    assert [end for _, end, _ in cues[:-1]] == [start for start, _, _ in cues[1:]]


def test_every_picture_of_the_strip_shows_the_time_at_which_it_stands(counted: Path, folder: Path) -> None:
    made = previews(counted, folder)
    cues = strip_pictures(made)
    assert [read_number(picture) for _, _, picture in cues] == [round(start * RATE / 1000) for start, _, _ in cues]
    assert len(cues) == 100
    expect_gapless(made, 200_000)


def test_pictures_of_a_strip_with_few_keyframes_show_their_times_too(counted: Path, tmp_path: Path, folder: Path) -> None:
    source = encode(tmp_path / "far.mp4", "-t", "60", "-i", str(counted), "-preset", "ultrafast", "-bf", "2", "-g", "9999")
    assert inspect(str(source), folder).keyframe_ms == pytest.approx(60_000, abs=50)
    cues = strip_pictures(previews(source, folder))
    assert [read_number(picture) for _, _, picture in cues] == [round(start * RATE / 1000) for start, _, _ in cues]
    assert len(cues) == pytest.approx(60, abs=1)
    assert max(end - start for start, end, _ in cues) <= 1_300


def test_few_keyframes_are_noticed_where_the_container_does_not_list_them(counted: Path, tmp_path: Path, folder: Path) -> None:
    source = encode(tmp_path / "far.ts", "-t", "150", "-i", str(counted), "-preset", "ultrafast", "-g", "1200", "-an")
    assert inspect(str(source), folder).keyframe_ms is None
    told: list[float] = []
    cues = strip_pictures(previews(source, folder, on_progress=told.append))
    assert len(cues) == pytest.approx(150, abs=1)
    assert all(read_number(picture) == pytest.approx(start * RATE / 1000, abs=1) for start, _, picture in cues)
    assert told == sorted(told)


@pytest.fixture(scope="module")
def all_keyframes(counted: Path) -> Path:
    return encode(counted.with_name("keyframes.mp4"), "-t", "40", "-i", str(counted), "-preset", "ultrafast", "-g", "1")


def test_a_video_of_keyframes_alone_has_one_picture_for_each_second(all_keyframes: Path, folder: Path) -> None:
    made = previews(all_keyframes, folder)
    assert [read_number(picture) for _, _, picture in strip_pictures(made)] == [second * RATE for second in range(40)]
    assert made.work.thumb_times_ms == tuple(range(0, 40_000, 1_000))


def test_unneeded_pictures_are_dropped_by_an_older_ffmpeg_too(all_keyframes: Path, tmp_path: Path, folder: Path) -> None:
    older = tmp_path / "ffmpeg"
    message = "Option bsf (A comma-separated list of bitstream filters) cannot be applied to input url"
    older.write_text(
        f'#!/bin/sh\ncase "$*" in *-bsf*) echo "{message}" >&2; exit 8;; esac\nexec {Ffmpeg().executable} "$@"\n', encoding="utf-8"
    )
    older.chmod(0o700)
    made = make_previews(Ffmpeg(str(older)), str(all_keyframes), inspect(str(all_keyframes), folder), folder)
    assert [read_number(picture) for _, _, picture in strip_pictures(made)] == [second * RATE for second in range(40)]


@pytest.mark.parametrize("name", ["other.mkv", "other.ts", "fragmented.mp4"])
def test_other_containers_give_pictures_of_the_right_time(counted: Path, tmp_path: Path, folder: Path, name: str) -> None:
    flags = ["-movflags", "+frag_keyframe+empty_moov"] if name == "fragmented.mp4" else []
    source = encode(tmp_path / name, "-t", "20", "-i", str(counted), "-c", "copy", *flags)
    made = previews(source, folder)
    for start, _, picture in strip_pictures(made):
        assert read_number(picture) == pytest.approx(start * RATE / 1000, abs=1)
    expect_gapless(made, inspect(str(source), tmp_path).media.duration_ms)


def test_a_short_video_has_more_than_a_few_pictures(small_footage: Path, folder: Path) -> None:
    made = previews(small_footage, folder)
    assert len(strip_pictures(made)) == 24
    expect_gapless(made, 6_000)


def test_a_video_of_one_picture_has_a_strip_and_a_poster(tmp_path: Path, folder: Path) -> None:
    made = previews(encode(tmp_path / "one.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=0.04"), folder)
    assert [(start, end) for start, end, _ in strip_pictures(made)] == [(0, 40)]
    assert made.poster.stat().st_size > 0


@pytest.mark.parametrize("duration_ms", [40, 5_000, 60_000, 600_000, 3_600_000, 86_400_000])
def test_a_strip_has_at_most_six_hundred_pictures_however_long_the_video(duration_ms: int) -> None:
    assert -(-duration_ms // step_ms(duration_ms)) <= 600
    assert longest_gap_ms(duration_ms) >= 2 * step_ms(duration_ms)


def test_the_first_picture_starts_at_zero_and_the_last_ends_at_the_end() -> None:
    cues = parse_captions(thumbnails_vtt([400, *range(1_000, 101_000, 1_000)], (160, 90), 102_500).encode(), "filmstrip.vtt").cues
    assert (cues[0].start_ms, cues[-1].end_ms) == (0, 102_500)
    assert cues[99].text == "filmstrip-1.webp#xywh=1440,810,160,90"
    assert cues[100].text == "filmstrip-2.webp#xywh=0,0,160,90"


def test_pictures_at_irregular_times_keep_their_times(counted: Path, tmp_path: Path, folder: Path) -> None:
    source = encode(tmp_path / "vfr.mp4", "-t", "30", "-i", str(counted), "-vf", "select='lt(n,60)+not(mod(n,7))'", "-fps_mode", "vfr")
    assert inspect(str(source), folder).media.variable_frame_rate
    cues = strip_pictures(previews(source, folder))
    assert len(cues) >= 24
    assert [read_number(picture) for _, _, picture in cues] == [round(start * RATE / 1000) for start, _, _ in cues]


@pytest.mark.parametrize(
    ("graph", "size"),
    [
        ("testsrc2=s=641x363:d=2,format=yuv444p", (160, 90)),
        ("testsrc2=s=180x320:d=2", (90, 160)),
        ("testsrc2=s=320x240:d=2,setsar=4/3", (160, 90)),
    ],
)
def test_odd_sizes_and_wide_pixels_keep_their_shape(tmp_path: Path, folder: Path, graph: str, size: tuple[int, int]) -> None:
    made = previews(encode(tmp_path / "odd.mkv", "-f", "lavfi", "-i", graph), folder)
    height, width = strip_pictures(made)[0][2].shape
    assert (width, height) == size


@pytest.mark.parametrize("name", ["friday.mp4", "flower.mp4", "tears-of-steel-battle-clip-medium.webm"])
def test_real_footage_has_a_strip_of_the_pictures_that_are_shown(tmp_path: Path, folder: Path, name: str) -> None:
    source = SAMPLES / name
    if not source.exists():
        pytest.skip(f"{source} is not there")
    made = previews(source, folder)
    expect_gapless(made, inspect(str(source), tmp_path).media.duration_ms)
    assert len(strip_pictures(made)) >= 20
    cues = {start: picture for start, _, picture in strip_pictures(made)[1::5]}
    for picture, shown in zip(cues.values(), shown_at(source, list(cues)), strict=True):
        height, width = picture.shape
        smaller = cv2.resize(shown, (width, height), interpolation=cv2.INTER_AREA)
        assert np.abs(smaller.astype(np.float32) - picture.astype(np.float32)).mean() < 6


def shown_at(source: Path, times_ms: list[int]) -> list[np.ndarray]:
    """Return the grey pictures at these times, in order, all decoded from the beginning."""
    found: list[np.ndarray] = []
    with av.open(str(source)) as container:
        for frame in container.decode(video=0):
            if len(found) < len(times_ms) and frame.time * 1000 >= times_ms[len(found)] - 1:
                found.append(frame.to_ndarray(format="gray"))
    return found
