"""A master with its index last becomes one with its index first, otherwise unchanged."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.render.remux import remux
from clipviewer.media.source.inspection import inspect
from clipviewer.media.source.mp4_boxes import MoovPlace
from tests.footage import frame_numbers
from tests.range_server import range_server, send_range


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, small_footage: Path) -> Path:
    """Six seconds with a number in every frame, and the index last."""
    return make(tmp_path_factory.mktemp("remux") / "slow.mp4", "-i", str(small_footage), "-map", "0", "-c", "copy")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder / "master.mp4"


def make(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=60)
    return out


def packets(path: Path) -> list[tuple[str, bytes]]:
    with av.open(str(path)) as container:
        return sorted((packet.stream.type, bytes(packet)) for packet in container.demux() if packet.size)


def test_the_copy_starts_at_once_and_holds_the_same_pictures_and_sound(slow: Path, out: Path) -> None:
    told: list[float] = []
    assert inspect(str(slow), out.parent).slow_to_start
    made = remux(Ffmpeg(), str(slow), out, on_progress=told.append)
    assert made.moov is MoovPlace.FIRST
    assert made == inspect(str(out), out.parent)
    assert frame_numbers(out) == frame_numbers(slow)
    assert packets(out) == packets(slow)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert list(out.parent.iterdir()) == [out]


def test_a_master_in_the_store_is_copied(slow: Path, out: Path) -> None:
    with range_server(slow.read_bytes(), send_range) as address:
        remux(Ffmpeg(), address, out)
    assert packets(out) == packets(slow)
    assert list(out.parent.iterdir()) == [out]


def test_a_rotated_master_stays_rotated(slow: Path, tmp_path: Path, out: Path) -> None:
    turned = make(tmp_path / "turned.mp4", "-display_rotation", "-90", "-i", str(slow), "-c", "copy")
    assert remux(Ffmpeg(), str(turned), out).media.rotation == 90


def test_captions_in_the_master_are_kept(slow: Path, tmp_path: Path, out: Path) -> None:
    captions = tmp_path / "captions.srt"
    captions.write_text("1\n00:00:00,500 --> 00:00:02,000\nHello.\n", encoding="utf-8")
    tracks = ["-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text", "-metadata:s:s:0", "language=deu"]
    told = make(tmp_path / "told.mp4", "-i", str(slow), "-i", str(captions), *tracks)
    assert [track.language for track in remux(Ffmpeg(), str(told), out).captions] == ["deu"]


def test_footage_that_does_not_fit_into_an_mp4_is_refused_with_what_to_do(tmp_path: Path, out: Path) -> None:
    source = make(tmp_path / "raw.mov", "-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", "-c:v", "prores_ks")
    with pytest.raises(MediaError, match=r"do not fit into an mp4: convert it"):
        remux(Ffmpeg(), str(source), out)
    assert list(out.parent.iterdir()) == []


def test_cancelling_leaves_nothing_behind(slow: Path, out: Path) -> None:
    with pytest.raises(MediaCancelled):
        remux(Ffmpeg(), str(slow), out, cancelled=lambda: True)
    assert list(out.parent.iterdir()) == []


def test_a_failed_copy_leaves_the_previous_one_alone(tmp_path: Path, out: Path) -> None:
    out.write_bytes(b"the one before")
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    with pytest.raises(MediaError):
        remux(Ffmpeg(), str(bad), out)
    assert out.read_bytes() == b"the one before"
    assert list(out.parent.iterdir()) == [out]
