"""The library of an empty database, restored from the provenance sidecars in the bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, Video
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_identity import captions_key
from clipviewer.domain.ids import is_id
from clipviewer.domain.language import parse_language
from clipviewer.domain.object_key import check_object_key
from clipviewer.domain.timecode import seconds_to_ms
from clipviewer.errors import Conflict
from clipviewer.services.export_cells import State, framing_json, framing_of, hold_board, set_revision
from clipviewer.services.provenance import SCHEMA
from clipviewer.storage.s3 import ObjectStore, StoredObject


@dataclass(slots=True)
class Rebuilt:
    """How many rows came back; ``unusable`` sidecars were damaged, or the file beside them is gone."""

    videos: int = 0
    clips: int = 0
    exports: int = 0
    unusable: int = 0


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar's JSON, and the file that it stands beside. ``captions_key``: the captions of that file, if they are there."""

    document: Mapping[str, Any]
    file: StoredObject
    captions_key: str | None = None


def read_sidecars(store: ObjectStore, prefix: str, found: Rebuilt) -> list[Sidecar]:
    """Every usable sidecar under ``{prefix}exports/``. Call it with no transaction open; raises ``StorageError``."""
    objects = {item.key: item for item in store.list(f"{prefix}exports/")}
    sidecars = []
    for key in (key for key in objects if key.endswith(".json")):
        file = objects.get(key.removesuffix(".json") + ".mp4")
        try:
            document = json.loads(store.get(key))
            usable = document["schema"] == SCHEMA and file is not None and document["export"]["s3Key"] == file.key
        except (ValueError, KeyError, TypeError):
            usable = False
        if usable and file is not None:
            captions = captions_key(file.key)
            sidecars.append(Sidecar(document, file, captions if document.get("captions") and captions in objects else None))
        else:
            found.unusable += 1
    return sidecars


def rebuild(db: Session, sidecars: list[Sidecar], found: Rebuilt) -> None:
    """Add what the sidecars tell. Raises ``Conflict`` unless the library is empty: it never mixes with what is there."""
    if db.exec(select(Video.id).limit(1)).first() is not None:
        raise Conflict("The library is not empty. Rebuild works on a new, empty database only.")
    for sidecar in sidecars:
        try:
            with db.begin_nested():
                _restore(db, sidecar, found)
        except (ValueError, KeyError, TypeError):
            found.unusable += 1


def _restore(db: Session, sidecar: Sidecar, found: Rebuilt) -> None:
    source, clip, export = (sidecar.document[name] for name in ("source", "clip", "export"))
    start_ms, end_ms = seconds_to_ms(clip["start"]), seconds_to_ms(clip["end"])
    ratio, language = AspectRatio(sidecar.document["aspectRatio"]), parse_language(sidecar.document["targetLanguage"])
    rendered_at = datetime.fromisoformat(sidecar.document["renderedAt"])
    if not 0 <= start_ms < end_ms:
        raise ValueError("the range is empty")
    video, new_video = _video(db, source)
    candidate, new_candidate = _candidate(db, video.id, clip, start_ms, end_ms)
    exported = ExportedClip(
        video_id=video.id,
        identified_clip_id=candidate,
        start_ms=start_ms,
        end_ms=end_ms,
        title=str(clip["title"])[:300],
        s3_key=str(export["s3Key"]),
        etag=sidecar.file.etag,
        size=sidecar.file.size,
        aspect_ratio=ratio.value,
        target_language=language,
        captions_key=sidecar.captions_key,
        created_at=rendered_at,
    )
    db.add(exported)
    db.flush()
    _job(db, sidecar.document, exported, rendered_at)
    found.videos += new_video
    found.clips += new_candidate
    found.exports += 1


def _job(db: Session, document: Mapping[str, Any], exported: ExportedClip, rendered_at: datetime) -> None:
    """The cell that is done, so that the same file is not made again."""
    revision = hold_board(db, exported.video_id) + 1
    job = ExportJob(
        identity=str(document["identity"]),
        video_id=exported.video_id,
        identified_clip_id=exported.identified_clip_id,
        exported_clip_id=exported.id,
        start_ms=exported.start_ms,
        end_ms=exported.end_ms,
        title=exported.title,
        source_etag=str(document["source"]["etag"])[:100],
        aspect_ratio=exported.aspect_ratio,
        target_language=exported.target_language,
        framing=framing_json(framing_of(document["framing"])),
        captions=_captions(document["captions"]),
        recipe=int(document["recipe"]),
        state=State.DONE,
        progress=1.0,
        number=revision,
        revision=revision,
        requested_by=str(document["requestedBy"]["id"])[:64],
        created_at=datetime.fromisoformat(document["requestedAt"]),
        updated_at=rendered_at,
    )
    db.add(job)
    db.flush()
    set_revision(db, exported.video_id, revision)


def _captions(told: Mapping[str, Any] | None) -> str:
    return f"{CaptionMode(told['mode'])}:{told['digest']}"[:100] if told else ""


def _video(db: Session, source: Mapping[str, Any]) -> tuple[Video, bool]:
    key = check_object_key(str(source["s3Key"]))
    known = db.exec(select(Video).where(col(Video.s3_key) == key)).first()
    if known is not None:
        return known, False
    if not is_id(str(source["videoId"]), "video"):
        raise ValueError("not the id of a video")
    video = Video(
        id=str(source["videoId"]),
        title=str(source["title"])[:300],
        s3_key=key,
        etag=str(source["etag"])[:100],
        size=int(source["size"]),
        duration_ms=seconds_to_ms(source["duration"]),
        width=int(source["width"]),
        height=int(source["height"]),
        frame_rate=str(source["frameRate"])[:20],
        poster_key=None if source["posterKey"] is None else check_object_key(str(source["posterKey"])),
    )
    db.add(video)
    db.flush()
    return video, True


def _candidate(db: Session, video_id: str, clip: Mapping[str, Any], start_ms: int, end_ms: int) -> tuple[str | None, bool]:
    """The identified clip that the export came from; None when it was deleted before the export was made."""
    clip_id = clip["id"]
    if clip_id is None or not is_id(str(clip_id), "clip"):
        return None, False
    if db.get(IdentifiedClip, clip_id) is not None:
        return str(clip_id), False
    row = IdentifiedClip(
        id=str(clip_id),
        video_id=video_id,
        reference=(str(clip["reference"]) or str(clip_id))[:200],
        start_ms=start_ms,
        end_ms=end_ms,
        title=str(clip["title"])[:300],
        score=None if clip["score"] is None else float(clip["score"]),
        score_parts={str(name): float(value) for name, value in dict(clip["scoreParts"]).items()},
    )
    db.add(row)
    db.flush()
    return str(clip_id), True
