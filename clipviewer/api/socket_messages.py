"""Which frames of the event socket are well formed.

The libraries behind it raise for many that are not, and write the traceback into the log. Sources: Engine.IO protocol 4, Socket.IO
protocol 5; of both only what a page sends.
"""

from __future__ import annotations

import json
import re
from typing import Any

_PACKET = re.compile(r"4(?P<type>[012])/_event(?:,(?P<rest>.*))?", re.DOTALL)
_ACKNOWLEDGED = re.compile(r"\A[0-9]{1,10}(?=\[)")
_ENGINE_PACKETS = ("1", "3")
"""Close, and the answer to a ping."""
_CONNECT, _DISCONNECT, _EVENT = "0", "1", "2"
_MAX_DEPTH = 50
"""Levels of lists and objects. Pages send about five; code that walks a message recursively fails from 250 on."""


def is_well_formed(frame: str | None) -> bool:
    """Return whether a text frame is one that a page sends: to connect, to disconnect, or an event with its arguments."""
    if frame in _ENGINE_PACKETS:
        return True
    packet = _PACKET.fullmatch(frame or "")
    if packet is None:
        return False
    rest = packet["rest"] or ""
    if packet["type"] == _DISCONNECT or (packet["type"] == _CONNECT and not rest):
        return not rest
    try:
        data = _parse(_ACKNOWLEDGED.sub("", rest, count=1) if packet["type"] == _EVENT else rest)
    except (ValueError, RecursionError):
        return False
    return packet["type"] == _CONNECT or (isinstance(data, list) and bool(data))


def _parse(text: str) -> Any:
    """Return the JSON value. Raises ``ValueError`` or ``RecursionError`` if ``text`` is not JSON, or too deep."""
    value = json.loads(text)
    if text.count("[") + text.count("{") > _MAX_DEPTH and not _is_shallow(value, _MAX_DEPTH):
        raise ValueError("too deep")
    return value


def _is_shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    return levels > 0 and all(_is_shallow(item, levels - 1) for item in (value.values() if isinstance(value, dict) else value))
