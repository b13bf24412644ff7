"""The file of a new video: which ones are taken, what they are called in the bucket, and how they are cut into parts."""

from __future__ import annotations

import re
import unicodedata

MIB = 1024 * 1024
MAX_SIZE = 5 * 1024**4
"""Bytes; the largest object of S3 (AWS: "Amazon S3 multipart upload limits")."""
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
"""Content types by the end of the name."""

_PART = 16 * MIB
_ODD = re.compile(r"[^A-Za-z0-9_]+")


def content_type(name: str) -> str:
    """By the end of the file's name; ``ValueError`` for a file that is not taken."""
    kind = _split(name)[1]
    if kind not in TYPES:
        raise ValueError(f"a video is wanted: a file that ends in {', '.join(sorted(TYPES))}")
    return TYPES[kind]


def part_size(size: int) -> int:
    """Bytes of each part but the last: 16 MiB, more where 10,000 of those do not do. ``ValueError`` for a size that no object can have."""
    if not 0 < size <= MAX_SIZE:
        raise ValueError("the file is empty" if size <= 0 else "the file is larger than 5 TiB")
    return max(_PART, -(-size // (MAX_PARTS * MIB)) * MIB)


def part_count(size: int, part: int) -> int:
    return -(-size // part)


def master_key(prefix: str, video_id: str, name: str) -> str:
    """``{prefix}videos/{video_id}/{name}``, the name in letters that every tool can write."""
    stem, kind = _split(name)
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return f"{prefix}videos/{video_id}/{_ODD.sub('-', plain).strip('-')[:100] or 'video'}{kind}"


def _split(name: str) -> tuple[str, str]:
    """What stands before the last dot, and the rest with its dot in lower case; a name that begins with its only dot has no end."""
    stem, dot, end = name.rpartition(".")
    return (stem, f".{end.lower()}") if stem and dot else (name, "")
