"""Parse WebVTT and SubRip (SRT), including common malformed files, into plain text with times.

Written by hand: pysubs2 1.8 drops a caption's last line if it is a number ("In the year / 2025"), and supports neither WebVTT's blocks
nor its entities. Markup, positions and comments are dropped: the picture is reframed, and nothing in a caption may be an instruction.
Source: https://www.w3.org/TR/webvtt1/ sections 4 and 6.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from clipviewer.domain.timecode import MAX_MS
from clipviewer.errors import ClipviewerError

MAX_BYTES = 5_000_000
MAX_CUES = 20_000
MAX_CUE_CHARACTERS = 2_000

# An invisible character that splits what a format would take for markup; readers show the rest as it was written.
WORD_JOINER = "\u2060"

_TIME = r"(?:(\d{1,4})\s*:\s*)?(\d{1,2})\s*:\s*(\d{1,2})(?:\s*[.,]\s*(\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?", re.ASCII)
_RUBY_TEXT = re.compile(r"<rt\b[^>]*>.*?(?:</rt>|(?=</ruby>)|$)", re.DOTALL)
_VTT_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[0-9][0-9:.]*>|</>")
_SRT_TAG = re.compile(
    r"</?(?:b|i|u|s|font|c|v|span|ruby|rt|lang)(?:[\s.=][^<>]*)?/?>|\{\\[^{}]*\}|\{/?[biuyscf][^{} ]{0,20}\}", re.IGNORECASE
)


class CaptionsUnreadable(ClipviewerError):
    """The caption file cannot be used; the detail says why and what to do."""

    status, code, title = 422, "captions_unreadable", "The captions cannot be read"


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: ``text`` is shown from ``start_ms`` to ``end_ms`` (ms, end exclusive). Plain lines, no markup."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class CaptionTrack:
    """Cues in time order; they may overlap. ``skipped`` counts cues without usable times in the parsed file."""

    cues: tuple[Cue, ...]
    skipped: int = field(default=0, compare=False)

    def with_texts(self, texts: Sequence[str]) -> CaptionTrack:
        """Return the same times with other texts, one per cue; cues with an empty text are dropped. ``ValueError`` if counts differ."""
        changed = (Cue(cue.start_ms, cue.end_ms, clean_text(text)) for cue, text in zip(self.cues, texts, strict=True))
        return CaptionTrack(sort_cues(changed))


def sort_cues(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Return the non-empty cues sorted by start, then end. The sort is stable."""
    return tuple(sorted((cue for cue in cues if cue.text), key=lambda cue: (cue.start_ms, cue.end_ms)))


def parse_captions(data: bytes, name: str) -> CaptionTrack:
    """Parse a ``.vtt`` or ``.srt`` file. The format is detected from the content; ``name`` is used in messages only.

    Raises ``CaptionsUnreadable`` for another format or encoding, too much content, or nothing to show.
    """
    shown = _display_name(name)
    if len(data) > MAX_BYTES:
        raise CaptionsUnreadable(f"{shown} is larger than {MAX_BYTES // 1_000_000} MB, which no caption file is: choose another file.")
    lines = re.split(r"\r\n|\n|\r", _decode(data, shown).lstrip())
    is_vtt = lines[0].split(maxsplit=1)[:1] == ["WEBVTT"]
    if not is_vtt and not any(_is_timing(line) for line in lines):
        raise CaptionsUnreadable(f"{shown} is neither WebVTT nor SubRip: save the captions as .vtt or .srt and try again.")
    cues: list[Cue] = []
    skipped = 0
    for timing, text_lines in _cue_blocks(lines[1:] if is_vtt else lines, is_vtt):
        # Checked before any markup is looked for: the search must stay cheap whatever the file holds.
        if sum(map(len, text_lines)) > MAX_CUE_CHARACTERS:
            raise CaptionsUnreadable(
                f"{shown} has a caption of more than {MAX_CUE_CHARACTERS:,} characters: check that it was saved whole."
            )
        times = _parse_times(timing)
        if times is None:
            skipped += 1
            continue
        cues.append(Cue(*times, _vtt_text(text_lines) if is_vtt else _srt_text(text_lines)))
        if len(cues) > MAX_CUES:
            raise CaptionsUnreadable(f"{shown} has more than {MAX_CUES:,} captions: split it into smaller files.")
    track = CaptionTrack(sort_cues(cues), skipped)
    if not track.cues:
        raise CaptionsUnreadable(f"{shown} has no captions in it: check that it was saved whole.")
    return track


def clean_text(text: str) -> str:
    """Drop blank lines, control characters and surrounding space; normalize to NFC."""
    one_break = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text)
    kept = "".join(
        char
        for char in one_break
        if char in "\n\t" or (unicodedata.category(char) not in ("Cc", "Cs") and char not in f"\ufeff{WORD_JOINER}")
    )
    lines = (" ".join(line.split()) for line in kept.split("\n"))
    return unicodedata.normalize("NFC", "\n".join(line for line in lines if line))


def _display_name(name: str) -> str:
    """Shorten a file name for messages: its last part, on one line."""
    last = "".join(char for char in re.split(r"[/\\]", name)[-1] if char.isprintable())
    return f"“{last[:80]}”" if last else "The file"


def _decode(data: bytes, shown: str) -> str:
    """Decode UTF-8, or UTF-16 by its byte-order mark or zero bytes. Guessing other encodings would show wrong letters."""
    start = data[:4]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif len(start) == 4 and start[1] == start[3] == 0 and start[0]:
        encoding = "utf-16-le"
    elif len(start) == 4 and start[0] == start[2] == 0 and start[1]:
        encoding = "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CaptionsUnreadable(f"{shown} is not encoded as UTF-8: open it in a text editor, save it as UTF-8 and try again.") from error


def _is_timing(line: str) -> bool:
    return "-->" in line and _TIMING.fullmatch(line) is not None


def _cue_blocks(lines: Sequence[str], is_vtt: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield each timing line with its text."""
    marks = [index for index, line in enumerate(lines) if _is_timing(line) or (is_vtt and "-->" in line)]
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        text = list(lines[mark + 1 : following])
        if is_vtt:
            blank = next((index for index, line in enumerate(text) if not line), len(text))
            text = text[:blank]
        elif following is not None and text and text[-1].strip().isdecimal():
            # The number right above the next timing line is that caption's; blank lines inside a caption are common in SRT.
            text.pop()
        yield lines[mark], text


def _parse_times(timing: str) -> tuple[int, int] | None:
    """Return start and end (ms) of a timing line; None if they are invalid or nothing would be shown."""
    match = _TIMING.fullmatch(timing)
    if match is None:
        return None
    start, end = _ms(match.groups()[:4]), _ms(match.groups()[4:])
    if start is None or end is None or not start < end <= MAX_MS:
        return None
    return start, end


def _ms(groups: Sequence[str | None]) -> int | None:
    hours, minutes, seconds = (int(group or 0) for group in groups[:3])
    if minutes > 59 or seconds > 59:
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((groups[3] or "0").ljust(3, "0"))


def _vtt_text(lines: Sequence[str]) -> str:
    return clean_text(html.unescape(_VTT_TAG.sub("", _RUBY_TEXT.sub("", "\n".join(lines)))))


def _srt_text(lines: Sequence[str]) -> str:
    return clean_text(_SRT_TAG.sub("", "\n".join(lines)))
