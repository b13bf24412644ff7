"""The one place where an export's file is made: from an order and its source to a checked mp4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipviewer.domain.framing import FramingMode
from clipviewer.errors import Invalid
from clipviewer.media.cut import cut
from clipviewer.media.ffmpeg import Ffmpeg, MediaCancelled, MediaError
from clipviewer.media.probe import probe
from clipviewer.services.export_runs import Order
from clipviewer.storage.s3 import ObjectStore

_FETCH_BYTES = 4 * 1024 * 1024
_TOLERANCE_MS = 100


def render_cell(
    ffmpeg: Ffmpeg, store: ObjectStore, order: Order, out: Path, *, on_progress: Callable[[float], None], cancelled: Callable[[], bool]
) -> None:
    """Write the file of ``order`` to ``out``, which appears whole or not at all. ``on_progress`` is told 0 to 1.

    Raises ``MediaError``, ``MediaCancelled`` or a ``StorageError``.
    """
    if order.framing.mode in (FramingMode.MANUAL, FramingMode.FIT):
        raise Invalid("This framing cannot be rendered yet. Choose Centre.")
    length = order.cell.end_ms - order.cell.start_ms
    master = out.with_name(f"{out.stem}.master")
    try:
        _fetch(store, order.source_key, master, cancelled)
        cut(
            ffmpeg,
            master,
            out,
            start_ms=order.cell.start_ms,
            end_ms=order.cell.end_ms,
            ratio=order.ratio,
            on_progress=lambda ms: on_progress(min(ms / length, 1.0)),
            cancelled=cancelled,
        )
    finally:
        master.unlink(missing_ok=True)
    check_file(order, out)


def check_file(order: Order, path: Path) -> None:
    """Raises ``MediaError`` unless the file is as long and as large (pixels) as the order says."""
    info, length = probe(path), order.cell.end_ms - order.cell.start_ms
    frame = order.ratio.frame
    if (info.width, info.height) != (frame.width, frame.height):
        raise MediaError(f"The finished file has {info.width} × {info.height} pixels and was thrown away.")
    frame_ms = 1000 / float(info.frame_rate or 25)
    if abs(info.duration_ms - length) > frame_ms + _TOLERANCE_MS:
        raise MediaError(
            f"Only {info.duration_ms / 1000:.1f} of {length / 1000:.1f} seconds could be made: the video may end before the clip."
        )


def _fetch(store: ObjectStore, key: str, path: Path, cancelled: Callable[[], bool]) -> None:
    size = store.head(key).size
    with path.open("wb") as file:
        for start in range(0, size, _FETCH_BYTES):
            if cancelled():
                raise MediaCancelled
            file.write(store.get_range(key, start, min(start + _FETCH_BYTES, size)))
