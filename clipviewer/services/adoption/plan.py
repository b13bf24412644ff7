"""Plan the import of one page of a listing: which objects are new, changed, back, known or ignored, and why.

One query tells what the library knows of a page's keys. Companions (a sidecar and its file, captions and their video) may be split over
two pages, so what has not found its companion is carried over to the next page once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, Row, String, bindparam, literal, null, select, union_all
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.adoption_models import AdoptedCaptions
from clipviewer.db.clip_models import RemovedItem, VideoCaptions
from clipviewer.db.export_models import ExportUpload
from clipviewer.db.master_models import FormerMaster
from clipviewer.db.models import ExportedClip, Video
from clipviewer.db.upload_models import VideoUpload
from clipviewer.domain.bucket_contents import MAX_SIDECAR, Ignored, ObjectKind, classify_object, export_of_sidecar, stem, stems_of_captions
from clipviewer.domain.export_identity import sidecar_key
from clipviewer.domain.master_file import TYPES
from clipviewer.domain.quick_copy import is_quick_key
from clipviewer.media.captions.track_language import language_of_code
from clipviewer.services.library import uploads
from clipviewer.services.library.removed_items import CAPTIONS
from clipviewer.storage.s3 import StoredObject

_CHUNK = 1_000
_WANTED: BindParameter[Any] = bindparam("wanted", expanding=True)


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """Captions beside the video with the key ``master``. ``instead_of`` is the digest of the track from the file's earlier content."""

    file: StoredObject
    master: str
    language: str
    instead_of: str = ""


@dataclass(slots=True)
class Plan:
    """The plan of a page. ``changed`` and ``back`` hold ids of rows with what the bucket has now; ``known`` counts the rest.

    ``clips`` are mp4s with a JSON file beside each, which tells whether they are exports; ``copies`` are named like quick-start copies.
    ``met`` are the keys of existing videos and exports; ``masters`` are the page's videos by the stems of their keys.
    """

    videos: list[StoredObject] = field(default_factory=list)
    clips: list[StoredObject] = field(default_factory=list)
    copies: list[StoredObject] = field(default_factory=list)
    captions: list[CaptionFile] = field(default_factory=list)
    changed: list[tuple[str, StoredObject]] = field(default_factory=list)
    back: list[tuple[str, StoredObject]] = field(default_factory=list)
    ignored: list[tuple[StoredObject, Ignored]] = field(default_factory=list)
    carried: list[StoredObject] = field(default_factory=list)
    masters: dict[str, str] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)
    known: int = 0

    def assign_companions(self, keys: Collection[str]) -> None:
        """Assign captions and sidecars beside exports to them."""
        sidecars = {sidecar_key(key) for key in keys}
        self.ignored = [(item, Ignored.OWN if item.key in sidecars else reason) for item, reason in self.ignored]
        self.ignored += [(found.file, Ignored.OWN) for found in self.captions if found.master in keys]
        self.captions = [found for found in self.captions if found.master not in keys]
        self.masters = {base: key for base, key in self.masters.items() if key not in keys}


def plan_page(db: Session, page: Sequence[StoredObject], prefix: str, before: Plan | None = None) -> Plan:
    """Plan a page of a listing under the library's ``prefix``; ``before`` is the plan of the previous page."""
    plan, before, sorts = Plan(), before or Plan(), {item.key: classify_object(item.key, item.size, prefix) for item in page}
    known, carried = _find_known(db, sorts), before.carried
    exports = {key for key, row in known.items() if row.sort == ObjectKind.EXPORT}
    plan.masters = {stem(item.key): item.key for item in page if sorts[item.key] is ObjectKind.VIDEO and item.key not in exports}
    objects = {item.key: item for item in (*carried, *page)}
    for item in page:
        match sorts[item.key]:
            case Ignored() as reason:
                plan.ignored.append((item, reason))
            case ObjectKind.VIDEO | ObjectKind.EXPORT as sort:
                _plan_file(plan, item, known.get(item.key), objects.get(sidecar_key(item.key)), is_ours=sort is ObjectKind.EXPORT)
    _plan_sidecars(plan, page, carried, sorts, known, prefix)
    _plan_captions(db, plan, page, before, sorts, known)
    return plan


