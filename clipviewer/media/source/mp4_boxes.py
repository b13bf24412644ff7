"""Top-level boxes of an mp4 (ISO/IEC 14496-12): where its index lies, from box headers alone."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

_MOST_BOXES = 64
_HEADER = 16
_OPENING = {b"ftyp", b"styp", b"wide", b"free", b"skip", b"pdin", b"mdat", b"moov", b"uuid", b"pnot"}


class MoovPlace(StrEnum):
    """Where the index lies. ``LAST``: players read the end of the file first. ``FRAGMENTED``: the index is spread over the file.

    ``NONE``: not an mp4, or one without an index.
    """

    FIRST = "first"
    LAST = "last"
    FRAGMENTED = "fragmented"
    NONE = "none"


def moov_place(read: Callable[[int, int], bytes], size: int) -> MoovPlace:
    """Return where ``moov`` lies. ``read(offset, count)`` returns bytes of a file of ``size`` bytes; called a few times for 16 bytes."""
    offset, seen = 0, set[bytes]()
    for _ in range(_MOST_BOXES):
        header = read(offset, _HEADER) if offset < size else b""
        length, kind = int.from_bytes(header[:4]), header[4:8]
        if length == 1 and len(header) == _HEADER:
            length = int.from_bytes(header[8:])
        elif length == 0:
            length = size - offset
        if length < 8 or (not seen and kind not in _OPENING):
            break
        if kind == b"moof" and b"moov" in seen:
            return MoovPlace.FRAGMENTED
        if {kind, *seen} >= {b"moov", b"mdat"}:
            return MoovPlace.LAST if kind == b"moov" else MoovPlace.FIRST
        seen.add(kind)
        offset += length
    return MoovPlace.NONE
