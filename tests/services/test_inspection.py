"""What is known of a master before it is played: layout, sound, and embedded captions."""

from __future__ import annotations

import socket
from fractions import Fraction
from pathlib import Path

import pytest

from clipviewer.errors import ObjectMissing
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.source.inspection import EmbeddedCaptions, Inspection, inspect
from clipviewer.media.source.mp4_boxes import MoovPlace, moov_place
from clipviewer.media.source.probe import probe
from tests.range_server import range_server, refuse_with, send_range

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=4", "-g", "25", "-pix_fmt", "yuv420p"]
SOUND = ["-f", "lavfi", "-i", "sine=r=44100:d=4", "-ac", "2"]
SAMPLES = Path(__file__).parents[3] / "shared/samples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inspection")


@pytest.fixture(scope="module")
def master(folder: Path) -> Path:
    """A master with its index last, as ffmpeg writes an mp4 by default."""
    return make(folder / "master.mp4", *PICTURE[:4], *SOUND, *PICTURE[4:])


def make(out: Path, *args: str) -> Path:
    Ffmpeg().run([*args, "-y", str(out)], timeout=60)
    return out


def look(source: Path | str, folder: Path) -> Inspection:
    return inspect(str(source), folder)


def test_a_master_is_described_and_nothing_is_left_behind(master: Path, tmp_path: Path) -> None:
    found = look(master, tmp_path)
    assert found.media == probe(master)
    assert (found.audio_channels, found.audio_rate) == (2, 44_100)
    assert found.size == master.stat().st_size
    assert found.bit_rate == pytest.approx(found.size * 8 / 4, rel=0.05)
    assert found.keyframe_ms == 1_000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "place"),
    [
        ("+faststart", MoovPlace.FIRST),
        ("+frag_keyframe+empty_moov", MoovPlace.FRAGMENTED),
        ("+faststart+use_metadata_tags", MoovPlace.FIRST),
    ],
)
def test_the_position_of_the_index_is_reported(master: Path, tmp_path: Path, flags: str, place: MoovPlace) -> None:
    found = look(make(tmp_path / "other.mp4", "-i", str(master), "-c", "copy", "-movflags", flags), tmp_path)
    assert (found.moov, found.slow_to_start) == (place, False)
    assert found.media.frame_rate == Fraction(25)


def test_an_index_at_the_end_is_slow_to_start(master: Path, tmp_path: Path) -> None:
    found = look(master, tmp_path)
    assert (found.moov, found.slow_to_start) == (MoovPlace.LAST, True)


@pytest.mark.parametrize("name", ["other.mkv", "other.ts"])
def test_only_an_mp4_has_an_index_position(master: Path, tmp_path: Path, name: str) -> None:
    found = look(make(tmp_path / name, "-i", str(master), "-c", "copy"), tmp_path)
    assert (found.moov, found.slow_to_start) == (MoovPlace.NONE, False)


def test_finding_the_index_reads_only_a_few_headers() -> None:
    asked: list[int] = []
    large = 40 * 1024**3
    boxes = {
        0: (24).to_bytes(4) + b"ftypisom" + bytes(4),
        24: (1).to_bytes(4) + b"mdat" + (large - 1024).to_bytes(8),
        large - 1000: (1000).to_bytes(4) + b"moov" + bytes(8),
    }

    def read(offset: int, count: int) -> bytes:
        asked.append(count)
        return boxes[offset][:count]

    assert moov_place(read, large) is MoovPlace.LAST
    assert sum(asked) <= 48


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 64, b"\0\0\0\x08ftyp" * 200, b"\0\0\0\x01ftyp" + b"\0" * 8, b"\0\0\0\x01ftyp" + b"\xff" * 8, b"RIFF" * 10],
    ids=["empty", "zeros", "endless", "no length", "beyond the end", "another kind"],
)
def test_malformed_boxes_end_the_search(data: bytes) -> None:
    assert moov_place(lambda offset, count: data[offset : offset + count], len(data)) is MoovPlace.NONE


def test_caption_tracks_are_listed_with_their_language_and_whether_they_are_text(master: Path, tmp_path: Path) -> None:
    captions = tmp_path / "captions.srt"
    captions.write_text("1\n00:00:00,500 --> 00:00:02,000\nHello.\n", encoding="utf-8")
    tracks = ["-i", str(captions), "-map", "0", "-map", "1", "-map", "1", "-c", "copy", "-metadata:s:s:0", "language=deu"]
    in_mp4 = look(make(tmp_path / "captions.mp4", "-i", str(master), *tracks, "-c:s", "mov_text"), tmp_path)
    assert in_mp4.captions == (EmbeddedCaptions(0, "deu", "mov_text", True), EmbeddedCaptions(1, "", "mov_text", True))
    in_mkv = look(make(tmp_path / "captions.mkv", "-i", str(master), *tracks, "-c:s", "ass"), tmp_path)
    assert [(track.codec, track.usable) for track in in_mkv.captions] == [("ass", True)] * 2


