"""Track languages in mp4 files, which hold only the three-letter codes of ISO 639-2/T."""

from __future__ import annotations

UNDETERMINED = "und"
_CODES = {
    "ar": "ara", "bn": "ben", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "fa": "fas", "fi": "fin",
    "fr": "fra", "gu": "guj", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "kn": "kan", "ko": "kor",
    "ml": "mal", "mr": "mar", "nb": "nob", "nl": "nld", "pa": "pan", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus", "sv": "swe",
    "ta": "tam", "te": "tel", "th": "tha", "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie", "zh": "zho",
}  # fmt: skip
# The older codes of ISO 639-2/B, which Matroska has.
_OLDER = {"cze": "cs", "dut": "nl", "fre": "fr", "ger": "de", "gre": "el", "per": "fa", "rum": "ro", "chi": "zh", "nor": "nb"}
_TAGS = {code: tag for tag, code in _CODES.items()} | _OLDER


def track_code_of(tag: str) -> str:
    """Return the code for a tag: ``pt-BR`` → ``por``, ``fil`` → ``fil``; ``und`` if it has none here."""
    base = tag.partition("-")[0]
    return _CODES.get(base, base if len(base) == 3 else UNDETERMINED)


def language_of_code(code: str | None) -> str | None:
    """Return the tag for a code: ``ger`` and ``deu`` → ``de``; None if it is unknown or missing."""
    return _TAGS.get(code or "")
