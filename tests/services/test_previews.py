"""Previews of a video: the poster shows something, the waveform follows the sound, and a failure leaves nothing behind."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from clipviewer.errors import ObjectMissing
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.previews.previews import THUMB_HEIGHT, THUMB_WIDTH, Previews, make_previews
from clipviewer.media.previews.waveform import SAMPLE_RATE
from clipviewer.media.source.inspection import inspect
from tests.preview_footage import counted_footage, encode, previews, strip_pictures
from tests.range_server import range_server, refuse_with, send_range


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return counted_footage(tmp_path_factory.mktemp("footage") / "counted.mp4", 60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "previews"
    path.mkdir()
    return path


def levels(made: Previews) -> list[int]:
    assert made.waveform is not None
    content = json.loads(made.waveform.read_text())
    assert (content["version"], content["seconds_per_peak"]) == (1, 0.1)
    return content["peaks"]


@pytest.mark.parametrize("turned", [-90, 90, 180])
def test_a_rotated_video_stands_upright(tmp_path: Path, folder: Path, turned: int) -> None:
    graph = "color=black:s=640x360:d=2,drawbox=w=640:h=180:c=white:t=fill,format=yuv420p"
    flat = encode(tmp_path / "flat.mp4", "-f", "lavfi", "-i", graph)
    made = previews(encode(tmp_path / "turned.mp4", "-display_rotation", str(turned), "-i", str(flat), "-c", "copy"), folder)
    expected = {-90: ((0.9, 0.5), (0.1, 0.5)), 90: ((0.1, 0.5), (0.9, 0.5)), 180: ((0.5, 0.9), (0.5, 0.1))}[turned]
    poster = cv2.imread(str(made.poster), cv2.IMREAD_GRAYSCALE)
    assert poster.shape == ((360, 640) if turned == 180 else (640, 360))
    for picture in (poster, strip_pictures(made)[0][2]):
        white, black = (picture[int(picture.shape[0] * y), int(picture.shape[1] * x)] for x, y in expected)
        assert (white > 200, black < 50) == (True, True)


def test_the_poster_is_not_black_where_the_video_begins_and_ends_black(tmp_path: Path, folder: Path) -> None:
    graph = "testsrc2=s=320x180:r=5:d=40,fade=in:st=15:d=1,fade=out:st=22:d=1"
    made = previews(encode(tmp_path / "dark.mp4", "-f", "lavfi", "-i", graph, "-g", "5"), folder)
    assert 15_500 <= made.poster_ms <= 22_500
    assert cv2.imread(str(made.poster), cv2.IMREAD_GRAYSCALE).mean() > 60


def test_the_poster_is_not_the_blurred_one(tmp_path: Path, folder: Path) -> None:
    graph = "testsrc2=s=320x180:r=5:d=24,gblur=sigma=10:enable='lt(t,16)'"
    assert previews(encode(tmp_path / "blurred.mp4", "-f", "lavfi", "-i", graph, "-g", "5"), folder).poster_ms >= 16_000


def test_the_poster_is_at_most_1280_wide_and_keeps_its_colours(tmp_path: Path, folder: Path) -> None:
    tagged = "color=0xc02030:s=1920x1080:d=2,scale=out_color_matrix=bt709,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    made = previews(encode(tmp_path / "red.mp4", "-f", "lavfi", "-i", f"{tagged},format=yuv420p", "-preset", "ultrafast"), folder)
    poster = cv2.imread(str(made.poster))
    assert poster.shape == (720, 1280, 3)
    sheet = cv2.imread(str(made.sheets[0]))
    for picture in (poster, sheet):
        assert picture[40, 40].tolist() == pytest.approx([0x30, 0x20, 0xC0], abs=6)


def test_hdr_footage_is_shown_as_every_screen_shows_it(tmp_path: Path, folder: Path) -> None:
    tagged = "testsrc2=s=320x180:d=2,format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    source = encode(tmp_path / "hdr.mkv", "-f", "lavfi", "-i", tagged, "-c:v", "libx265", "-x265-params", "log-level=none")
    assert inspect(str(source), folder).media.hdr
    made = previews(source, folder)
    assert cv2.imread(str(made.poster)).shape == (180, 320, 3)
    assert len(strip_pictures(made)) >= 15


def test_the_waveform_follows_the_sound(tmp_path: Path, folder: Path) -> None:
    loud, quiet = "between(mod(t,4),0,1)", "between(mod(t,4),2,3)"
    sound = f"aevalsrc='sin(880*PI*t)*(0.8*{loud}+0.2*{quiet})':s=44100:d=8"
    source = encode(tmp_path / "tones.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=8", "-f", "lavfi", "-i", sound, "-c:a", "flac")
    found = levels(previews(source, folder))
    assert len(found) == 80
    for second, level in enumerate([100, 0, 25, 0, 100, 0, 25, 0]):
        assert found[second * 10 + 1 : second * 10 + 9] == pytest.approx([level] * 8, abs=2)


def test_sound_that_begins_late_and_ends_early_keeps_its_place(tmp_path: Path, folder: Path) -> None:
    late = ["-itsoffset", "2", "-f", "lavfi", "-i", "sine=d=3"]
    made = previews(encode(tmp_path / "late.mkv", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=8", *late, "-c:a", "flac"), folder)
    found = levels(made)
    assert len(found) == 80
    assert [index for index, level in enumerate(found) if level > 50] == list(range(20, 50))
    assert made.work.sound is not None
    samples = np.fromfile(made.work.sound, "<i2")
    assert np.flatnonzero(np.abs(samples) > 500)[0] / SAMPLE_RATE == pytest.approx(2, abs=0.05)


def test_silence_is_drawn_as_silence(tmp_path: Path, folder: Path) -> None:
    noise = "anoisesrc=a=0.0001:d=2"
    source = encode(tmp_path / "noise.mkv", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=2", "-f", "lavfi", "-i", noise, "-c:a", "flac")
    assert max(levels(previews(source, folder))) <= 5


def test_a_video_without_sound_has_no_waveform(tmp_path: Path, folder: Path) -> None:
    made = previews(encode(tmp_path / "silent.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=2"), folder)
    assert (made.waveform, made.work.sound) == (None, None)
    assert sorted(path.name for path in folder.iterdir()) == ["filmstrip-1.webp", "filmstrip.vtt", "poster.jpg", "thumbs.gray"]


def test_a_search_finds_sound_and_grey_pictures_with_their_times(counted: Path, folder: Path) -> None:
    work = previews(counted, folder).work
    assert work.thumb_times_ms == tuple(range(0, 60_000, 2_000))
    assert work.thumbs.stat().st_size == 30 * THUMB_WIDTH * THUMB_HEIGHT
    assert work.sound is not None
    assert work.sound.stat().st_size == pytest.approx(60 * SAMPLE_RATE * 2, rel=0.001)


def test_a_video_in_the_store_is_read_once(counted: Path, folder: Path) -> None:
    told: list[float] = []
    with range_server(counted.read_bytes(), send_range) as address:
        made = previews(address, folder, on_progress=told.append)
    assert len(strip_pictures(made)) == 30
    assert made.source_bytes == pytest.approx(counted.stat().st_size, rel=0.1)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert {path.suffix for path in folder.iterdir()} == {".jpg", ".webp", ".vtt", ".json", ".pcm", ".gray"}


def test_cancelling_stops_within_a_second_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    graph = "testsrc2=s=1280x720:r=25:d=10"
    piece = encode(tmp_path / "piece.mp4", "-f", "lavfi", "-i", graph, "-preset", "ultrafast", "-g", "9999", "-sc_threshold", "0")
    source = encode(tmp_path / "long.mp4", "-stream_loop", "19", "-i", str(piece), "-c", "copy")
    begun: list[float] = []

    def note(share: float) -> None:
        if share > 0 and not begun:
            begun.append(time.monotonic())

    with pytest.raises(MediaCancelled):
        previews(source, folder, on_progress=note, cancelled=lambda: bool(begun))
    assert time.monotonic() - begun[0] < 1
    assert list(folder.iterdir()) == []


def test_cancelling_while_the_store_hangs_leaves_nothing(counted: Path, folder: Path) -> None:
    info = inspect(str(counted), folder)
    asked_until = time.monotonic() + 0.5
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/master.mp4"
        with pytest.raises(MediaCancelled):
            make_previews(Ffmpeg(), address, info, folder, cancelled=lambda: time.monotonic() > asked_until)
    assert list(folder.iterdir()) == []


def test_a_video_missing_from_the_store_is_reported(counted: Path, folder: Path) -> None:
    info = inspect(str(counted), folder)
    with range_server(b"", refuse_with(404)) as address, pytest.raises(ObjectMissing, match="no longer in the bucket"):
        make_previews(Ffmpeg(), address, info, folder)
    assert list(folder.iterdir()) == []


def test_a_damaged_video_is_refused_with_a_sentence(counted: Path, tmp_path: Path, folder: Path) -> None:
    data = bytearray(counted.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 10] = bytes(len(data) // 10)
    source = tmp_path / "damaged.mp4"
    source.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"):
        previews(source, folder)
    assert list(folder.iterdir()) == []


def test_a_playlist_in_a_videos_place_makes_no_request(counted: Path, tmp_path: Path, folder: Path) -> None:
    info = inspect(str(counted), folder)
    source = tmp_path / "replaced.mp4"
    with socket.create_server(("127.0.0.1", 0)) as canary:
        source.write_text(
            f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:{canary.getsockname()[1]}/segment.ts\n#EXT-X-ENDLIST\n"
        )
        with pytest.raises(MediaError):
            make_previews(Ffmpeg(), str(source), info, folder)
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert list(folder.iterdir()) == []
