"""The job ``previews``: inspect a master, and make its filmstrip and waveform."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clipviewer.db.models import utc_now
from clipviewer.errors import ClipviewerError, ObjectMissing, StorageError, VideoNotFound
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.media.captions.reading import parse_captions
from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.media.previews.filmstrip import COLUMNS, ROWS, picture_size
from clipviewer.media.previews.previews import PREVIEWS_VERSION, Previews, make_previews
from clipviewer.media.source.inspection import Inspection, inspect
from clipviewer.media.source.stored_source import StoredSource
from clipviewer.services import work
from clipviewer.services.adoption.rows import mark_missing
from clipviewer.services.bucket.signing import internal_signer
from clipviewer.services.container import Services
from clipviewer.services.library.opening_media import opening_media
from clipviewer.services.library.video_previews import SeenFile, previews_folder, previews_root, store_findings
from clipviewer.services.library.videos import master_key
from clipviewer.services.room.caption_sources import find_captions

_LOG = logging.getLogger(__name__)
_MADE = 0.95
_TYPES = {".jpg": "image/jpeg", ".webp": "image/webp", ".vtt": "text/vtt", ".json": "application/json"}


def make_video_previews(run: LibraryAttempt) -> Mapping[str, Any]:
    """Inspect, make, publish, record. If the job does not finish, the bucket and the row are as before."""
    services, video_id, prefix = run.services, run.item.subject, run.services.settings.s3_prefix
    seen = _find_file(services, video_id)
    key, etag = seen.stored.key, seen.stored.etag
    signer = internal_signer(services.settings, services.store)
    source = StoredSource(lambda: signer.sign(key).url, etag)
    with opening_media(services.database, video_id, etag, by_person=run.is_asked_for):
        info = inspect(source, run.folder, cancelled=run.cancelled)
        told: dict[str, Any] = {"on_progress": lambda share: run.report(share * _MADE), "cancelled": run.cancelled}
        made = make_previews(run.ffmpeg, source, info, run.folder, **told)
    place = previews_folder(prefix, video_id, etag, f"{run.item.id[-8:]}-{run.item.attempt}")
    with _publish(run, made, info, place) as keys:
        previews = _describe_sheet(made, info, place) | {"etag": etag}
        with services.database.write() as db:
            if not work.is_owned(db, run.item):
                raise MediaCancelled
            if not store_findings(db, video_id, seen, info, previews, prefix):
                raise VideoNotFound
    _sweep(run, previews_root(prefix, video_id), keys)
    return {"captions": _attach_captions(run, info)}


def _find_file(services: Services, video_id: str) -> SeenFile:
    """Return the video's file; raises ``ObjectMissing`` after recording that it is gone."""
    at = utc_now()
    with services.database.read() as db:
        key = master_key(db, video_id)
    try:
        return SeenFile(services.store.head(key), at)
    except ObjectMissing:
        with services.database.write() as db:
            if master_key(db, video_id) == key:
                mark_missing(db, [video_id], at)
        raise


@contextmanager
def _publish(run: LibraryAttempt, made: Previews, info: Inspection, place: str) -> Iterator[set[str]]:
    """Put the files into the bucket and yield their keys; they are removed again if what follows fails."""
    keys: set[str] = set()
    peaks = run.folder / "peaks.json"
    peaks.write_text(json.dumps(_timeline(made, info), separators=(",", ":")), encoding="utf-8")
    try:
        for path in (made.poster, *made.sheets, made.filmstrip, peaks):
            run.check()
            keys.add(place + path.name)
            run.services.store.put_file(place + path.name, path, _TYPES[path.suffix])
        yield keys
    except BaseException:
        for key in keys:
            _remove(run, key)
        raise


def _describe_sheet(made: Previews, info: Inspection, place: str) -> dict[str, Any]:
    """Describe a sheet; sizes are pixels of the whole sheet, which holds ``count`` pictures in rows of ``columns``."""
    width, height = picture_size(info.media.width, info.media.height)
    left = len(_times(made.filmstrip))
    sheets = []
    for sheet in made.sheets:
        count = min(left, COLUMNS * ROWS)
        columns, rows = min(count, COLUMNS), -(-count // COLUMNS)
        size = {"width": columns * width, "height": rows * height}
        sheets.append({"key": place + sheet.name, "columns": columns, "rows": rows, "count": count, **size})
        left -= count
    return {
        "version": PREVIEWS_VERSION,
        "posterKey": place + made.poster.name,
        "filmstripKey": place + made.filmstrip.name,
        "peaksKey": f"{place}peaks.json",
        "sheets": sheets,
        "picture": {"width": width, "height": height},
    }


def _timeline(made: Previews, info: Inspection) -> dict[str, Any]:
    """Return what a timeline needs beside the sheets: loudness (0 to 100, none without sound), and when each picture begins (ms)."""
    peaks = json.loads(made.waveform.read_text(encoding="utf-8")) if made.waveform else {"seconds_per_peak": 0.1, "peaks": []}
    return {
        "version": PREVIEWS_VERSION,
        "durationMs": info.media.duration_ms,
        "secondsPerPeak": peaks["seconds_per_peak"],
        "peaks": peaks["peaks"],
        "timesMs": _times(made.filmstrip),
    }


def _times(filmstrip: Path) -> list[int]:
    return [cue.start_ms for cue in parse_captions(filmstrip.read_bytes(), filmstrip.name).cues]


def _sweep(run: LibraryAttempt, root: str, kept: set[str]) -> None:
    """Remove earlier previews, and leftovers of killed attempts."""
    try:
        for found in list(run.services.store.list(root)):
            if found.key not in kept:
                run.services.store.delete(found.key)
    except StorageError:
        _LOG.warning("the store did not answer; earlier previews are removed with the next ones")


def _remove(run: LibraryAttempt, key: str) -> None:
    try:
        run.services.store.delete(key)
    except StorageError:
        _LOG.warning("the store did not answer; leftover previews are removed with the next ones")


def _attach_captions(run: LibraryAttempt, info: Inspection) -> int:
    """Attach the captions inside the file; return their number. The previews stay if that fails."""
    if not any(track.usable for track in info.captions):
        return 0
    run.check()
    run.report(_MADE, "Reading the captions inside the video")
    try:
        return len(find_captions(run.services, run.item.subject, actor=run.item.requested_by, by_person=False).attached)
    except ClipviewerError as error:
        _LOG.warning("the captions inside a video could not be read: %s", error.code)
        return 0
