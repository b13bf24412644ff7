"""The library of an empty database, restored from the provenance sidecars in the bucket."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, select

from clipviewer.db.models import Video, utc_now
from clipviewer.domain.bucket_contents import file_of_sidecar
from clipviewer.domain.export_identity import captions_key
from clipviewer.errors import Conflict
from clipviewer.services.adoption.sidecars import UNUSABLE, Sidecar, belongs_to, read_sidecar, restore
from clipviewer.storage.s3 import ObjectStore


@dataclass(slots=True)
class Rebuilt:
    """How many rows came back; ``unusable`` sidecars were damaged, or the file beside them is gone."""

    videos: int = 0
    clips: int = 0
    exports: int = 0
    unusable: int = 0


def read_sidecars(store: ObjectStore, prefix: str, found: Rebuilt) -> list[Sidecar]:
    """Every usable sidecar under ``{prefix}exports/``. Call it with no transaction open; raises ``StorageError``."""
    objects = {item.key: item for item in store.list(f"{prefix}exports/")}
    sidecars = []
    for key in (key for key in objects if key.endswith(".json")):
        file = objects.get(file_of_sidecar(key))
        document = read_sidecar(store.get(key))
        if document is not None and file is not None and belongs_to(document, file.key):
            captions = captions_key(file.key)
            sidecars.append(Sidecar(document, file, captions if document.get("captions") and captions in objects else None))
        else:
            found.unusable += 1
    return sidecars


def rebuild(db: Session, sidecars: list[Sidecar], found: Rebuilt) -> None:
    """Add what the sidecars tell. Raises ``Conflict`` unless the library is empty: it never mixes with what is there."""
    if db.exec(select(Video.id).limit(1)).first() is not None:
        raise Conflict("The library is not empty. Rebuild works on a new, empty database only; adopt adds to one.")
    for sidecar in sidecars:
        try:
            with db.begin_nested():
                restored = restore(db, sidecar, utc_now())
        except UNUSABLE:
            found.unusable += 1
            continue
        found.videos += restored.new_video
        found.clips += restored.new_clip
        found.exports += 1
