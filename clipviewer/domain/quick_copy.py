"""Quick-start copies of masters: their keys, and the metadata that names the original.

A copy lies beside its original and names it in its object metadata, so the bucket alone shows that both are one video, wherever their
folder is moved.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from clipviewer.domain.bucket_contents import stem
from clipviewer.domain.object_key import MAX_KEY_BYTES, check_object_key

_COPY_OF, _ETAG = "clipviewer-copy-of", "clipviewer-copy-of-etag"
_TAIL = re.compile(r"\.quick-([A-Za-z0-9]{8})-([1-9][0-9]{0,3})\.mp4\Z", re.ASCII)
_LONGEST_TAIL = 32


@dataclass(frozen=True, slots=True)
class Original:
    """The file that a copy was made from, as it was at that time."""

    key: str
    etag: str


def quick_key(key: str, work_id: str, attempt: int | str) -> str:
    """Return the key for the copy of ``key`` made by one attempt of a job: beside the original, under a unique name."""
    tail = f".quick-{work_id[-8:]}-{attempt}.mp4"
    return _shorten(stem(key), len(tail)) + tail


def is_quick_key(key: str) -> bool:
    """Return whether ``key`` has the form of a copy's key; the object's metadata decides."""
    return _TAIL.search(key) is not None


def copies_prefix(key: str) -> str:
    """Return the common key prefix of all copies of the same file as ``key``, or of ``key`` itself."""
    tail = _TAIL.search(key)
    base = stem(key) if tail is None else key[: tail.start()]
    return _shorten(f"{base}.quick-", _LONGEST_TAIL)


def copy_metadata(original: Original) -> dict[str, str]:
    """Return the copy's metadata: the original's name in base 64 (any name fits, under 2 KB) and its ETag."""
    name = original.key.rpartition("/")[2]
    return {_COPY_OF: urlsafe_b64encode(name.encode()).decode(), _ETAG: original.etag}


def parse_original(key: str, metadata: Mapping[str, str]) -> Original | None:
    """Return what the object at ``key`` was made from; None if it is not a copy or its metadata is invalid."""
    tail = _TAIL.search(key)
    if tail is None or _COPY_OF not in metadata:
        return None
    try:
        name = urlsafe_b64decode(metadata[_COPY_OF]).decode()
        found = Original(check_object_key(f"{key.rpartition('/')[0]}/{name}".removeprefix("/")), metadata.get(_ETAG, "")[:100])
    except ValueError:
        return None
    return found if found.key != key and quick_key(found.key, *tail.groups()) == key else None


def _shorten(text: str, room: int) -> str:
    """Shorten ``text`` to leave ``room`` bytes of a key."""
    return text.encode()[: MAX_KEY_BYTES - room].decode(errors="ignore")
