"""Fonts for burned-in captions: chosen from the machine's own and checked character by character, so that no caption shows boxes.

Font files are read directly: ffmpeg's own search (fontconfig) needs a configuration that bare machines lack, and draws boxes for missing
characters. No font is installed with the requirements: Noto's for East Asia alone is 19 MB, and the font packages on PyPI are young and
cover a script or two each.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError  # type: ignore[import-untyped]

from clipviewer.errors import ClipviewerError

_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_PREFERRED = ("NotoSans-", "NotoSans", "DejaVuSans", "LiberationSans", "Arial")
_UNWANTED = re.compile(
    r"bold|italic|oblique|light|thin|black|medium|cond|narrow|mono|serif|math|symbol|emoji|display|kufi|nastaliq|[-_]ui", re.IGNORECASE
)
_HAN_FACES = {"ja": ("JP",), "ko": ("KR",), "zh": ("SC", "CN"), "zh-Hant": ("TC", "TW"), "zh-TW": ("TC", "TW"), "zh-HK": ("HK", "TC")}
_COMMON = ""
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC")
_MAX_FACES = 64
_DAMAGED = (TTLibError, OSError, KeyError, ValueError, AssertionError, struct.error, ZeroDivisionError)
# What may stand in a style of an ASS script, where commas separate and braces instruct.
_PLAIN_FAMILY = re.compile(r"[\w .+&'-]{1,80}")


class FontMissing(ClipviewerError):
    """No font on this machine has these characters; the detail says what to install."""

    status, code, title = 422, "font_missing", "There is no font for these captions"


@dataclass(frozen=True, slots=True)
class CaptionFont:
    """One font face. ``line_height`` is ascent plus descent as a share of the em square.

    ``characters`` is a string because a set of the 44,000 in one Han face takes 5 MB.
    """

    path: Path
    family: str
    line_height: float
    characters: str = field(repr=False)


def system_font_folders() -> tuple[Path, ...]:
    """Return the font folders of Linux and macOS, the user's own first."""
    home = Path.home()
    return (
        home / ".local/share/fonts", home / ".fonts", home / "Library/Fonts", Path("/usr/local/share/fonts"),
        Path("/usr/share/fonts"), Path("/Library/Fonts"), Path("/System/Library/Fonts"),
    )  # fmt: skip


class FontShelf:
    """The fonts in some folders. Files are opened lazily and once. Threads may share an instance."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self._folders = system_font_folders() if folders is None else tuple(folders)
        self._families: dict[Path, tuple[str, ...]] = {}
        self._fonts: dict[tuple[Path, int], CaptionFont | None] = {}

    def fonts_for(self, text: str, language: str) -> tuple[CaptionFont, ...]:
        """Return fonts that together cover ``text``, the main script's first. Ornaments that no font has are ignored.

        Raises ``FontMissing`` if a character is in none of them, or if there is no font at all.
        """
        missing = {char for char in needed_characters(text) if not _is_emoji(char)} or {"a"}
        chosen: list[CaptionFont] = []
        while missing:
            script, wanted = _largest_script(missing)
            font = self._best(script, wanted, language)
            letters = {char for char in wanted if not _is_optional(char)}
            if font is not None:
                chosen.append(font)
                missing = missing.difference(font.characters)
            elif letters:
                raise FontMissing(_sentence(letters))
            else:
                missing -= wanted
        return tuple(chosen) or self.fonts_for("", language)

    def _best(self, script: str, wanted: set[str], language: str) -> CaptionFont | None:
        """Return the first font that has all of ``wanted``, else the one that has most of it; None if none has any."""
        best, most = None, 0
        for font in self._ranked(script, language):
            found = sum(char in font.characters for char in wanted)
            if found > most:
                best, most = font, found
            if most == len(wanted):
                break
        return best

    def _ranked(self, script: str, language: str) -> Iterator[CaptionFont]:
        """Rank plain sans faces named for the script first. Han characters differ by language, so its own face precedes its siblings."""
        regions = _HAN_FACES.get(language) or _HAN_FACES.get(language.partition("-")[0], ())
        for path in sorted(self._files, key=lambda path: _rank(path, script)):
            if path not in self._families:
                self._families[path] = _read_families(path)
            families = enumerate(self._families[path])
            for number, _ in sorted(families, key=lambda face: not face[1].endswith(regions) if regions else False):
                if (path, number) not in self._fonts:
                    self._fonts[path, number] = _read_font(path, number)
                font = self._fonts[path, number]
                if font is not None:
                    yield font

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        found = {path for folder in self._folders for path in _walk(folder) if path.suffix.lower() in _SUFFIXES}
        return tuple(sorted(found))


def needed_characters(text: str) -> set[str]:
    """Return the characters that a font must have to show ``text``: no spaces, joiners, direction marks or variation selectors."""
    return {char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Zs", "Zl", "Zp") and not 0xFE00 <= ord(char) <= 0xFE0F}


def _is_optional(char: str) -> bool:
    """Return whether a caption can do without the character: pictures and ornaments, not letters, digits, marks or punctuation."""
    return unicodedata.category(char) in ("So", "Sk", "Co")


def _is_emoji(char: str) -> bool:
    """Return whether the character is a colour picture, which libass cannot draw and no font needs to be searched for."""
    return ord(char) >= 0x1F000 and unicodedata.category(char) in ("So", "Sk")


def _walk(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.rglob("*") if path.is_file())


def _script(char: str) -> str:
    """Return a character's script by the first word of its Unicode name, ``CJK`` for East Asia; ``""`` for shared characters."""
    first = unicodedata.name(char, "").partition(" ")[0]
    if first in _EAST_ASIAN:
        return "CJK"
    return first if unicodedata.category(char).startswith(("L", "M")) and first != "COMBINING" else _COMMON