def test_bitmap_captions_are_not_usable(master: Path, tmp_path: Path) -> None:
    (tmp_path / "disc.sup").write_bytes(b"".join(b"PG" + (90_000 * second).to_bytes(4) + bytes(4) + b"\x80\0\0" for second in range(4)))
    disc = ["-f", "sup", "-i", str(tmp_path / "disc.sup")]
    source = make(tmp_path / "disc.mkv", "-i", str(master), *disc, "-map", "0", "-map", "1", "-c", "copy")
    assert [(track.codec, track.usable) for track in look(source, tmp_path).captions] == [("hdmv_pgs_subtitle", False)]


def test_colours_are_named(tmp_path: Path) -> None:
    tagged = "testsrc2=s=320x180:d=1,format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    found = look(make(tmp_path / "hdr.mkv", "-f", "lavfi", "-i", tagged, "-c:v", "libx265", "-x265-params", "log-level=none"), tmp_path)
    assert (found.colour_primaries, found.colour_transfer, found.media.hdr) == ("bt2020", "smpte2084", True)


def test_a_silent_master_has_no_channels(tmp_path: Path) -> None:
    found = look(make(tmp_path / "silent.mp4", *PICTURE), tmp_path)
    assert (found.media.has_audio, found.audio_channels, found.audio_rate) == (False, 0, 0)


@pytest.mark.parametrize("gop", [10, 1_000])
def test_the_longest_keyframe_interval_is_reported(tmp_path: Path, gop: int) -> None:
    found = look(make(tmp_path / "gop.mp4", *PICTURE, "-g", str(gop), "-sc_threshold", "0"), tmp_path)
    assert found.keyframe_ms == min(gop * 40, 4_000)


def test_a_master_in_the_store_is_described_by_few_of_its_bytes(tmp_path: Path) -> None:
    graph = "color=gray:s=480x270:r=25:d=10,noise=alls=60:allf=t,format=yuv420p"
    master = make(tmp_path / "noise.mp4", "-f", "lavfi", "-i", graph, "-preset", "ultrafast", "-qp", "20")
    sent: list[int] = []
    folder = tmp_path / "kept"
    folder.mkdir()

    def counted(handler: object, data: bytes, first: int, last: int) -> None:
        sent.append(last - first + 1)
        send_range(handler, data, first, last)  # type: ignore[arg-type]

    with range_server(master.read_bytes(), counted) as address:
        assert look(address, folder) == look(master, folder)
    assert master.stat().st_size > 10_000_000
    assert sum(sent) < 2_000_000
    assert list(folder.iterdir()) == []


def test_a_master_missing_from_the_store_is_reported(tmp_path: Path) -> None:
    with range_server(b"", refuse_with(404)) as address, pytest.raises(ObjectMissing, match="no longer in the bucket"):
        look(address, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_cancelling_ends_the_wait_for_a_slow_store(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MediaCancelled):
        inspect(f"http://127.0.0.1:{silent.getsockname()[1]}/master.mp4", tmp_path, cancelled=lambda: True)


BAD = {
    "empty": b"",
    "text": b"Dear Anna,\nplease find attached.\n" * 100,
    "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/segment.ts\n#EXT-X-ENDLIST\n",
    "only a beginning": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_file_that_is_no_video_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="video file cannot be read"):
        look(path, tmp_path)


@pytest.mark.parametrize(
    ("name", "container", "moov", "rate"),
    [
        ("friday.mp4", "mp4", MoovPlace.FIRST, Fraction(30)),
        ("flower.mp4", "mp4", MoovPlace.FIRST, Fraction(30_000, 1_001)),
        ("tears-of-steel-battle-clip-medium.webm", "webm", MoovPlace.NONE, Fraction(24)),
    ],
)
def test_real_footage_is_described(tmp_path: Path, name: str, container: str, moov: MoovPlace, rate: Fraction) -> None:
    if not (SAMPLES / name).exists():
        pytest.skip(f"{SAMPLES / name} is not there")
    found = look(SAMPLES / name, tmp_path)
    assert container in found.container.split(",")
    assert (found.moov, found.media.frame_rate, found.audio_channels) == (moov, rate, 2)
