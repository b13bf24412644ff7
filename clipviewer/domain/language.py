"""Target languages of exports: BCP 47 tags with display names.

The short table of names is our own: the full registry (langcodes with its data, 2 MB) is too large for a list of labels.
"""

from __future__ import annotations

import re

ORIGINAL = "original"
_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?", re.ASCII)
_NAMES = {
    ORIGINAL: "Original", "ar": "Arabic", "bn": "Bengali", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "gu": "Gujarati", "he": "Hebrew",
    "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "kn": "Kannada",
    "ko": "Korean", "ml": "Malayalam", "mr": "Marathi", "nb": "Norwegian", "nl": "Dutch", "pa": "Punjabi",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "ta": "Tamil",
    "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def parse_language(value: str) -> str:
    """Return a valid tag such as ``en``, ``pt-BR``, ``zh-Hant`` or ``original``; raises ``ValueError`` for anything else."""
    if value == ORIGINAL or _TAG.fullmatch(value):
        return value
    raise ValueError(f"not a valid language tag: {value[:40]!r}")


def language_name(tag: str) -> str:
    """Return the display name: ``en`` → ``English``, ``pt-BR`` → ``Portuguese (BR)``; an unknown tag is returned as it is."""
    base, _, rest = tag.partition("-")
    name = _NAMES.get(base)
    if name is None:
        return tag
    return f"{name} ({rest})" if rest else name


def known_languages() -> list[tuple[str, str]]:
    """Return (tag, name) pairs sorted by name, without ``original``."""
    return sorted(((tag, name) for tag, name in _NAMES.items() if tag != ORIGINAL), key=lambda pair: pair[1])
