"""Probing files, and the errors for bad ones."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.source.media_info import MediaInfo
from clipviewer.media.source.probe import probe

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30000/1001:d=2"]
TONE = ["-f", "lavfi", "-i", "sine=d=2"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(
        tmp_path_factory.mktemp("probe") / "sample.mp4", *PICTURE, *TONE, "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart"
    )


def test_a_video_is_described(sample: Path) -> None:
    info = probe(sample)
    assert info == MediaInfo(info.duration_ms, 320, 180, Fraction(30_000, 1_001), 0, "h264", "aac")
    assert abs(info.duration_ms - 2_000) <= 34
    assert info.has_audio


def test_a_video_is_described_over_http_too(sample: Path) -> None:
    with _served(sample.parent) as address:
        assert probe(f"{address}/{sample.name}") == probe(sample)


def test_a_container_that_counts_in_finer_steps_than_pictures_has_the_rate_of_its_pictures(sample: Path, tmp_path: Path) -> None:
    info = probe(_make(tmp_path / "copied.avi", "-i", str(sample), "-c", "copy"))
    assert info.frame_rate == Fraction(30_000, 1_001)
    assert not info.variable_frame_rate


def test_a_silent_video_has_no_audio(tmp_path: Path) -> None:
    assert not probe(_make(tmp_path / "silent.mp4", *PICTURE)).has_audio


@pytest.mark.parametrize(("turned", "rotation", "size"), [(-90, 90, (180, 320)), (90, 270, (180, 320)), (180, 180, (320, 180))])
def test_a_rotated_video_has_the_size_that_is_shown(
    sample: Path, tmp_path: Path, turned: int, rotation: int, size: tuple[int, int]
) -> None:
    info = probe(_make(tmp_path / "turned.mp4", "-display_rotation", str(turned), "-i", str(sample), "-c", "copy"))
    assert (info.rotation, info.width, info.height) == (rotation, *size)


def test_wide_pixels_count_as_wide(tmp_path: Path) -> None:
    assert probe(_make(tmp_path / "wide.mp4", *PICTURE, "-vf", "setsar=4/3")).width == 427


def test_a_file_without_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no picture"):
        probe(_make(tmp_path / "tone.wav", *TONE))


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0" * 4096, b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"])
def test_a_file_that_is_no_video_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="video file cannot be read"):
        probe(path)


def test_a_missing_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="missing"):
        probe(tmp_path / "nothing.mp4")


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{url}'\n",
    "dash": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
    'bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
}


@pytest.mark.parametrize("name", ["playlist.mp4", "playlist.m3u8"])
@pytest.mark.parametrize("playlist", PLAYLISTS)
@pytest.mark.parametrize("over_http", [False, True], ids=["from a file", "over HTTP"])
def test_a_playlist_makes_no_request_whatever_it_calls_itself(tmp_path: Path, playlist: str, name: str, over_http: bool) -> None:
    path = tmp_path / name
    with socket.create_server(("127.0.0.1", 0)) as canary, _served(tmp_path) as address:
        path.write_text(PLAYLISTS[playlist].format(url=f"http://127.0.0.1:{canary.getsockname()[1]}/segment.ts"))
        with pytest.raises(MediaError):
            probe(f"{address}/{name}" if over_http else path)
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder)) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _make(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=60)
    return out
