"""Captions in the picture, drawn by the ffmpeg that renders exports, in generated fonts, independent of the machine's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import av
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont

from clipviewer.media.captions.fonts import FontMissing, FontShelf
from clipviewer.media.captions.tracks import CaptionTrack, Cue, to_srt, write_burn_in
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.render.picture_filters import escape_path

SIZES = [(720, 1280), (1080, 1080), (1280, 720)]
LETTERS = "".join(map(chr, range(33, 127)))


def _font(characters: str, family: str) -> TTFont:
    """Make a font whose every character is the same solid block, 600 by 700 of an em of 1000; a missing one would be 2000 high."""
    builder = FontBuilder(1000, isTTF=True)
    names = {ord(char): f"u{ord(char):04X}" for char in characters}
    builder.setupGlyphOrder([".notdef", "space", *names.values()])
    builder.setupCharacterMap({32: "space", **names})
    blank = TTGlyphPen(None).glyph()
    builder.setupGlyf({".notdef": _block(2000), "space": blank} | dict.fromkeys(names.values(), _block(700)))
    builder.setupHorizontalMetrics({".notdef": (600, 50), "space": (300, 0)} | dict.fromkeys(names.values(), (600, 50)))
    builder.setupHorizontalHeader(ascent=900, descent=-300)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "fullName": family, "psName": family.replace(" ", "")})
    builder.setupOS2(usWinAscent=900, usWinDescent=300)
    builder.setupPost()
    return builder.font


def _block(height: int) -> object:
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for corner in ((50, height), (550, height), (550, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def _shelf(folder: Path, **fonts: str) -> FontShelf:
    """Make a folder with one font per name, and the characters of each."""
    folder.mkdir(exist_ok=True)
    for name, characters in fonts.items():
        _font(characters, name.replace("_", " ")).save(folder / f"{name}.ttf")
    return FontShelf([folder, folder / "not there"])


def _families(shelf: FontShelf, text: str, language: str = "en") -> list[str]:
    return [font.family for font in shelf.fonts_for(text, language)]


def test_one_font_that_has_every_letter_is_enough(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path, A_Latin="abc", B_Both="abcаб", C_Else="абв")
    assert _families(shelf, "a b\nc") == ["A Latin"]
    assert _families(shelf, "а б a\u200f\ufe0f") == ["B Both"]
    assert _families(shelf, "а б в") == ["C Else"]
    assert _families(shelf, "") == ["A Latin"]


def test_letters_of_several_scripts_are_set_in_several_fonts(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path, A_Latin="abc", B_Cyrillic="абв", C_Han="世界")
    assert _families(shelf, "世 ab абв 界", "zh") == ["B Cyrillic", "C Han", "A Latin"]


def test_plain_upright_faces_come_before_bold_and_narrow_ones(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path, Alpha_Bold="abc", Alpha_Condensed="abc", Zeta_Regular="abc", NotoSans="abc")
    assert _families(shelf, "abc") == ["NotoSans"]
    (tmp_path / "NotoSans.ttf").unlink()
    assert _families(FontShelf([tmp_path]), "abc") == ["Zeta Regular"]


@pytest.mark.parametrize(
    ("language", "family"),
    [("ja", "Han JP"), ("ko", "Han KR"), ("zh", "Han SC"), ("zh-Hant", "Han TC"), ("zh-TW", "Han TC"), ("en", "Han JP")],
)
def test_han_characters_are_drawn_as_the_language_draws_them(tmp_path: Path, language: str, family: str) -> None:
    collection = TTCollection()
    collection.fonts = [_font("世界", f"Han {region}") for region in ("JP", "KR", "SC", "TC")]
    collection.save(tmp_path / "Han.ttc")
    assert _families(FontShelf([tmp_path]), "世界", language) == [family]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ok नमस्ते", "Devanagari (“त”, “न”, “म”): install one on the server (Debian and Ubuntu: apt install fonts-noto-core)"),
        ("世界", "Chinese, Japanese and Korean (“世”, “界”): install one on the server (Debian and Ubuntu: apt install fonts-noto-cjk)"),
        ("한", "Chinese, Japanese and Korean (“한”)"),
        ("ש", "Hebrew (“ש”)"),
        ("\ue000\u0378", "these characters"),
    ],
)
def test_letters_that_no_font_has_are_refused_with_what_to_install(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(FontMissing, match=re.escape(reason)) as caught:
        write_burn_in(CaptionTrack((Cue(0, 1, text),)), tmp_path, 720, 1280, "en", _shelf(tmp_path / "some", Latin="ok"))
    assert re.fullmatch(r"[^\n]+[^.\n]\.", caught.value.detail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some"]


def test_a_machine_without_fonts_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FontMissing, match="Latin"):
        FontShelf([tmp_path]).fonts_for("♪", "en")


def test_an_ornament_without_a_font_is_ignored(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path, Latin="la", Other="♪")
    assert _families(shelf, "la 🎵 ☂") == ["Latin"]
    assert _families(shelf, "la ♪") == ["Latin", "Other"]
    assert _families(shelf, "🎵") == ["Latin"]


def test_damaged_fonts_and_fonts_with_hostile_names_are_skipped(tmp_path: Path) -> None:
    _font("abc", r"Evil}{\fs200").save(tmp_path / "A.ttf")
    _font("abc", "Evil,Name").save(tmp_path / "B.ttf")
    (tmp_path / "C.ttf").write_bytes(b"no font at all")
    (tmp_path / "D.ttc").write_bytes(b"ttcf\0\1\0\0\0\0\0\1\0\0\0\2")
    _font("abc", "Good").save(tmp_path / "E.ttf")
    whole = (tmp_path / "E.ttf").read_bytes()
    for cut in (100, 300, len(whole) // 2):
        (tmp_path / f"D{cut}.ttf").write_bytes(whole[:cut])
    assert _families(FontShelf([tmp_path]), "abc") == ["Good"]


def _drawn(folder: Path, texts: Sequence[str], size: tuple[int, int], shelf: FontShelf, language: str = "en") -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the drawing over black at the start; all 0 if there is none."""
    folder.mkdir()
    made = write_burn_in(CaptionTrack(tuple(Cue(0, 1_000, text) for text in texts)), folder, *size, language, shelf)
    width, height = size
    source = f"color=c=black:s={width}x{height}:d=0.04"
    filters = f"subtitles=filename={escape_path(made.script)}:fontsdir={escape_path(made.fonts)},format=gray"
    out = folder / "picture.gray"
    Ffmpeg().run(
        ["-f", "lavfi", "-i", source, "-vf", filters, "-frames:v", "1", "-f", "rawvideo", f"file:{out}"],
        timeout=60,
    )  # fmt: skip
    picture = out.read_bytes()
    rows = [y for y in range(height) if max(picture[y * width : (y + 1) * width]) > 128]
    columns = [x for x in range(width) if max(picture[x::width]) > 128]
    return (columns[0], rows[0], columns[-1], rows[-1]) if rows else (0, 0, 0, 0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", ["many words that need more than one line to be read " * 2, "世界" * 20, "https://example.org/" * 4])
def test_captions_stay_within_the_part_that_players_leave_free(tmp_path: Path, size: tuple[int, int], text: str) -> None:
    width, height = size
    left, top, right, bottom = _drawn(tmp_path / "job", [text], size, _shelf(tmp_path / "some", All=LETTERS + "世界"))
    share = 0.12 if width != height else 0.08
    assert width * share - 3 <= left
    assert right <= width * (1 - share) + 3
    assert abs((left + right) / 2 - width / 2) < width * 0.05
    assert height * 0.4 < top < bottom <= height * (0.78 if width < height else 0.92)


def test_text_that_looks_like_instructions_is_drawn_where_and_as_any_other(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path / "some", All=LETTERS)
    plain = _drawn(tmp_path / "plain", ["xxxxxxxxxxxxx"], (720, 1280), shelf)
    assert plain[3] > plain[1] > 0
    for number, hostile in enumerate(["{\\alpha&HFF&}", "{\\pos(0,0)}xx", "\\N{\\an8}xxxxx", "\\h\\h\\h\\n\\Nxxx"]):
        assert len(hostile) == 13
        assert _drawn(tmp_path / f"hostile{number}", [hostile], (720, 1280), shelf) == plain


def test_any_folder_name_will_do_and_no_font_of_the_machine_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "none.conf"))
    shelf = _shelf(tmp_path / "some", Latin="ab", Han="世界")
    plain = _drawn(tmp_path / "plain", ["ab世界"], (1280, 720), shelf)
    assert 0 < plain[3] - plain[1] < 40
    assert _drawn(tmp_path / "it's [a], b:c;d\\e %d é", ["ab世界"], (1280, 720), shelf) == plain


def test_a_soft_track_shows_the_text_as_it_was_written(tmp_path: Path) -> None:
    texts = ["{\\b1}bold <i>x</i> & a\\Nb C:\\n --> end", "नमस्ते ❤\nשלום", "2025"]
    track = CaptionTrack(tuple(Cue(1_000 * number, 1_000 * number + 900, text) for number, text in enumerate(texts)))
    (tmp_path / "a.srt").write_text(to_srt(track), encoding="utf-8")
    video = ["-f", "lavfi", "-i", "color=s=64x64:d=3"]
    captions = ["-i", f"file:{tmp_path / 'a.srt'}", "-map", "0", "-map", "1", "-c:v", "libx264", "-c:s", "mov_text"]
    Ffmpeg().run([*video, *captions, f"file:{tmp_path / 'a.mp4'}"], timeout=60)
    with av.open(str(tmp_path / "a.mp4")) as file:
        packets = [bytes(packet)[2:] for packet in file.demux(file.streams.subtitles[0]) if packet.size > 2]
    assert [packet.decode().replace("\u2060", "") for packet in packets] == texts