def _rank(path: Path, script: str) -> tuple[int, bool, int, str]:
    preferred = next((index for index, start in enumerate(_PREFERRED) if path.name.startswith(start)), len(_PREFERRED))
    named = script != _COMMON and script.lower() in path.name.lower()
    return len(_UNWANTED.findall(path.stem)), not named, preferred, str(path)


def _largest_script(characters: set[str]) -> tuple[str, set[str]]:
    """Return the script that has most of the characters, and those; shared characters rank last."""
    scripts = Counter(sorted(map(_script, characters)))
    largest = max(scripts, key=lambda script: (script != _COMMON, scripts[script]))
    return largest, {char for char in characters if _script(char) == largest}


def _read_families(path: Path) -> tuple[str, ...]:
    """Return the family of each face in a file, reading names only; empty for a damaged file."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
        count = min(int.from_bytes(head[8:], "big"), _MAX_FACES) if head[:4] == b"ttcf" else 1
        return tuple(_family(path, number) for number in range(count))
    except _DAMAGED:
        return ()


def _family(path: Path, number: int) -> str:
    with path.open("rb") as file, TTFont(file, fontNumber=number, lazy=True) as font:
        return font["name"].getDebugName(1) or ""


def _read_font(path: Path, number: int) -> CaptionFont | None:
    """Read a face; None if it is damaged or its name cannot be used in a style."""
    try:
        with path.open("rb") as file, TTFont(file, fontNumber=number, lazy=True) as font:
            metrics, em = font["OS/2"], font["head"].unitsPerEm
            height = (metrics.usWinAscent + metrics.usWinDescent) or (font["hhea"].ascent - font["hhea"].descent)
            characters = "".join(map(chr, sorted(font.getBestCmap() or ())))
            family = font["name"].getDebugName(1) or ""
            return CaptionFont(path, family, height / em, characters) if _PLAIN_FAMILY.fullmatch(family) else None
    except _DAMAGED:
        return None


def _sentence(letters: set[str]) -> str:
    first = sorted(letters)[:3]
    script = _script(first[0])
    name = {"CJK": "Chinese, Japanese and Korean", _COMMON: "these characters"}.get(script, script.capitalize())
    package = "fonts-noto-cjk" if script == "CJK" else "fonts-noto-core"
    examples = ", ".join(f"“{char}”" for char in first)
    return (
        f"No font on this machine can write {name} ({examples}): install one on the server "
        f"(Debian and Ubuntu: apt install {package}), or export with soft captions."
    )
