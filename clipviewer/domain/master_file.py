"""Files of new videos: accepted types, keys in the bucket, and part sizes for multipart uploads."""

from __future__ import annotations

import re
import unicodedata

MIB = 1024 * 1024
MAX_SIZE = 5 * 1024**4
"""The largest S3 object in bytes (AWS: "Amazon S3 multipart upload limits")."""
MAX_PARTS = 10_000
MAX_NAME = 255
TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
    ".ts": "video/mp2t",
    ".mts": "video/mp2t",
    ".m2ts": "video/mp2t",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".flv": "video/x-flv",
    ".ogv": "video/ogg",
}
"""Content types by extension."""

_PART = 16 * MIB
_ODD = re.compile(r"[^A-Za-z0-9_]+")


def content_type(name: str) -> str:
    """Return the content type for the file's extension; raises ``ValueError`` for an unsupported type."""
    kind = _split(name)[1]
    if kind not in TYPES:
        raise ValueError(f"unsupported file type; use {', '.join(sorted(TYPES))}")
    return TYPES[kind]


def part_size(size: int) -> int:
    """Return the part size in bytes: 16 MiB, or more if 10,000 such parts are too few. Raises ``ValueError`` above S3's limit."""
    if not 0 < size <= MAX_SIZE:
        raise ValueError("the file is empty" if size <= 0 else "the file is larger than 5 TiB")
    return max(_PART, -(-size // (MAX_PARTS * MIB)) * MIB)


def part_count(size: int, part: int) -> int:
    return -(-size // part)


def master_key(prefix: str, video_id: str, name: str) -> str:
    """Return ``{prefix}videos/{video_id}/{name}`` with the name reduced to characters that every tool can write."""
    stem, kind = _split(name)
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return f"{prefix}videos/{video_id}/{_ODD.sub('-', plain).strip('-')[:100] or 'video'}{kind}"


def _split(name: str) -> tuple[str, str]:
    """Split a name into stem and extension (with its dot, in lower case). A leading dot starts no extension."""
    stem, dot, end = name.rpartition(".")
    return (stem, f".{end.lower()}") if stem and dot else (name, "")
