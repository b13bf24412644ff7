"""Caption tracks inside a video file, written by ffmpeg."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipviewer.media.captions.embedded import EmbeddedTrack, extract_captions
from clipviewer.media.captions.track_language import language_of_code
from clipviewer.media.captions.tracks import Cue
from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from tests.range_server import range_server, send_range

GERMAN = "1\n00:00:00,500 --> 00:00:01,500\n<i>Eins</i> & {\\an8}zwei\n\n2\n00:00:02,000 --> 00:00:03,000\n5 < 6\n"
FOREIGN = "1\n00:00:01,000 --> 00:00:02,000\nOne\n"
PICTURE = ("-f", "lavfi", "-i", "color=s=64x64:d=4:r=10")


def video(path: Path, *options: str) -> Path:
    """Four seconds with a German track and one without a language."""
    german, foreign = path.with_suffix(".1.srt"), path.with_suffix(".2.srt")
    german.write_text(GERMAN)
    foreign.write_text(FOREIGN)
    maps = ("-i", f"file:{german}", "-i", f"file:{foreign}", "-map", "0", "-map", "1", "-map", "2")
    named = ("-metadata:s:s:0", "language=ger", "-metadata:s:s:0", "title=Untertitel")
    Ffmpeg().run([*PICTURE, *maps, *named, "-c:v", "libx264", *options, f"file:{path}"], timeout=60)
    return path


def summary(found: list[EmbeddedTrack]) -> list[tuple[str | None, tuple[Cue, ...]]]:
    return [(track.language, track.track.cues if track.track else ()) for track in found]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", ("-c:s", "mov_text")),
        ("a.mkv", ("-c:s", "srt")),
        ("b.mkv", ("-c:s:0", "ass", "-c:s:1", "webvtt")),
        ("c.mp4", ("-c:s", "mov_text", "-bf", "0", "-movflags", "frag_keyframe+empty_moov")),
    ],
)
def test_text_tracks_of_any_kind_are_read_in_the_order_of_the_file(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    found = extract_captions(Ffmpeg(), str(video(tmp_path / name, *options)), tmp_path)
    german = (Cue(500, 1_500, "Eins & zwei"), Cue(2_000, 3_000, "5 < 6"))
    assert summary(found) == [("de", german), (None, (Cue(1_000, 2_000, "One"),))]
    assert {track.problem for track in found} == {""}


def test_a_track_has_the_title_from_the_file(tmp_path: Path) -> None:
    found = extract_captions(Ffmpeg(), str(video(tmp_path / "a.mkv", "-c:s", "srt")), tmp_path)
    assert [track.name for track in found] == ["Untertitel", "Track 2"]


def test_bitmap_captions_are_reported_as_not_usable(tmp_path: Path) -> None:
    found = extract_captions(Ffmpeg(), str(with_bitmap_track(tmp_path)), tmp_path)
    assert [(track.language, track.track) for track in found] == [("en", None)]
    assert "pictures, not text" in found[0].problem


def with_bitmap_track(folder: Path) -> Path:
    """Make a video with an English track as on a Blu-ray; the track holds no picture, since ffmpeg makes none from text."""
    raw, path = folder / "track.sup", folder / "bitmap.mkv"
    raw.write_bytes(_segment(0x16, b"\0\x40\0\x40\x10\0\0\x80\0\0\0") + _segment(0x80, b""))
    maps = ("-f", "sup", "-i", f"file:{raw}", "-map", "0", "-map", "1", "-c:v", "libx264", "-c:s", "copy")
    Ffmpeg().run([*PICTURE, *maps, "-metadata:s:s:0", "language=eng", f"file:{path}"], timeout=60)
    return path


def _segment(kind: int, data: bytes) -> bytes:
    """Return one segment of a Presentation Graphic Stream, shown from the start."""
    return b"PG" + bytes(8) + bytes([kind]) + len(data).to_bytes(2) + data


def test_a_video_without_captions_has_none(tmp_path: Path) -> None:
    Ffmpeg().run([*PICTURE, "-c:v", "libx264", f"file:{tmp_path / 'a.mp4'}"], timeout=60)
    assert extract_captions(Ffmpeg(), str(tmp_path / "a.mp4"), tmp_path) == []


def test_an_empty_track_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "blank.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n<b></b>\n")
    (tmp_path / "real.srt").write_text(FOREIGN)
    inputs = ("-i", f"file:{tmp_path / 'blank.srt'}", "-i", f"file:{tmp_path / 'real.srt'}", "-map", "0", "-map", "1", "-map", "2")
    Ffmpeg().run([*PICTURE, *inputs, "-c:v", "libx264", "-c:s", "srt", f"file:{tmp_path / 'a.mkv'}"], timeout=60)
    blank, real = extract_captions(Ffmpeg(), str(tmp_path / "a.mkv"), tmp_path)
    assert (blank.track, "no captions" in blank.problem or "neither" in blank.problem) == (None, True)
    assert real.track is not None


def test_nothing_is_left_on_the_disk(tmp_path: Path) -> None:
    source = str(video(tmp_path / "a.mkv", "-c:s", "srt"))
    room = tmp_path / "room"
    room.mkdir()
    extract_captions(Ffmpeg(), source, room)
    assert list(room.iterdir()) == []


def test_a_master_in_the_store_is_read_by_its_url(tmp_path: Path) -> None:
    data = video(tmp_path / "a.mkv", "-c:s", "srt").read_bytes()
    with range_server(data, send_range) as url:
        assert [track.language for track in extract_captions(Ffmpeg(), url, tmp_path)] == ["de", None]


@pytest.mark.parametrize("content", [b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", b"no video", b""])
def test_a_file_that_is_not_a_video_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(MediaError, match="video file cannot be read"):
        extract_captions(Ffmpeg(), str(tmp_path / "a.mp4"), tmp_path)


@pytest.mark.parametrize(
    ("code", "tag"), [("deu", "de"), ("ger", "de"), ("fra", "fr"), ("zho", "zh"), ("und", None), ("xyz", None), (None, None)]
)
def test_both_kinds_of_three_letter_codes_name_a_language(code: str | None, tag: str | None) -> None:
    assert language_of_code(code) == tag
