"""Valid object keys.

S3 accepts almost any 1,024 bytes of UTF-8 (AWS: "Naming Amazon S3 objects"). This product also refuses keys that can be confused with
another key or path: control characters, ``.`` and ``..`` segments, a leading slash, empty segments and backslashes.
"""

from __future__ import annotations

import re

MAX_KEY_BYTES = 1024
_CONTROL_OR_BACKSLASH = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")
_PATH_SEGMENTS = frozenset(("", ".", ".."))


def check_object_key(key: str, prefix: str = "") -> str:
    """Return the key if it is valid and lies under ``prefix``; otherwise raise ``ValueError`` with the reason."""
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise ValueError("the key is not valid Unicode") from error
    if not 0 < size <= MAX_KEY_BYTES:
        raise ValueError(f"the key must have 1 to {MAX_KEY_BYTES} bytes")
    if _CONTROL_OR_BACKSLASH.search(key):
        raise ValueError("the key must not contain control characters or backslashes")
    if not _PATH_SEGMENTS.isdisjoint(key.split("/")):
        raise ValueError("the key must not contain empty, . or .. segments")
    if not key.startswith(prefix):
        raise ValueError("the key is outside the configured prefix")
    return key
