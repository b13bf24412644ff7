"""What a file says of itself, and what a bad one is answered."""

from __future__ import annotations

import socket
from fractions import Fraction
from pathlib import Path

import pytest

from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.probe import MediaInfo, probe

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30000/1001:d=2"]
TONE = ["-f", "lavfi", "-i", "sine=d=2"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("probe") / "sample.mp4", *PICTURE, *TONE, "-pix_fmt", "yuv420p", "-c:a", "aac")


def test_a_video_is_described(sample: Path) -> None:
    info = probe(sample)
    assert info == MediaInfo(info.duration_ms, 320, 180, Fraction(30_000, 1_001), 0, "h264", "aac")
    assert abs(info.duration_ms - 2_000) <= 34
    assert info.has_audio


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
    with pytest.raises(MediaError, match="no video file that can be read"):
        probe(path)


def test_a_missing_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="missing"):
        probe(tmp_path / "nothing.mp4")


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{url}'\n",
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
        'bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    ],
    ids=["hls", "concat", "dash"],
)
def test_a_playlist_that_calls_itself_a_video_makes_no_request(tmp_path: Path, playlist: str) -> None:
    path = tmp_path / "playlist.mp4"
    with socket.create_server(("127.0.0.1", 0)) as canary:
        path.write_text(playlist.format(url=f"http://127.0.0.1:{canary.getsockname()[1]}/segment.ts"))
        with pytest.raises(MediaError):
            probe(path)
        canary.setblocking(False)
        with pytest.raises(BlockingIOError):
            canary.accept()


def _make(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=60)
    return out
