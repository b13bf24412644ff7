from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.media.captions.fonts import CaptionFont
from clipviewer.media.captions.reading import MAX_BYTES, MAX_CUE_CHARACTERS, MAX_CUES, clean_text
from clipviewer.media.captions.tracks import (
    CaptionsUnreadable,
    CaptionTrack,
    Cue,
    is_right_to_left,
    parse_captions,
    slice_track,
    to_ass,
    to_srt,
    to_webvtt,
)

FRIDAY = Path(__file__).parents[3] / "shared" / "samples" / "friday.vtt"

texts = st.text(max_size=60).map(clean_text).filter(bool)
cues = st.builds(lambda start, length, text: Cue(start, start + length, text), st.integers(0, 90_000), st.integers(1, 9_000), texts)
tracks = st.lists(cues, min_size=1, max_size=12).map(lambda found: CaptionTrack(tuple(sorted(found, key=lambda c: (c.start_ms, c.end_ms)))))
hostile = st.text(alphabet="ab12 \n<>{}\\/&;:-.,it!én\u0301ש", max_size=60).map(clean_text).filter(bool)
hostile_tracks = st.lists(hostile, min_size=1, max_size=6).map(
    lambda found: CaptionTrack(tuple(Cue(1_000 * index, 1_000 * index + 800, text) for index, text in enumerate(found)))
)


def _read(text: str | bytes, name: str = "talk.vtt") -> list[tuple[int, int, str]]:
    track = parse_captions(text if isinstance(text, bytes) else text.encode(), name)
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in track.cues]


def test_webvtt_blocks_other_than_captions_are_ignored() -> None:
    assert _read(
        "WEBVTT - A talk\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred\n\nNOTE\nnot shown\n\n"
        "intro\n01:02.500 --> 01:04.000 line:80% align:start\n<v Roger>Tom &amp; Jerry&nbsp;&lt;live&gt;</v>\n<c.loud>now</c> "
        "<00:01:03.000><b>here</b>\n\n"
        "1:00:00.000 --> 1:00:01.000\n<ruby>漢<rt>kan</rt></ruby>字\n"
    ) == [(62_500, 64_000, "Tom & Jerry <live>\nnow here"), (3_600_000, 3_601_000, "漢字")]


def test_a_caption_that_ends_with_a_number_keeps_it() -> None:
    assert _read("WEBVTT\n\n00:01.000 --> 00:02.000\nRoom\n101\n\n00:03.000 --> 00:04.000\n3\n") == [
        (1_000, 2_000, "Room\n101"),
        (3_000, 4_000, "3"),
    ]
    assert _read("1\n00:00:01,000 --> 00:00:02,000\nRoom\n101\n\n2\n00:00:03,000 --> 00:00:04,000\nIn the year\n2025\n", "a.srt") == [
        (1_000, 2_000, "Room\n101"),
        (3_000, 4_000, "In the year\n2025"),
    ]


