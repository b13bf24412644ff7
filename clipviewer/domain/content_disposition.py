"""The Content-Disposition header that names a download (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

MAX_NAME_BYTES = 200
_FALLBACK_NAME = "download"
_MAX_EXTENSION = 10

# What ends a header or a quoted string, what file systems forbid, and what turns text round so that "exe.mp4" reads as "4pm.exe".
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\"\\/:*?<>|\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]",
)
_EDGES = re.compile(r"^[\s.]+|[\s.]+\Z")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e]|%")


def attachment(filename: str) -> str:
    """Return the header value that saves a response as ``filename``: ASCII only, safe to sign and to send.

    Path separators, quotes and control characters become ``_``; the name keeps its extension and at most 200 bytes of UTF-8.
    """
    name = file_name(filename)
    without_accents = "".join(char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char))
    plain = _NOT_PLAIN.sub("_", _UNSAFE.sub("_", without_accents))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def file_name(text: str) -> str:
    """Return ``text`` as a safe file name: no separators, control characters, leading or trailing dots and spaces; never empty."""
    name = _EDGES.sub("", _UNSAFE.sub("_", unicodedata.normalize("NFC", text)))
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > _MAX_EXTENSION:
        stem, dot, extension = name, "", ""
    room = MAX_NAME_BYTES - len(f"{dot}{extension}".encode())
    stem = _EDGES.sub("", stem.encode()[:room].decode(errors="ignore"))
    return f"{stem}{dot}{extension}" if stem else _FALLBACK_NAME
