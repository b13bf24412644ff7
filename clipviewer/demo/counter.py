"""The counter burned into demo footage: a readable timecode and frame number, and the frame number as a strip of blocks.

Drawn with a bitmap font of our own, because a bare machine may have no font. It lies so close to the centre that every centre crop keeps
it, and crops keep the full height, so the strip can be located by proportion alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

WIDTH, HEIGHT = 76, 28
SCALE = 4
TOP = 20
MASTER_HEIGHT = 720

_MARGIN, _BLOCK, _STRIP_HEIGHT = 2, 4, 4
_BITS = 16
_BLOCKS = _BITS + 2
_DARK, _LIGHT = 20, 236
_MIDDLE = 128

_GLYPHS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "01110 10001 00001 00110 00001 10001 01110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "01110 10000 11110 10001 10001 10001 01110",
    "7": "11111 00001 00010 00100 00100 00100 00100",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 10001 01111 00001 01110",
    ":": "00000 00100 00100 00000 00100 00100 00000",
    " ": "00000 00000 00000 00000 00000 00000 00000",
    "F": "11111 10000 10000 11110 10000 10000 10000",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "M": "10001 11011 10101 10101 10001 10001 10001",
    "E": "11111 10000 10000 11110 10000 10000 11111",
}
_PIXELS = {char: [bytes(_LIGHT if bit == "1" else _DARK for bit in row + "0") for row in rows.split()] for char, rows in _GLYPHS.items()}
_BLANK = bytes([_DARK]) * WIDTH


def counter_frames(count: int, frame_rate: int) -> Iterator[bytes]:
    """Yield ``count`` pictures of ``WIDTH`` × ``HEIGHT`` grey bytes, to be scaled up by ``SCALE``."""
    for number in range(count):
        yield _picture(number, frame_rate)


def read_frame_number(luma: Callable[[int, int], int], width: int, height: int) -> int:
    """Read the frame number in a picture of ``width`` × ``height`` pixels, for any centre crop and size; ``luma(x, y)`` is 0 to 255.

    Raises ``ValueError`` if there is no strip or its checksum is wrong.
    """
    block = _BLOCK * SCALE * height / MASTER_HEIGHT
    y = round((TOP + (_MARGIN + _STRIP_HEIGHT / 2) * SCALE) * height / MASTER_HEIGHT)
    centres = [round(width / 2 + (index - (_BLOCKS - 1) / 2) * block) for index in range(_BLOCKS)]
    bits = [luma(x, y) > _MIDDLE for x in centres]
    guard, *number, parity = bits
    if not guard or sum(number) % 2 != parity:
        raise ValueError("the picture carries no frame number that can be read")
    return int("".join("1" if bit else "0" for bit in number), 2)


def _picture(number: int, frame_rate: int) -> bytes:
    seconds, frame = divmod(number, frame_rate)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    rows = [
        *[_BLANK] * _MARGIN,
        *[_strip(number)] * _STRIP_HEIGHT,
        *[_BLANK] * 3,
        *_text(f"{hours:02d}:{minute:02d}:{second:02d}:{frame:02d}"),
        *[_BLANK] * 3,
        *_text(f"FRAME {number:05d}"),
        *[_BLANK] * _MARGIN,
    ]
    return b"".join(rows)


def _strip(number: int) -> bytes:
    """Return a light guard, sixteen bits (highest first), and a parity block."""
    bits = f"1{number:0{_BITS}b}{number.bit_count() % 2}"
    return b"".join(bytes([_LIGHT if bit == "1" else _DARK]) * _BLOCK for bit in bits).center(WIDTH, bytes([_DARK]))


def _text(text: str) -> list[bytes]:
    return [b"".join(_PIXELS[char][row] for char in text).center(WIDTH, bytes([_DARK])) for row in range(7)]