def test_malformed_srt_is_read_leniently() -> None:
    assert _read(
        '\n 7 \n 0:00:03,5-->00:00:04.25  X1:1 X2:2\n<font color="red">{\\an8}Up <I>there</I></font>\n\nafter a gap\n8\n'
        "00:00:01 , 000 --> 00:00:02\n\t5 < 6 {y:i}and <3\n00:00:05,000 --> 00:00:06,000\n\n9\n00:00:07,000 --> 00:00:08,000\nlast",
        "a.srt",
    ) == [(1_000, 2_000, "5 < 6 and <3"), (3_500, 4_250, "Up there\nafter a gap"), (7_000, 8_000, "last")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_unicode_encoding_and_line_end_is_read(encoding: str, newline: str) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nЁжик\nне пришёл\n".replace("\n", newline)
    assert _read(text.encode(encoding)) == [(1_000, 2_000, "Ёжик\nне пришёл")]


def test_captions_without_valid_times_are_counted_and_skipped() -> None:
    track = parse_captions(
        b"WEBVTT\n\n00:02.000 --> 00:01.000\nbackwards\n\n00:61.000 --> 00:62.000\nno such second\n\nsoon --> later\nno times\n\n"
        b"9999:00:00.000 --> 9999:00:01.000\nlonger than a week\n\n00:01.000 --> 00:02.000\nfine\n",
        "a.vtt",
    )
    assert [cue.text for cue in track.cues] == ["fine"]
    assert track.skipped == 4


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "neither WebVTT nor SubRip"),
        (b"%PDF-1.7 whatever", "neither WebVTT nor SubRip"),
        (b"[Script Info]\nDialogue: 0,0:00:01.00,0:00:02.00,x", "neither WebVTT nor SubRip"),
        (b"WEBVTT\n", "no captions"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "no captions"),
        ("1\n00:00:01,000 --> 00:00:02,000\nПривет".encode("cp1251"), "UTF-8"),
        (b"\xff\xfeW", "UTF-8"),
        (b" " * (MAX_BYTES + 1), "5 MB"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + b"a" * (MAX_CUE_CHARACTERS + 1), "2,000 characters"),
        (b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\na\n\n" * (MAX_CUES + 1), "20,000 captions"),
    ],
)
def test_an_invalid_caption_file_is_refused_with_one_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(CaptionsUnreadable, match=reason) as caught:
        parse_captions(data, "../../etc/talk\r\n.vtt")
    assert caught.value.detail.startswith("“talk.vtt” ")
    assert re.fullmatch(r"[^\n]+[^.\n]\.", caught.value.detail)


