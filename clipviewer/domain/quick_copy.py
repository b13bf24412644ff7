"""The copy of a master that starts quicker: what it is called, and what it says it was made from.

It lies beside that file and says so in its own object metadata, so that both are known for one video from the bucket alone, wherever their
folder is moved to.
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
    """The file that a copy was made from, as it was then."""

    key: str
    etag: str


def quick_key(key: str, work_id: str, attempt: int | str) -> str:
    """Where that attempt of that work puts the copy of ``key``: beside it, under a name that nothing else has."""
    tail = f".quick-{work_id[-8:]}-{attempt}.mp4"
    return _cut(stem(key), len(tail)) + tail


def is_quick_key(key: str) -> bool:
    """Whether it looks like the name of a copy; what the object says of itself decides."""
    return _TAIL.search(key) is not None


def copies_prefix(key: str) -> str:
    """What the keys of all copies begin with that were made from the same file as ``key``, or from ``key`` itself."""
    tail = _TAIL.search(key)
    base = stem(key) if tail is None else key[: tail.start()]
    return _cut(f"{base}.quick-", _LONGEST_TAIL)


def copy_metadata(original: Original) -> dict[str, str]:
    """The metadata of a copy: the name of its original in base 64, which takes every name and stays below 2 KB, and its ETag."""
    name = original.key.rpartition("/")[2]
    return {_COPY_OF: urlsafe_b64encode(name.encode()).decode(), _ETAG: original.etag}


def original_of(key: str, metadata: Mapping[str, str]) -> Original | None:
    """What the object at ``key`` was made from; None where it is no such copy, or says what cannot be."""
    tail = _TAIL.search(key)
    if tail is None or _COPY_OF not in metadata:
        return None
    try:
        name = urlsafe_b64decode(metadata[_COPY_OF]).decode()
        found = Original(check_object_key(f"{key.rpartition('/')[0]}/{name}".removeprefix("/")), metadata.get(_ETAG, "")[:100])
    except ValueError:
        return None
    return found if found.key != key and quick_key(found.key, *tail.groups()) == key else None


def _cut(text: str, room: int) -> str:
    """As much of it as leaves ``room`` bytes of a key."""
    return text.encode()[: MAX_KEY_BYTES - room].decode(errors="ignore")
