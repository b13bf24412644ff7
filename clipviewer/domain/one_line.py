"""Short single-line texts that people type."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset(("Cc", "Cs", "Cn"))


def normalize_line(text: str, most: int) -> str:
    """Return ``text`` with single spaces, 1 to ``most`` characters; otherwise raise ``ValueError`` with the reason."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(line) <= most:
        raise ValueError(f"must have 1 to {most} characters")
    if any(unicodedata.category(character) in _UNSEEN for character in line):
        raise ValueError("contains characters that cannot be displayed")
    return line
