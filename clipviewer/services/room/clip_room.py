"""What the clip room shows: a window of each list, and presigned URLs for what can be clicked next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from clipviewer.errors import ClipNotFound, SigningFailed
from clipviewer.services.bucket.signing import SignedUrl, UrlSigner
from clipviewer.services.cells.filters import ExportFilters
from clipviewer.services.library.videos import VideoDetails, video_details
from clipviewer.services.room import clips
from clipviewer.services.room.clips import ANY, ExportedClipView, IdentifiedClipView
from clipviewer.services.room.playable import playable_keys
from clipviewer.services.room.recaptioned import recaptioned_jobs

EXPORTED, IDENTIFIED = "exported", "identified"
WINDOW = 60

Clip = TypeVar("Clip", ExportedClipView, IdentifiedClipView)


@dataclass(frozen=True, slots=True)
class Window(Generic[Clip]):
    """``items`` are the clips from ``offset`` on, at most ``WINDOW`` of ``total``."""

    items: Sequence[Clip]
    offset: int
    total: int

    def find(self, clip_id: str) -> Clip | None:
        return next((clip for clip in self.items if clip.id == clip_id), None)


@dataclass(frozen=True, slots=True)
class Room:
    """An open room. ``tab`` is the one with the requested clip; ``clip_missing`` says that there is no such clip."""

    video: VideoDetails
    tab: str
    exported: Window[ExportedClipView]
    identified: Window[IdentifiedClipView]
    exported_clip: ExportedClipView | None
    identified_clip: IdentifiedClipView | None
    clip_missing: bool


def open_room(db: Session, video_id: str, *, clip_id: str = "", tab: str = "", filters: ExportFilters = ANY) -> Room:
    """Return the room of ``video_id``, opened at ``clip_id`` or the first clip; raises ``VideoNotFound``.

    A video without exports opens at its candidates, where clips are found and marked over the master. An export that ``filters`` exclude
    from the list can still be opened.
    """
    video = video_details(db, video_id)
    exported_at = _position(db, EXPORTED, video_id, clip_id, filters)
    asked = _left_out(db, video_id, clip_id) if exported_at is None and filters.narrow else None
    identified_at = None if exported_at is not None or asked else _position(db, IDENTIFIED, video_id, clip_id)
    exported = exported_window(db, video_id, exported_at or 0, filters)
    identified = identified_window(db, video_id, identified_at or 0)
    if exported_at is not None or asked:
        tab = EXPORTED
    elif identified_at is not None:
        tab = IDENTIFIED
    elif tab not in (EXPORTED, IDENTIFIED):
        tab = EXPORTED if exported.total or filters.narrow else IDENTIFIED
    return Room(
        video=video,
        tab=tab,
        exported=exported,
        identified=identified,
        exported_clip=asked or exported.find(clip_id) or next(iter(exported.items), None),
        identified_clip=identified.find(clip_id) or next(iter(identified.items), None),
        clip_missing=bool(clip_id) and asked is None and exported_at is None and identified_at is None,
    )


def exported_window(db: Session, video_id: str, around: int, filters: ExportFilters = ANY) -> Window[ExportedClipView]:
    """Return the exports around an index of their list."""
    recaptioned = recaptioned_jobs(db, video_id)
    total = clips.count_exported(db, video_id, filters, recaptioned)
    offset = _offset(around, total)
    items = clips.exported_clips(db, video_id, offset=offset, limit=WINDOW, filters=filters, recaptioned=recaptioned)
    return Window(items, offset, total)


def identified_window(db: Session, video_id: str, around: int) -> Window[IdentifiedClipView]:
    """Return the candidates around an index of their list."""
    total = clips.count_identified(db, video_id)
    offset = _offset(around, total)
    return Window(clips.identified_clips(db, video_id, offset=offset, limit=WINDOW), offset, total)


def sign_ahead(signer: UrlSigner, wanted: Iterable[tuple[str, str]], origin: str) -> dict[str, SignedUrl]:
    """Return URLs for ``(clip id, key)`` pairs; those that cannot be signed are left out and fail when opened."""
    signed: dict[str, SignedUrl] = {}
    for clip_id, key in wanted:
        try:
            signed[clip_id] = signer.sign(key, origin=origin)
        except SigningFailed:
            continue
    return signed


def sign_of_video(db: Session, signer: UrlSigner, video_id: str, wanted: Iterable[tuple[str, str]], origin: str) -> dict[str, SignedUrl]:
    """Run ``sign_ahead`` for one video. Raises ``VideoNotFound``, also if it was deleted since it was opened."""
    pairs = list(wanted)
    playable = playable_keys(db, video_id, {key for _, key in pairs})
    return sign_ahead(signer, [(clip_id, key) for clip_id, key in pairs if key in playable], origin)


def _offset(around: int, total: int) -> int:
    return max(0, min(around - WINDOW // 3, total - WINDOW))


def _left_out(db: Session, video_id: str, clip_id: str) -> ExportedClipView | None:
    try:
        position = clips.exported_position(db, video_id, clip_id)
    except ClipNotFound:
        return None
    return next(iter(clips.exported_clips(db, video_id, offset=position, limit=1)), None)


def _position(db: Session, tab: str, video_id: str, clip_id: str, filters: ExportFilters = ANY) -> int | None:
    try:
        if tab == EXPORTED:
            return clips.exported_position(db, video_id, clip_id, filters, recaptioned_jobs(db, video_id) if filters.state else ())
        return clips.identified_position(db, video_id, clip_id)
    except ClipNotFound:
        return None
