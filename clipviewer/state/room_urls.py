"""The URLs that an open room keeps: those of visible rows, the shown clip and the master."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clipviewer.services.bucket.signing import SignedUrl
from clipviewer.services.container import installed
from clipviewer.state.rows import ClipRow, UrlEntry, VideoView, url_entry

SIGN_AHEAD = 30
NEIGHBOURS = 3


@dataclass(frozen=True)
class Renewal:
    """``kept`` are the URLs that stay valid; ``missing`` are the ``(clip id, object key)`` pairs to sign. ``now`` is in ms."""

    kept: Mapping[str, UrlEntry]
    missing: Sequence[tuple[str, str]]
    now: int

    def renewed(self, signed: Mapping[str, SignedUrl]) -> dict[str, UrlEntry]:
        """Return the kept URLs together with the ``signed`` ones."""
        return {**self.kept, **{clip_id: url_entry(url, self.now) for clip_id, url in signed.items()}}


def plan_renewal(
    known: Mapping[str, UrlEntry], video: VideoView, selected: ClipRow | None, rows: Sequence[ClipRow], first: int, last: int
) -> Renewal | None:
    """Return which URLs to sign for the rows ``first`` to ``last``; None if all of them are ``known`` and last a while."""
    needed, wanted = keys_around(video, selected, rows, first, last)
    now = _now_ms()
    least = now + installed().settings.url_ttl * 1000 // 4
    fresh = {clip_id: entry for clip_id, entry in known.items() if entry.expires > least}
    if needed.keys() <= fresh.keys():
        return None
    kept = {clip_id: entry for clip_id, entry in fresh.items() if clip_id in wanted}
    return Renewal(kept, [(clip_id, key) for clip_id, key in wanted.items() if clip_id not in fresh], now)


def keys_around(
    video: VideoView, selected: ClipRow | None, rows: Sequence[ClipRow], first: int, last: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Return object keys by the id of the clip or video: those needed now for the rows ``first`` to ``last``, and those to sign on
    the same occasion, ``SIGN_AHEAD`` rows in all.

    Only near ones are kept, since a change sends the whole dictionary; the browser keeps every URL until it expires.
    """
    first, last = max(0, first), max(0, last)
    always = {video.id: video.s3_key} | ({selected.id: selected.s3_key} if selected else {})
    needed = always | {row.id: row.s3_key for row in rows[first : last + 1]}
    middle = (first + last) // 2
    return needed, always | {row.id: row.s3_key for row in rows[max(0, middle - SIGN_AHEAD // 2) : middle + SIGN_AHEAD // 2]} | needed


def index_of_selected(selected: ClipRow | None, rows: Sequence[ClipRow]) -> int:
    """Return the index of the selected clip among ``rows``, or 0."""
    return next((index for index, row in enumerate(rows) if selected and row.id == selected.id), 0)


def _now_ms() -> int:
    return int(time.time() * 1000)
