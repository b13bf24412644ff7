"""Rebuild the library of an empty database from the provenance sidecars in the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.models import IdentifiedClip, Video, utc_now
from clipviewer.domain.bucket_contents import ObjectKind, classify_object, export_of_sidecar
from clipviewer.domain.export_identity import captions_key
from clipviewer.domain.quick_copy import copies_prefix, is_quick_key
from clipviewer.errors import ClipviewerError, Conflict
from clipviewer.services.adoption import rows
from clipviewer.services.adoption.copies import read_copies
from clipviewer.services.adoption.sidecars import UNUSABLE, Sidecar, describes_file, read_sidecar, restore
from clipviewer.services.adoption.typed import restore_typed
from clipviewer.services.adoption.video_sidecars import VideoSidecar
from clipviewer.services.library.quick_start import QuickCopy
from clipviewer.storage.s3 import ObjectStore

_LISTS_AT_ONCE = 8


@dataclass(slots=True)
class Rebuilt:
    """The number of restored rows; ``unusable`` sidecars are damaged or have no file."""

    videos: int = 0
    clips: int = 0
    exports: int = 0
    unusable: int = 0


def read_sidecars(store: ObjectStore, prefix: str, found: Rebuilt) -> list[Sidecar]:
    """Return every usable sidecar under ``{prefix}exports/``, newest first. Needs no open transaction; raises ``StorageError``."""
    objects = {item.key: item for item in store.list(f"{prefix}exports/")}
    sidecars = []
    for key in (key for key in objects if key.endswith(".json")):
        file = objects.get(export_of_sidecar(key))
        document = read_sidecar(store.get(key))
        if document is not None and file is not None and describes_file(document, file.key):
            captions = captions_key(file.key)
            sidecars.append(Sidecar(document, file, captions if document.get("captions") and captions in objects else None))
        else:
            found.unusable += 1
    return sorted(sidecars, key=lambda one: str(one.document.get("renderedAt")), reverse=True)


def find_copies(store: ObjectStore, prefix: str, sidecars: Sequence[Sidecar]) -> list[QuickCopy]:
    """Return the quick-start copies of the sidecars' videos. Needs no open transaction; raises ``StorageError``."""
    beside = sorted({copies_prefix(one.source_key) for one in sidecars if classify_object(one.source_key, 1, prefix) is ObjectKind.VIDEO})
    with ThreadPoolExecutor(_LISTS_AT_ONCE) as threads:
        listed = threads.map(lambda start: [item.key for item in store.list(start) if is_quick_key(item.key)], beside)
        return read_copies(store, [key for keys in listed for key in keys], prefix)


def rebuild(
    db: Session,
    sidecars: Sequence[Sidecar],
    copies: Sequence[QuickCopy],
    found: Rebuilt,
    *,
    typed: Iterable[VideoSidecar] = (),
    prefix: str = "",
) -> None:
    """Add what the sidecars of exports describe, each video with its current master, and what people ``typed``.

    Raises ``Conflict`` unless the library is empty: it never mixes with existing rows.
    """
    if db.scalars(select(col(Video.id)).limit(1)).first() is not None:
        raise Conflict("The library is not empty. Rebuild needs a new, empty database. To add to this library, use import.")
    for sidecar in sidecars:
        try:
            with db.begin_nested():
                restored = restore(db, sidecar, utc_now())
        except UNUSABLE:
            found.unusable += 1
            continue
        if restored.new_video:
            found.videos += 1
            rows.enqueue_previews(db, [restored.video_id])
        found.exports += 1
    for one in typed:
        try:
            with db.begin_nested():
                new = restore_typed(db, one, utc_now(), prefix=prefix)
        except (*UNUSABLE, ClipviewerError):
            found.unusable += 1
            continue
        found.videos += new
        if new:
            rows.enqueue_previews(db, [str(one.document["videoId"])])
    found.clips = db.execute(select(func.count()).select_from(IdentifiedClip)).scalar_one()
    rows.record_copies(db, copies, utc_now())
