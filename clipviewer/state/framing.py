"""State of the crop preview: the saved crops of the shown candidate, and the analysis of its picture.

The frame itself moves in the browser; these handlers confirm its final position.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.permissions import Action
from clipviewer.errors import ClipviewerError, Invalid
from clipviewer.media.ffmpeg import Ffmpeg
from clipviewer.media.framing.reframe import analyse_range
from clipviewer.services.bucket.signing import internal_signer
from clipviewer.services.container import installed
from clipviewer.services.library.opening_media import opening_media
from clipviewer.services.room import framings, looks
from clipviewer.state.access import allow, principal
from clipviewer.state.framing_rows import FramingView, framing_view
from clipviewer.state.page_address import video_in_address
from clipviewer.state.transactions import read, write

_LOG = logging.getLogger(__name__)
_ANALYSIS_SLOT = asyncio.Semaphore(1)


class FramingState(rx.State):
    """``shown`` is the candidate that was requested last."""

    shown: FramingView = FramingView()

    @rx.event
    @allow(Action.VIEW)
    async def open_clip(self, clip_id: str) -> None:
        """Show the saved crops of a candidate and the analysis of its picture, if any."""
        view = await _read(video_in_address(self), clip_id)
        self.shown = replace(view, answers=self.shown.answers)

    @rx.event
    @allow(Action.EXPORT)
    async def save_framing(self, clip_id: str, ratio: str, x: float, y: float) -> None:
        """Save a crop chosen by hand: its centre as a share of the picture between the bars."""
        actor = principal().user_id
        await self._decide(clip_id, lambda db, video_id: framings.save_framing(db, video_id, clip_id, _ratio_of(ratio), x, y, actor=actor))

    @rx.event
    @allow(Action.EXPORT)
    async def forget_framing(self, clip_id: str, ratio: str) -> None:
        """Reset the crop to the centre."""
        await self._decide(clip_id, lambda db, video_id: framings.reset_framing(db, video_id, clip_id, _ratio_of(ratio)))

    @rx.event(background=True)
    @allow(Action.VIEW)
    async def look(self, clip_id: str) -> None:
        """Analyse a candidate's picture, unless it is analysed already or the browser shows another clip when its turn comes."""
        async with self:
            video_id = video_in_address(self)
            self.shown = replace(await _read(video_id, clip_id), answers=self.shown.answers)
            if self.shown.look is not None:
                return
            self.shown = replace(self.shown, looking=True)
        async with _ANALYSIS_SLOT:
            async with self:
                still_shown = self.shown.clip_id == clip_id
            problem = await _analyse(video_id, clip_id) if still_shown else ""
        # Read while holding the state, so that a crop saved meanwhile is not lost.
        async with self:
            if self.shown.clip_id == clip_id:
                self.shown = replace(await _read(video_id, clip_id), problem=problem, answers=self.shown.answers)

    async def _decide(self, clip_id: str, work: Callable[[Session, str], object]) -> None:
        """Run ``work`` and show what is saved then. A failure is answered, too, so that the browser reverts to the saved crop."""
        self.shown = replace(self.shown, answers=self.shown.answers + 1, refused=True)
        video_id = video_in_address(self)

        def decide(db: Session) -> FramingView:
            work(db, video_id)
            return _view(db, video_id, clip_id)

        view = await write(decide)
        before = self.shown
        self.shown = replace(before, saved=view.saved if before.clip_id == clip_id else before.saved, refused=False)


async def _read(video_id: str, clip_id: str) -> FramingView:
    return await read(lambda db: _view(db, video_id, clip_id))


def _view(db: Session, video_id: str, clip_id: str) -> FramingView:
    looks.analysis_target(db, video_id, clip_id)
    return framing_view(clip_id, framings.saved_framings(db, [clip_id]), looks.find_analysis(db, video_id, clip_id))


async def _analyse(video_id: str, clip_id: str) -> str:
    """Analyse the picture and store the result. Return why it failed, or ""."""
    stop = threading.Event()
    try:
        await asyncio.to_thread(_run_analysis, video_id, clip_id, stop.is_set)
    except ClipviewerError as error:
        _LOG.info("could not analyse the picture of %s: %s", clip_id, error.code)
        return error.detail
    finally:
        stop.set()
    return ""


def _run_analysis(video_id: str, clip_id: str, cancelled: Callable[[], bool]) -> None:
    services = installed()
    with services.database.read() as db:
        sight, known = looks.analysis_target(db, video_id, clip_id), looks.find_analysis(db, video_id, clip_id)
    if known is not None:
        return
    folder = services.settings.data_dir / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = internal_signer(services.settings, services.store).sign(sight.source_key).url
    ffmpeg = Ffmpeg(services.settings.ffmpeg)
    with opening_media(services.database, video_id, sight.source_etag):
        found = analyse_range(ffmpeg, source, sight.start_ms, sight.end_ms, folder, cancelled=cancelled)
    with services.database.write() as db:
        looks.store_analysis(db, sight, found)


def _ratio_of(ratio: str) -> AspectRatio:
    if ratio not in set(AspectRatio):
        raise Invalid
    return AspectRatio(ratio)