def _plan_file(plan: Plan, item: StoredObject, row: Row[Any] | None, sidecar: StoredObject | None, *, is_ours: bool) -> None:
    if row is None:
        if is_quick_key(item.key) and not is_ours:
            plan.copies.append(item)
        elif sidecar is not None and sidecar.size <= MAX_SIDECAR:
            plan.clips.append(item)
        elif is_ours:
            plan.ignored.append((item, Ignored.NO_SIDECAR))
        else:
            plan.videos.append(item)
        return
    if row.sort == _ARRIVING:
        plan.ignored.append((item, Ignored.ARRIVING))
        return
    plan.met.append(item.key)
    if row.deleted:
        plan.ignored.append((item, Ignored.DELETED))
    elif row.etag != item.etag:
        plan.changed.append((row.id, item))
    elif row.missing:
        plan.back.append((row.id, item))
    else:
        plan.known += 1


def _plan_sidecars(
    plan: Plan,
    page: Sequence[StoredObject],
    carried: Sequence[StoredObject],
    sorts: Mapping[str, ObjectKind | Ignored],
    known: Mapping[str, Row[Any]],
    prefix: str,
) -> None:
    """Pair each JSON file with the mp4 that follows it; one without is ignored, or belongs to an export whose file is gone."""
    here = {item.key for item in page}
    for item in carried:
        if item.key.endswith(".json"):
            plan.ignored.append(
                (
                    item,
                    _pair_with_export(item.key, prefix, known)
                    if export_of_sidecar(item.key) in here
                    else _plan_lone_sidecar(item.key, prefix),
                )
            )
    last = page[-1].key if page else ""
    for item in page:
        if sorts[item.key] is not ObjectKind.SIDECAR:
            continue
        file = export_of_sidecar(item.key)
        if file in here:
            plan.ignored.append((item, _pair_with_export(item.key, prefix, known)))
        elif file > last:
            plan.carried.append(item)
        else:
            plan.ignored.append((item, _plan_lone_sidecar(item.key, prefix)))


def _pair_with_export(key: str, prefix: str, known: Mapping[str, Row[Any]]) -> Ignored:
    row = known.get(export_of_sidecar(key))
    is_export = key.startswith(f"{prefix}exports/") or (row is not None and row.sort == ObjectKind.EXPORT)
    return Ignored.OWN if is_export else Ignored.OTHER


def _plan_lone_sidecar(key: str, prefix: str) -> Ignored:
    return Ignored.NO_FILE if key.startswith(f"{prefix}exports/") else Ignored.OTHER


def _plan_captions(
    db: Session,
    plan: Plan,
    page: Sequence[StoredObject],
    before: Plan,
    sorts: Mapping[str, ObjectKind | Ignored],
    known: Mapping[str, Row[Any]],
) -> None:
    waiting = [item for item in before.carried if not item.key.endswith(".json")]
    asked = [item for item in page if sorts[item.key] is ObjectKind.CAPTIONS]
    masters = before.masters | plan.masters | _known_masters(db, [*waiting, *asked])
    named = find_videos_by_key(db, [key for item in (*waiting, *asked) for key in _masters_by_stem(item.key, masters)])
    languages = _languages(db, named.values())
    removed = _removed_languages(db, named.values())
    exports = {stem(key) for key, row in known.items() if row.sort == ObjectKind.EXPORT}
    for item in (*waiting, *asked):
        if stem(item.key) in exports:
            plan.ignored.append((item, Ignored.OWN))
            continue
        row = known.get(item.key)
        if row is not None and row.etag == item.etag:
            plan.known += 1
            continue
        stems = stems_of_captions(item.key)
        found = next(((masters[base], language_of_code(tag) or tag) for base, tag in stems if base in masters), None)
        if found is None:
            (plan.ignored.append((item, Ignored.NO_VIDEO)) if item in waiting else plan.carried.append(item))
            continue
        master, language = found
        there = languages.get((named.get(master, ""), language))
        if (named.get(master, ""), language) in removed:
            plan.ignored.append((item, Ignored.REMOVED))
        elif there is not None and (row is None or there != row.note):
            plan.ignored.append((item, Ignored.LANGUAGE))
        else:
            plan.captions.append(CaptionFile(item, master, language, row.note if row is not None else ""))


def _masters_by_stem(key: str, masters: Mapping[str, str]) -> list[str]:
    return [masters[base] for base, _ in stems_of_captions(key) if base in masters]


def _known_masters(db: Session, items: Sequence[StoredObject]) -> dict[str, str]:
    """Return the library's videos that captions may belong to, by the stems of their keys."""
    bases = dict.fromkeys(base for item in items for base, _ in stems_of_captions(item.key))
    keys = [base + end for base in bases for kind in TYPES for end in (kind, kind.upper())]
    return {stem(key): key for key in find_videos_by_key(db, keys)}


