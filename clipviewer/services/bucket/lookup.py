"""Check which of many objects exist in the bucket."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from clipviewer.errors import ObjectMissing, StorageDenied
from clipviewer.storage.s3 import ObjectStore, StoredObject

_HEADS_AT_ONCE = 16
_WORTH_A_LIST = 64


def find_objects(store: ObjectStore, keys: Iterable[str]) -> dict[str, StoredObject]:
    """Return those of ``keys`` that exist, with parallel requests. Needs no open transaction. Raises ``StorageError``."""
    missing = set(keys)
    found: dict[str, StoredObject] = {}
    if len(missing) > _WORTH_A_LIST:
        complete = _find_by_listing(store, missing, found)
        missing = set() if complete else missing - found.keys()
    with ThreadPoolExecutor(_HEADS_AT_ONCE) as threads:
        found.update((item.key, item) for item in threads.map(lambda key: _head(store, key), sorted(missing)) if item)
    return found


def _find_by_listing(store: ObjectStore, keys: set[str], found: dict[str, StoredObject]) -> bool:
    """Add to ``found`` what a listing from the common prefix of ``keys`` has; return whether that settled every key.

    A request lists 1,000 objects, so this is faster unless far more objects lie there, or listing is not allowed.
    """
    first, last = min(keys), max(keys)
    shared = next((index for index, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    try:
        for count, item in enumerate(store.list(first[:shared]), 1):
            if item.key in keys:
                found[item.key] = item
            if len(found) == len(keys):
                return True
            if count == 4 * len(keys) + 1000:
                return False
    except StorageDenied:
        return False
    return True


def _head(store: ObjectStore, key: str) -> StoredObject | None:
    try:
        return store.head(key)
    except ObjectMissing:
        return None
