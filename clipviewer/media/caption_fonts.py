"""Fonts for burned-in captions: found among the machine's own, and checked letter by letter, so that no caption shows boxes.

Font files are read directly: ffmpeg's own search (fontconfig) needs a configuration that bare machines lack, and puts boxes where it finds
nothing. No font is installed with the requirements: a font for every script is 20 MB and more, and no package index carries a kept one.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont, TTLibError  # type: ignore[import-untyped]

from clipviewer.errors import ClipviewerError

_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_PREFERRED = ("NotoSans-", "NotoSans", "DejaVuSans", "LiberationSans", "Arial")
_UNWANTED = re.compile(
    r"bold|italic|oblique|light|thin|black|medium|cond|narrow|mono|serif|math|symbol|emoji|display|kufi|nastaliq|[-_]ui", re.IGNORECASE
)
_HAN_FACES = {"ja": ("JP",), "ko": ("KR",), "zh": ("SC", "CN"), "zh-Hant": ("TC", "TW"), "zh-TW": ("TC", "TW"), "zh-HK": ("HK", "TC")}
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC")
_PLAIN_FAMILY = re.compile(r"[\w .+&'-]{1,80}")


class FontMissing(ClipviewerError):
    """No font on this machine has these letters; the detail says what to install."""

    status, code, title = 422, "font_missing", "There is no font for these captions"


@dataclass(frozen=True, slots=True)
class CaptionFont:
    """One face. ``line_height`` is its ascent and descent together, as a share of the em square."""

    path: Path
    family: str
    line_height: float
    characters: frozenset[str] = field(repr=False)


def system_font_folders() -> tuple[Path, ...]:
    """Where Linux and macOS keep fonts, a person's own first."""
    home = Path.home()
    return (
        home / ".local/share/fonts", home / ".fonts", home / "Library/Fonts", Path("/usr/local/share/fonts"),
        Path("/usr/share/fonts"), Path("/Library/Fonts"), Path("/System/Library/Fonts"),
    )  # fmt: skip


class FontShelf:
    """The fonts in some folders. Files are opened when they are needed, once; a shelf may be shared by threads."""

    def __init__(self, folders: Sequence[Path] | None = None) -> None:
        self._folders = system_font_folders() if folders is None else tuple(folders)
        self._read: dict[Path, tuple[CaptionFont, ...]] = {}

    def fonts_for(self, text: str, language: str) -> tuple[CaptionFont, ...]:
        """The fewest fonts that have every letter of ``text``, main one first; symbols that no font has count for nothing.

        Raises ``FontMissing`` if a letter is in none of them, or if there is no font at all.
        """
        missing = needed_characters(text) or {"a"}
        chosen: list[CaptionFont] = []
        while missing:
            font = self._best(missing, language)
            if font is None:
                letters = {char for char in missing if not _is_optional(char)}
                if letters or not chosen:
                    raise FontMissing(_sentence(letters or missing))
                break
            chosen.append(font)
            missing = missing - font.characters
        return tuple(chosen)

    def _best(self, missing: set[str], language: str) -> CaptionFont | None:
        """The first font that has all of ``missing``, else the one that has most of it."""
        best, most = None, 0
        for font in self._faces(language):
            found = len(missing & font.characters)
            if found > most:
                best, most = font, found
            if most == len(missing):
                break
        return best

    def _faces(self, language: str) -> Iterator[CaptionFont]:
        """Plain sans faces first. Han characters differ by language: that language's face comes before its siblings."""
        wanted = _HAN_FACES.get(language) or _HAN_FACES.get(language.partition("-")[0], ())
        for path in self._files:
            if path not in self._read:
                self._read[path] = tuple(_read_faces(path))
            yield from sorted(self._read[path], key=lambda font: not font.family.endswith(wanted) if wanted else False)

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        found = {path for folder in self._folders for path in _walk(folder) if path.suffix.lower() in _SUFFIXES}
        return tuple(sorted(found, key=_rank))


def needed_characters(text: str) -> set[str]:
    """The characters that a font must have to show ``text``: not spaces, joiners, direction marks and variation selectors."""
    return {char for char in text if unicodedata.category(char) not in ("Cc", "Cf", "Zs", "Zl", "Zp") and not 0xFE00 <= ord(char) <= 0xFE0F}


def _is_optional(char: str) -> bool:
    """Whether a caption can do without: pictures and ornaments, not letters, digits, marks or punctuation."""
    return unicodedata.category(char) in ("So", "Sk", "Co")


def _walk(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.rglob("*") if path.is_file())


def _rank(path: Path) -> tuple[int, int, str, str]:
    preferred = next((index for index, start in enumerate(_PREFERRED) if path.name.startswith(start)), len(_PREFERRED))
    return len(_UNWANTED.findall(path.stem)), preferred, path.name, str(path)


def _read_faces(path: Path) -> Iterator[CaptionFont]:
    """The faces of a file; none of a damaged one, or of one whose name could not stand in a subtitle style."""
    try:
        with path.open("rb") as file:
            is_collection = file.read(4) == b"ttcf"
        count = len(TTCollection(path, lazy=True).fonts) if is_collection else 1
        for number in range(count):
            with TTFont(path, fontNumber=number if is_collection else -1, lazy=True) as font:
                family = font["name"].getDebugName(1) or ""
                characters = frozenset(map(chr, font.getBestCmap() or ()))
                metrics, em = font["OS/2"], font["head"].unitsPerEm
                height = (metrics.usWinAscent + metrics.usWinDescent) or (font["hhea"].ascent - font["hhea"].descent)
                if _PLAIN_FAMILY.fullmatch(family):
                    yield CaptionFont(path, family, height / em, characters)
    except (TTLibError, OSError, KeyError, ValueError, AssertionError, struct.error, ZeroDivisionError):
        return


def _sentence(letters: set[str]) -> str:
    first = sorted(letters)[:3]
    script = unicodedata.name(first[0], "these characters").partition(" ")[0]
    east_asian = script in _EAST_ASIAN
    name = "Chinese, Japanese and Korean" if east_asian else script.capitalize()
    package = "fonts-noto-cjk" if east_asian else "fonts-noto-core"
    examples = ", ".join(f"“{char}”" for char in first)
    return (
        f"No font on this machine can write {name} ({examples}): install one on the server "
        f"(Debian and Ubuntu: apt install {package}), or export with soft captions."
    )
