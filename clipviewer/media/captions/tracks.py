"""Slice a caption track to a clip and write it for an export: WebVTT, SubRip, or ASS for burning in.

Texts are plain, so whatever a format would read as an instruction is escaped.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipviewer.media.captions.fonts import CaptionFont, FontShelf, needed_characters
from clipviewer.media.captions.reading import WORD_JOINER, CaptionsUnreadable, CaptionTrack, Cue, parse_captions, sort_cues

__all__ = [
    "BurnIn", "CaptionTrack", "CaptionsUnreadable", "Cue", "is_right_to_left", "parse_captions", "slice_track",
    "to_ass", "to_srt", "to_webvtt", "write_burn_in",
]  # fmt: skip

_RIGHT_TO_LEFT_MARK = "\u200f"
_RIGHT_TO_LEFT = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))
_RIGHT_TO_LEFT_SCRIPTS = ("Arab", "Hebr", "Syrc", "Thaa", "Nkoo")
_CLOSING = frozenset("、。，．・：；？！）］｝〉》」』】〕’”…ーゝゞ々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.;:?!)]}")
_OPENING = frozenset("（［｛〈《「『【〔‘“([{")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Layout as shares of the picture: ``em`` and ``side`` of its width, ``bottom`` of its height."""

    em: float
    side: float
    bottom: float


# Upright players lay their own texts and buttons over the lowest fifth and the right edge.
_UPRIGHT = _Layout(em=0.058, side=0.12, bottom=0.22)
_SQUARE = _Layout(em=0.046, side=0.08, bottom=0.08)
_WIDE = _Layout(em=0.031, side=0.12, bottom=0.08)


def slice_track(track: CaptionTrack, start_ms: int, end_ms: int) -> CaptionTrack:
    """Return the cues between two times of the source (ms, end exclusive), cut at the edges and shifted so that the clip starts at 0."""
    if not 0 <= start_ms < end_ms:
        raise ValueError("a clip ends after it starts")
    shown = (cue for cue in track.cues if cue.start_ms < end_ms and cue.end_ms > start_ms)
    return CaptionTrack(
        sort_cues(Cue(max(cue.start_ms, start_ms) - start_ms, min(cue.end_ms, end_ms) - start_ms, cue.text) for cue in shown)
    )


def to_webvtt(track: CaptionTrack) -> str:
    """Write a WebVTT file: the sidecar of an export, for a browser's ``<track>``."""
    blocks = [f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_vtt_escape(cue.text)}\n" for cue in track.cues]
    return "\n".join(["WEBVTT\n", *blocks])


def to_srt(track: CaptionTrack) -> str:
    """Write a SubRip file, for editors and for ffmpeg's soft ``mov_text`` track (from WebVTT it would show the escapes).

    The format has no escapes: text that looks like markup is split by an invisible character.
    """
    return "\n".join(
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_srt_escape(cue.text)}\n"
        for number, cue in enumerate(track.cues, 1)
    )