@pytest.mark.parametrize("part", ["<rt", "<b ", "{\\", "<ruby><rt>", "&lt", "00:00", "0 ", "-->", "\n"])
def test_parsing_is_fast_for_a_file_made_to_be_slow(part: str) -> None:
    for head in ("WEBVTT\n\n00:01.000 --> 00:02.000\n", "00:00:01,000 --> 00:00:02,000\n"):
        started = time.process_time()
        with pytest.raises(CaptionsUnreadable):
            parse_captions((head + part * (1_000_000 // len(part))).encode(), "a.vtt")
        assert time.process_time() - started < 5


@given(st.binary(max_size=400))
def test_any_bytes_are_parsed_or_refused_with_a_sentence(data: bytes) -> None:
    for head in (b"", b"WEBVTT\n\n00:01.000 --> 00:02.000\n", b"00:00:01,000 --> 00:00:02,000\n"):
        with suppress(CaptionsUnreadable):
            assert parse_captions(head + data, "a.vtt").cues


@given(st.text(max_size=80))
def test_cleaning_is_idempotent(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)
    assert "" not in clean_text(text).split("\n")[1:]


@given(tracks | hostile_tracks)
def test_a_written_webvtt_file_reads_as_the_same_track(track: CaptionTrack) -> None:
    assert parse_captions(to_webvtt(track).encode(), "a.vtt") == track


@given(tracks | hostile_tracks)
def test_a_written_srt_file_reads_as_the_same_track(track: CaptionTrack) -> None:
    assert parse_captions(to_srt(track).encode(), "a.srt") == track


@given(tracks, st.integers(0, 90_000), st.integers(1, 30_000))
def test_a_slice_holds_exactly_the_captions_shown_in_the_clip(track: CaptionTrack, start: int, length: int) -> None:
    part = slice_track(track, start, start + length)
    assert all(0 <= cue.start_ms < cue.end_ms <= length for cue in part.cues)
    inside = [cue for cue in track.cues if start <= cue.start_ms and cue.end_ms <= start + length]
    assert {Cue(cue.start_ms - start, cue.end_ms - start, cue.text) for cue in inside} <= set(part.cues)
    assert len(part.cues) == sum(cue.start_ms < start + length and cue.end_ms > start for cue in track.cues)
    assert slice_track(part, 0, length) == part


@given(tracks, st.integers(0, 90_000), st.integers(2, 30_000), st.integers(1, 30_000))
def test_slicing_is_idempotent(track: CaptionTrack, start: int, length: int, later: int) -> None:
    later = later % (length - 1)
    assert slice_track(slice_track(track, start, start + length), later, length) == slice_track(track, start + later, start + length)


def test_a_clip_that_ends_before_it_starts_cannot_be_sliced() -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        slice_track(CaptionTrack(()), 5, 5)


@pytest.mark.skipif(not FRIDAY.exists(), reason=f"the sample footage is not on this machine: {FRIDAY}")
def test_the_captions_of_the_sample_scene_are_sliced_to_a_clip() -> None:
    track = parse_captions(FRIDAY.read_bytes(), FRIDAY.name)
    assert len(track.cues) == 5
    assert slice_track(track, 1_200, 3_500).cues == (
        Cue(0, 299, "How are you?"),
        Cue(300, 1_799, "Tell me, is the lord of the universe in?"),
        Cue(1_800, 2_300, "Yes, he's in - in a bad humor"),
    )


LATIN = CaptionFont(Path("latin.ttf"), "Latin Sans", 1.2, "".join(map(chr, range(32, 0x700))))
HAN = CaptionFont(Path("han.ttf"), "Han Sans", 1.5, "世界你好，「」。")


def _dialogues(script: str) -> list[str]:
    return [line.split(",", 9)[9] for line in script.split("\n") if line.startswith("Dialogue: ")]


@given(tracks | hostile_tracks)
def test_caption_text_cannot_inject_ass_tags_or_lines(track: CaptionTrack) -> None:
    everything = CaptionFont(Path("all.ttf"), "All Sans", 1.2, "".join(cue.text for cue in track.cues))
    lines = to_ass(track, 720, 1280, "en", [everything]).split("\n")
    events = lines[lines.index("[Events]") + 2 :]
    assert events[-1] == ""
    assert len(events) - 1 == len(track.cues)
    for event, cue in zip(events, track.cues, strict=False):
        text = event.split(",", 9)[9]
        assert not re.search(r"(?<!\\)[{}]", text)
        shown = re.sub(r"\\([{}])", r"\1", text.replace(r"\N", "").replace("\\\u2060", "\0")).replace("\0", "\\")
        assert shown == cue.text.replace("\n", "")


def test_each_letter_uses_a_font_that_has_it_and_ornaments_without_a_font_are_dropped() -> None:
    script = to_ass(CaptionTrack((Cue(0, 1_234, "Hi 世界 ok 🎵"),)), 1000, 1000, "en", [LATIN, HAN])
    assert _dialogues(script) == [r"Hi {\fnHan Sans\fs69.0}世界 {\fnLatin Sans\fs55.2}ok "]
    assert "Dialogue: 0,0:00:00.00,0:00:01.23,Default" in script


@pytest.mark.parametrize("size", [(720, 1280), (1080, 1920), (1080, 1080), (1280, 720)])
def test_text_without_spaces_is_wrapped_evenly_and_never_before_closing_punctuation(size: tuple[int, int]) -> None:
    text = "你好，世界。「你好世界」" * 8
    (written,) = _dialogues(to_ass(CaptionTrack((Cue(0, 1_000, text),)), *size, "zh", [HAN]))
    lines = written.split(r"\N")
    assert "".join(lines) == text
    assert len(lines) > 1
    assert not any(line[0] in "，。」" or line[-1] == "「" for line in lines)
    assert max(map(len, lines)) - min(map(len, lines)) <= 5


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ar", True), ("he-IL", True), ("fa", True), ("az-Arab", True), ("ur-Latn", False), ("en", False), ("original", False)],
)
def test_the_direction_of_a_language_follows_its_script(language: str, expected: bool) -> None:
    assert is_right_to_left(language) is expected
    (written,) = _dialogues(to_ass(CaptionTrack((Cue(0, 1_000, "OK!\nOK?"),)), 720, 1280, language, [LATIN]))
    assert written == ("\u200fOK!\\N\u200fOK?" if expected else "OK!\\NOK?")
