"""Small video files that cost a careless reader gigabytes, and what a process and its children hold in memory meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from clipviewer.media.ffmpeg import Ffmpeg

SAMPLES = 60_000_000
SIDE = 16_000
_PICTURES = 3
_EMPTY_MACROBLOCK = 0b00100111
"""I_16x16 with DC prediction and nothing else, in eight bits (ITU-T H.264, 7.3.5): grey."""


def many_samples(path: Path) -> Path:
    """Write a .mov of one small picture whose sample tables (ISO/IEC 14496-12, 8.6 and 8.7) claim 60 million of them."""
    Ffmpeg().run(["-f", "lavfi", "-i", "testsrc2=s=128x128:r=25", "-frames:v", "1", "-pix_fmt", "yuv420p", "-y", str(path)], timeout=60)
    data = bytearray(path.read_bytes())
    for box, offset in ((b"stsz", 8), (b"stts", 8), (b"stsc", 12)):
        at = data.index(box) + len(box) + offset
        data[at : at + 4] = SAMPLES.to_bytes(4)
    path.write_bytes(data)
    return path


def huge_picture(path: Path) -> Path:
    """Write a .mov of 3 MB with grey H.264 pictures of 16,000 × 16,000 pixels."""
    raw = path.with_suffix(".h264")
    raw.write_bytes(_sequence() + b"".join(_picture(number) for number in range(_PICTURES)))
    Ffmpeg().run(["-f", "h264", "-r", "1", "-i", str(raw), "-c", "copy", "-y", str(path)], timeout=60)
    raw.unlink()
    return path


def _sequence() -> bytes:
    """Return the sequence and the picture parameter set: Baseline, level 6.2, ``SIDE`` pixels wide and high."""
    blocks = SIDE // 16 - 1
    sequence = f"{66:08b}{0:08b}{62:08b}" + _golomb(0, 0, 2, 0) + "0" + _golomb(blocks, blocks) + "1100"
    picture = _golomb(0, 0) + "00" + _golomb(0, 0, 0) + "000" + _golomb(0, 0, 0) + "000"
    return _unit(0x67, sequence) + _unit(0x68, picture)


def _picture(number: int) -> bytes:
    """Return a picture that needs no other: one slice of grey blocks."""
    header = _golomb(0, 7, 0) + "0000" + _golomb(number % 2) + "00" + _golomb(0)
    lead, bits = divmod(len(header), 8)
    value = int(header, 2) << 8 * (SIDE // 16) ** 2 | int.from_bytes(bytes([_EMPTY_MACROBLOCK]) * (SIDE // 16) ** 2)
    left = 7 - bits
    value = value << 1 + left | 1 << left
    return b"\0\0\0\1\x65" + value.to_bytes(lead + (SIDE // 16) ** 2 + 1)


def _golomb(*values: int) -> str:
    """Return unsigned Exp-Golomb codes (ITU-T H.264, 9.1)."""
    return "".join(f"{value + 1:0{2 * (value + 1).bit_length() - 1}b}" for value in values)


def _unit(kind: int, bits: str) -> bytes:
    bits += "1"
    bits += "0" * (-len(bits) % 8)
    return b"\0\0\0\1" + bytes([kind]) + int(bits, 2).to_bytes(len(bits) // 8)


@dataclass(slots=True)
class Watched:
    """The most memory held while watching, above what was held before, in MiB: by this process, and by it and its children together."""

    own: float = 0
    together: float = 0


@contextmanager
def watched() -> Iterator[Watched]:
    """Watch the resident memory (VmRSS of proc(5)) of this process and everything that it has started."""
    seen, over, found = _resident(), Event(), Watched()

    def watch() -> None:
        while not over.wait(0.01):
            own, together = _resident()
            found.own, found.together = max(found.own, own - seen[0]), max(found.together, together - seen[1])

    thread = Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _resident() -> tuple[float, float]:
    """Return the MiB held by this process, and by it with all its descendants."""
    held: dict[int, float] = {}
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        except (OSError, ValueError):
            continue
        pid = int(folder.name)
        held[pid], parents[pid] = int(status.get("VmRSS", "0").split()[0]) / 1024, int(status["PPid"])
    me, family = os.getpid(), {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return held[me], sum(held[pid] for pid in family)
