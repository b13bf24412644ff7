"""Short texts that people type: one line, without what cannot be shown."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset(("Cc", "Cs", "Cn"))


def one_line(text: str, most: int) -> str:
    """``text`` with single spaces, of 1 to ``most`` characters; else ``ValueError`` with the reason."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if not 1 <= len(line) <= most:
        raise ValueError(f"has 1 to {most} characters")
    if any(unicodedata.category(character) in _UNSEEN for character in line):
        raise ValueError("has characters that cannot be shown")
    return line
