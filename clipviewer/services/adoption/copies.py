"""Quick copies of masters in the bucket, known by what they say of themselves (``domain.quick_copy``)."""

from __future__ import annotations

from collections.abc import Sequence

from clipviewer.domain.bucket_contents import Sort, recognised
from clipviewer.domain.quick_copy import original_of
from clipviewer.services.bucket.lookup import find_objects
from clipviewer.services.library.quick_start import QuickCopy
from clipviewer.storage.s3 import ObjectStore

_AT_ONCE = 50


def read_copies(store: ObjectStore, keys: Sequence[str], prefix: str) -> list[QuickCopy]:
    """Those of ``keys`` that are quick copies of videos in the library under ``prefix``, the newest first.

    Asks the store; call it with no transaction open. Raises ``StorageError``.
    """
    copies = []
    for start in range(0, len(keys), _AT_ONCE):
        objects = find_objects(store, keys[start : start + _AT_ONCE])
        originals = {key: original for key, found in objects.items() if (original := original_of(key, found.metadata)) is not None}
        taken = {key: original for key, original in originals.items() if recognised(original.key, 1, prefix) is Sort.VIDEO}
        there = find_objects(store, [original.key for original in taken.values()])
        copies += [QuickCopy(objects[key], original, there.get(original.key)) for key, original in taken.items()]
    return sorted(copies, key=lambda copy: copy.file.modified_at, reverse=True)
