"""The only place where an export's file is made: from an order to a checked mp4, and its captions beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from clipviewer.domain.caption_mode import CaptionMode, parse_mode
from clipviewer.media.captions.fonts import FontShelf
from clipviewer.media.captions.tracks import CaptionTrack, to_srt, to_webvtt, write_burn_in
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.render.render import RenderResult, RenderSpec, render
from clipviewer.media.source.stored_source import StoredSource
from clipviewer.services.bucket.signing import internal_signer
from clipviewer.services.container import Services
from clipviewer.services.exporting.export_runs import Order
from clipviewer.services.library.opening_media import opening_media
from clipviewer.services.room.captions import captions_for


def render_cell(
    ffmpeg: Ffmpeg, services: Services, order: Order, out: Path, *, on_progress: Callable[[float], None], cancelled: Callable[[], bool]
) -> RenderResult:
    """Write the file of ``order`` to ``out``, which appears whole or not at all, and its captions, as WebVTT, beside it.

    ``on_progress`` receives 0 to 1. Raises ``MediaError``, ``MediaCancelled``, a ``StorageError``, ``FontMissing``, and ``Conflict`` if
    the captions have changed meanwhile.
    """
    with services.database.read() as db:
        track = captions_for(db, order.cell)
    signer = internal_signer(services.settings, services.store)
    source = StoredSource(lambda: signer.sign(order.source_key).url, order.source_etag)
    spec = RenderSpec(source, order.cell.start_ms, order.cell.end_ms, order.ratio, order.framing)
    folder = out.with_suffix(".captions")
    try:
        if track is not None:
            captions_beside(out).write_text(to_webvtt(track), encoding="utf-8")
        if track is not None and track.cues:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            spec = _captioned(spec, track, order, folder)
        with opening_media(services.database, order.cell.video_id, order.source_etag, by_person=order.ticket.attempt == 1):
            return render(ffmpeg, spec, out, on_progress=on_progress, cancelled=cancelled)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def captions_beside(out: Path) -> Path:
    """Return where the captions of the file ``out`` lie on this machine."""
    return out.with_suffix(".vtt")


def _captioned(spec: RenderSpec, track: CaptionTrack, order: Order, folder: Path) -> RenderSpec:
    language = order.cell.target_language
    if parse_mode(order.cell.captions) is CaptionMode.BURNED:
        made = write_burn_in(track, folder, *spec.frame, language, _font_shelf())
        return replace(spec, burn_in=made.script, fonts=made.fonts)
    file = folder / "captions.srt"
    file.write_text(to_srt(track), encoding="utf-8")
    return replace(spec, soft_captions=((file, language),))


@cache
def _font_shelf() -> FontShelf:
    """Return the process's only shelf: it caches what it has read of every font."""
    return FontShelf()
