"""State of a master that is slow to start: that it is, and how far the making of a quick one is."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.errors import Conflict, VideoNotFound
from clipviewer.services.container import installed
from clipviewer.services.library import quick_start
from clipviewer.services.library.quick_start import QuickStart
from clipviewer.state.access import allow, authenticate
from clipviewer.state.video_detail import VideoDetailState


@dataclasses.dataclass(frozen=True)
class QuickStartView:
    """``state`` is "" where there is nothing to mend, else slow, queued, running or failed. ``size`` is the file's, for people.

    ``may_mend``: whether this person may ask for it.
    """

    video_id: str = ""
    state: str = ""
    size: str = ""
    percent: int = 0
    note: str = ""
    may_mend: bool = False


class QuickStartState(rx.State):
    """``quick_start`` is that of the open video."""

    quick_start: QuickStartView = QuickStartView()

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> Any:
        """Show whether the video is slow to start, and how far the making of a quick one is."""
        video_id, headers, before = self._video_id(), self.router.headers, self.quick_start

        def read() -> tuple[bool, QuickStart]:
            may = allows(authenticate(headers).role, Action.EXPORT)
            with installed().database.read() as db:
                return may, quick_start.quick_start_of(db, video_id)

        try:
            found = _view(video_id, *await asyncio.to_thread(read))
        except VideoNotFound:  # the room itself says so
            found = QuickStartView()
        if found != before:
            self.quick_start = found
        if before.video_id == video_id and before.state in UNFINISHED and found.state == "":
            room = await self.get_state(VideoDetailState)
            await room._show_new_master(video_id)
            return rx.toast.success("The video starts quickly now. The old file stays in the bucket.")
        return None

    @rx.event
    @allow(Action.EXPORT)
    async def mend(self) -> Any:
        """Have a quick one made, unless somebody else had."""
        video_id = self._video_id()
        with contextlib.suppress(Conflict):
            await self._write(lambda db, actor: quick_start.ask(db, video_id, actor=actor))
        return await QuickStartState.follow.fn(self)

    @rx.event
    @allow(Action.EXPORT)
    async def call_off(self) -> Any:
        """Stop the making of it; the video stays as it is."""
        video_id = self._video_id()
        await self._write(lambda db, _: quick_start.call_off(db, video_id))
        return await QuickStartState.follow.fn(self)

    async def _write(self, work: Callable[[Session, str], Any]) -> None:
        headers = self.router.headers

        def write() -> None:
            actor = authenticate(headers).user_id
            with installed().database.write() as db:
                work(db, actor)

        await asyncio.to_thread(write)

    def _video_id(self) -> str:
        """The video of the address: after a new connection the room itself may not be loaded yet."""
        return self.router.url.path.rstrip("/").rpartition("/")[2]


def _view(video_id: str, may_mend: bool, found: QuickStart) -> QuickStartView:
    if not found.slow:
        return QuickStartView(video_id)
    making, size = found.making, _amount(found.size)
    if making is None or making.state not in (*UNFINISHED, JobState.FAILED):
        return QuickStartView(video_id, "slow", size, may_mend=may_mend)
    return QuickStartView(video_id, making.state, size, round(making.progress * 100), making.note, may_mend)


def _amount(size: int) -> str:
    """``2.9 GB``, ``310 MB``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"
