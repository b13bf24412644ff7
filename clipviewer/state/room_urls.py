"""Which URLs an open room keeps: those of the rows that are seen, of the shown clip and of the master."""

from __future__ import annotations

from collections.abc import Sequence

from clipviewer.state.rows import ClipRow, VideoView

SIGN_AHEAD = 30


def keys_around(
    video: VideoView, selected: ClipRow | None, rows: Sequence[ClipRow], first: int, last: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Object keys by the id of the clip or video: those that must have a URL now, for the rows ``first`` to ``last``; and with them those
    that get one on the same occasion, ``SIGN_AHEAD`` rows in all.

    Only what is near is kept, since a change sends the whole dictionary; the browser keeps every URL until it expires.
    """
    first, last = max(0, first), max(0, last)
    always = {video.id: video.s3_key} | ({selected.id: selected.s3_key} if selected else {})
    needed = always | {row.id: row.s3_key for row in rows[first : last + 1]}
    middle = (first + last) // 2
    return needed, always | {row.id: row.s3_key for row in rows[max(0, middle - SIGN_AHEAD // 2) : middle + SIGN_AHEAD // 2]} | needed
