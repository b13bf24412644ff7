"""The one place where an export's file is made: from an order to a checked mp4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.render import RenderResult, RenderSpec, render
from clipviewer.media.stored_source import StoredSource
from clipviewer.services.container import Services
from clipviewer.services.export_runs import Order
from clipviewer.services.signing import internal_signer


def render_cell(
    ffmpeg: Ffmpeg, services: Services, order: Order, out: Path, *, on_progress: Callable[[float], None], cancelled: Callable[[], bool]
) -> RenderResult:
    """Write the file of ``order`` to ``out``, which appears whole or not at all. ``on_progress`` is told 0 to 1.

    Raises ``MediaError``, ``MediaCancelled`` or a ``StorageError``.
    """
    signer = internal_signer(services.settings, services.store)
    source = StoredSource(lambda: signer.sign(order.source_key).url, order.source_etag)
    spec = RenderSpec(source, order.cell.start_ms, order.cell.end_ms, order.ratio, order.framing)
    return render(ffmpeg, spec, out, on_progress=on_progress, cancelled=cancelled)
