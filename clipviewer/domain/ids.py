"""Identifiers prefixed with their kind (``video_…``, ``clip_…``): 128 random bits in base 32. They do not sort."""

from __future__ import annotations

import re
import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(r"[a-z]+_[A-Za-z0-9]{1,64}", re.ASCII)


def new_id(kind: str) -> str:
    """Return a new id: ``new_id("clip")`` → ``clip_`` and 26 characters."""
    bits = secrets.randbits(130)
    return f"{kind}_" + "".join(_ALPHABET[(bits >> shift) & 31] for shift in range(0, 130, 5))


def is_id(value: str, kind: str) -> bool:
    """Return whether ``value`` has the form of an id of that kind; it need not exist."""
    return value.startswith(f"{kind}_") and _ID.fullmatch(value) is not None
