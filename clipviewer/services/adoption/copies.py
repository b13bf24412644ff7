"""Find quick-start copies of masters in the bucket by their metadata (``domain.quick_copy``)."""

from __future__ import annotations

from collections.abc import Sequence

from clipviewer.domain.bucket_contents import ObjectKind, classify_object
from clipviewer.domain.quick_copy import parse_original
from clipviewer.services.bucket.lookup import find_objects
from clipviewer.services.library.quick_start import QuickCopy
from clipviewer.storage.s3 import ObjectStore

_AT_ONCE = 50


def read_copies(store: ObjectStore, keys: Sequence[str], prefix: str) -> list[QuickCopy]:
    """Return those of ``keys`` that are quick-start copies of videos under ``prefix``, newest first.

    Calls the store: use it without an open transaction. Raises ``StorageError``.
    """
    copies = []
    for start in range(0, len(keys), _AT_ONCE):
        objects = find_objects(store, keys[start : start + _AT_ONCE])
        originals = {key: original for key, found in objects.items() if (original := parse_original(key, found.metadata)) is not None}
        taken = {key: original for key, original in originals.items() if classify_object(original.key, 1, prefix) is ObjectKind.VIDEO}
        there = find_objects(store, [original.key for original in taken.values()])
        copies += [QuickCopy(objects[key], original, there.get(original.key)) for key, original in taken.items()]
    return sorted(copies, key=lambda copy: copy.file.modified_at, reverse=True)