def to_ass(track: CaptionTrack, width: int, height: int, language: str, fonts: Sequence[CaptionFont] | None = None) -> str:
    """Write an ASS script for a picture of ``width`` by ``height`` pixels, placed clear of players' own controls.

    ``fonts`` come from ``FontShelf.fonts_for`` (default: for this text, from the machine's own). Raises ``FontMissing``.
    Source: the format as libass reads it, https://github.com/libass/libass/wiki/ASS-File-Format-Guide.
    """
    text = "\n".join(cue.text for cue in track.cues)
    fonts = FontShelf().fonts_for(text, language) if fonts is None else fonts
    layout = _layout(width, height)
    em = layout.em * width
    side, bottom = round(layout.side * width), round(layout.bottom * height)
    ems_in_line = (width - 2 * side) / em
    mark = _RIGHT_TO_LEFT_MARK if is_right_to_left(language) else ""
    main = fonts[0]
    style = (
        f"Style: Default,{main.family},{em * main.line_height:.1f},&H00FFFFFF,&H00FFFFFF,&H00101010,&H80000000,0,0,0,0,100,100,0,0,"
        f"1,{em * 0.075:.1f},{em * 0.03:.1f},2,{side},{side},{bottom},-1"
    )
    events = [
        f"Dialogue: 0,{_ass_clock(cue.start_ms)},{_ass_clock(max(cue.end_ms, cue.start_ms + 10))},Default,,0,0,0,,"
        + r"\N".join(mark + _ass_line(piece, fonts, em) for line in cue.text.split("\n") for piece in _break_words(line, ems_in_line))
        for cue in track.cues
    ]
    return "\n".join(
        [
            "[Script Info]", "ScriptType: v4.00+", f"PlayResX: {width}", f"PlayResY: {height}", "WrapStyle: 0",
            "ScaledBorderAndShadow: yes", "", "[V4+ Styles]",
            "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
            "StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding",
            style, "", "[Events]", "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text", *events, "",
        ]
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BurnIn:
    """The files for burning in: an ASS script and the folder with its fonts."""

    script: Path
    fonts: Path


def write_burn_in(track: CaptionTrack, folder: Path, width: int, height: int, language: str, shelf: FontShelf | None = None) -> BurnIn:
    """Write ``track`` for a picture of ``width`` by ``height`` pixels into ``folder``, with links to the fonts it needs.

    Raises ``FontMissing`` before anything is written.
    """
    fonts = (shelf or FontShelf()).fonts_for("\n".join(cue.text for cue in track.cues), language)
    made = BurnIn(folder / "captions.ass", folder / "fonts")
    made.fonts.mkdir()
    for number, path in enumerate(dict.fromkeys(font.path for font in fonts)):
        (made.fonts / f"{number}{path.suffix}").symlink_to(path.resolve())
    made.script.write_text(to_ass(track, width, height, language, fonts), encoding="utf-8")
    return made


def is_right_to_left(language: str) -> bool:
    """Return whether a language is written from right to left, by its script subtag if it has one."""
    base, *rest = language.split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    return script in _RIGHT_TO_LEFT_SCRIPTS if script else base in _RIGHT_TO_LEFT


def _layout(width: int, height: int) -> _Layout:
    if width * 5 < height * 4:
        return _UPRIGHT
    return _SQUARE if width * 4 < height * 5 else _WIDE


def _clock(ms: int, point: str) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{rest:03d}"


def _ass_clock(ms: int) -> str:
    hundredths = (ms + 5) // 10
    seconds, rest = divmod(hundredths, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:02d}"


def _vtt_escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _srt_escape(text: str) -> str:
    return re.sub(r"([<{\\]|--(?=>))", rf"\1{WORD_JOINER}", text)


def _ass_line(line: str, fonts: Sequence[CaptionFont], em: float) -> str:
    """Return one line as ASS text, switching fonts where the main one lacks a character; symbols that no font has are dropped."""
    written, current = [], fonts[0]
    for char in line:
        font = _font_of(char, fonts, current)
        if font is None:
            continue
        if font is not current:
            written.append(rf"{{\fn{font.family}\fs{em * font.line_height:.1f}}}")
            current = font
        # A backslash starts an escape and a brace an instruction, unless an invisible character or a backslash comes between.
        written.append({"\\": f"\\{WORD_JOINER}", "{": r"\{", "}": r"\}"}.get(char, char))
    return "".join(written)


def _font_of(char: str, fonts: Sequence[CaptionFont], current: CaptionFont) -> CaptionFont | None:
    if not needed_characters(char):
        return current
    return next((font for font in fonts if char in font.characters), None)


def _break_words(line: str, ems: float) -> list[str]:
    """Break words that are wider than the line, such as Chinese and Japanese sentences; libass breaks at spaces only."""
    pieces = [""]
    for word in line.split(" "):
        first, *rest = _split_word(word, ems)
        pieces[-1] = f"{pieces[-1]} {first}" if pieces[-1] else first
        pieces.extend(rest)
    return pieces


def _split_word(word: str, ems: float) -> list[str]:
    """Split a word into parts of similar width, at most ``ems``, none starting with a closing or ending with an opening mark."""
    count = math.ceil(sum(map(_width_in_ems, word)) / ems)
    if count <= 1:
        return [word]
    limit = sum(map(_width_in_ems, word)) / count
    parts, width = [""], 0.0
    for char in word:
        may_break = parts[-1] and char not in _CLOSING and parts[-1][-1] not in _OPENING and not unicodedata.combining(char)
        if may_break and width + _width_in_ems(char) / 2 > limit and len(parts) < count:
            parts.append("")
            width = 0.0
        parts[-1] += char
        width += _width_in_ems(char)
    return parts


def _width_in_ems(char: str) -> float:
    """Estimate a character's width in ems, rather too wide than too narrow."""
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(char) in "WF" else 0.65
