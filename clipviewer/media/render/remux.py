"""Rewrite a master with its index first, without re-encoding pictures or sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipviewer.media.ffmpeg import Ffmpeg, MediaError
from clipviewer.media.source.inspection import EmbeddedCaptions, Inspection, inspect, inspect_opened
from clipviewer.media.source.mp4_boxes import MoovPlace
from clipviewer.media.source.opened_source import open_source
from clipviewer.media.source.stored_source import Source

_COPIED_SHARE = 0.9
_LEAST_TIMEOUT, _SLOWEST_BYTES = 600, 1024 * 1024
_ROOM = 64 * 1024**2
_LOOSE_MS = 100
_NO_TAG = "Could not find tag for codec"


def remux(
    ffmpeg: Ffmpeg,
    source: Source,
    out: Path,
    *,
    on_progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Inspection:
    """Write ``source`` to ``out`` as a fast-start mp4, whole or not at all; return what the new file holds.

    Blocks. Needs as much disk space beside ``out`` as the source is large, twice that if it comes from the store. ``on_progress`` receives
    the share done, 0 to 1. Raises ``MediaError`` for footage that does not fit into an mp4 as it is, ``StorageError`` for an unreadable
    source, and ``MediaCancelled`` within a second of ``cancelled`` returning true; nothing is left on disk then.
    """
    partial = out.with_name(f"{out.name}.part")
    try:
        with open_source(source, out.parent, cancelled=cancelled) as found:
            before = inspect_opened(found)
            share = _COPIED_SHARE / before.media.duration_ms
            found.run(
                ffmpeg,
                [
                    *found.input(), *_streams_to_keep(before.captions), "-c", "copy", "-map_metadata", "0", "-movflags", "+faststart",
                    "-f", "mp4", "-y", f"file:{partial}",
                ],
                timeout=_LEAST_TIMEOUT + before.size / _SLOWEST_BYTES,
                file_size=before.size + before.size // 10 + _ROOM,
                on_progress=lambda done_ms: on_progress(min(_COPIED_SHARE, done_ms * share)),
            )  # fmt: skip
            after = inspect(str(partial), out.parent, cancelled=cancelled)
            if not _is_same(before, after):
                raise MediaError("The copy differs from the master and was discarded: the master is damaged.")
        partial.replace(out)
    except MediaError as error:
        if _NO_TAG in error.log:
            raise MediaError("This master's codecs do not fit into an mp4: convert it to H.264 first.", error.log) from error
        raise
    finally:
        partial.unlink(missing_ok=True)
    on_progress(1.0)
    return after


def _streams_to_keep(captions: tuple[EmbeddedCaptions, ...]) -> list[str]:
    """Return the streams to keep: the picture without its cover, all sound, and an mp4's captions. Camera data does not fit into an mp4."""
    texts = [part for track in captions if track.codec == "mov_text" for part in ("-map", f"0:s:{track.index}")]
    return ["-map", "0:V:0", "-map", "0:a?", *texts]


def _is_same(before: Inspection, after: Inspection) -> bool:
    media, copied = before.media, after.media
    return (
        after.moov is MoovPlace.FIRST
        and (copied.width, copied.height, copied.rotation) == (media.width, media.height, media.rotation)
        and (copied.video_codec, copied.audio_codec) == (media.video_codec, media.audio_codec)
        and abs(copied.duration_ms - media.duration_ms) <= _LOOSE_MS
    )