def find_videos_by_key(db: Session, keys: Iterable[str]) -> dict[str, str]:
    """Return the ids of videos that are, or were before a quick-start copy, one of these objects, by key; without deleted ones."""
    rows = [row for chunk in _chunks(dict.fromkeys(keys)) for row in db.execute(_NAMED, {"wanted": chunk})]
    return {row.s3_key: row.id for row in sorted(rows, key=lambda row: bool(row.is_present))}


def _languages(db: Session, video_ids: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the digest of the existing track, by video and language."""
    query = select(col(VideoCaptions.video_id), col(VideoCaptions.language), col(VideoCaptions.digest)).where(
        col(VideoCaptions.video_id).in_(_WANTED)
    )
    rows = [row for chunk in _chunks(dict.fromkeys(video_ids)) for row in db.execute(query, {"wanted": chunk})]
    return {(row.video_id, row.language): row.digest for row in rows}


def _removed_languages(db: Session, video_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Return the videos and languages whose captions a person removed."""
    query = select(col(RemovedItem.video_id), col(RemovedItem.name)).where(
        col(RemovedItem.kind) == CAPTIONS, col(RemovedItem.video_id).in_(_WANTED)
    )
    return {(row.video_id, row.name) for chunk in _chunks(dict.fromkeys(video_ids)) for row in db.execute(query, {"wanted": chunk})}


_ARRIVING = "arriving"
_no = literal(False)
_EMPTY = literal("")
_is_kept = col(Video.deleted_at).is_(None)
_NAMED = union_all(
    select(col(Video.s3_key), col(Video.id), literal(True).label("is_present")).where(col(Video.s3_key).in_(_WANTED), _is_kept),
    select(col(FormerMaster.s3_key), col(Video.id), _no)
    .join_from(FormerMaster, Video, col(Video.id) == col(FormerMaster.video_id))
    .where(col(FormerMaster.s3_key).in_(_WANTED), _is_kept),
)
_KNOWN: CompoundSelect[Any] = union_all(
    select(
        literal(ObjectKind.VIDEO.value).label("sort"),
        col(Video.id).label("id"),
        col(Video.s3_key).label("s3_key"),
        col(Video.etag).label("etag"),
        col(Video.missing_at).is_not(None).label("missing"),
        col(Video.deleted_at).is_not(None).label("deleted"),
        _EMPTY.label("note"),
    ).where(col(Video.s3_key).in_(_WANTED)),
    select(
        literal(ObjectKind.EXPORT.value),
        col(ExportedClip.id),
        col(ExportedClip.s3_key),
        col(ExportedClip.etag),
        col(ExportedClip.missing_at).is_not(None),
        _no,
        _EMPTY,
    ).where(col(ExportedClip.s3_key).in_(_WANTED)),
    select(
        literal(ObjectKind.CAPTIONS.value),
        col(AdoptedCaptions.video_id),
        col(AdoptedCaptions.s3_key),
        col(AdoptedCaptions.etag),
        _no,
        _no,
        col(AdoptedCaptions.digest),
    ).where(col(AdoptedCaptions.s3_key).in_(_WANTED)),
    # A former master is known in the state that was copied; once its key holds anything else it is a file of its own.
    select(
        literal(ObjectKind.VIDEO.value), col(FormerMaster.video_id), col(FormerMaster.s3_key), col(FormerMaster.etag), _no, _no, _EMPTY
    ).where(col(FormerMaster.s3_key).in_(_WANTED)),
    select(literal(_ARRIVING), null().cast(String), col(VideoUpload.s3_key), _EMPTY, _no, _no, _EMPTY).where(
        col(VideoUpload.s3_key).in_(_WANTED), col(VideoUpload.state).in_([state.value for state in uploads.UNFINISHED])
    ),
    select(literal(_ARRIVING), null().cast(String), col(ExportUpload.s3_key), _EMPTY, _no, _no, _EMPTY).where(
        col(ExportUpload.s3_key).in_(_WANTED)
    ),
)


def _find_known(db: Session, keys: Iterable[str]) -> dict[str, Row[Any]]:
    """Return what the library has at these keys; unfinished uploads do not count."""
    rows = [row for chunk in _chunks(keys) for row in db.execute(_KNOWN, {"wanted": chunk})]
    return {row.s3_key: row for row in sorted(rows, key=lambda row: row.sort != _ARRIVING)}


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    left = iter(values)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
