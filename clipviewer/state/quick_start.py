"""State of a master that is slow to start, and of the job that makes a copy that starts quickly."""

from __future__ import annotations

import contextlib
import dataclasses

import reflex as rx
from reflex.event import EventSpec

from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.errors import Conflict
from clipviewer.services.library import quick_start
from clipviewer.services.library.quick_start import QuickStart
from clipviewer.state.access import allow, principal
from clipviewer.state.clip_lists import reload_master
from clipviewer.state.page_address import video_in_address
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign
from clipviewer.state.video_detail import VideoDetailState


@dataclasses.dataclass(frozen=True)
class QuickStartView:
    """``state`` is "" if the video starts quickly, else slow, queued, running or failed. ``size`` is the file's, in words.

    ``may_mend``: whether this person may start the job.
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
    @allow(Action.EXPORT)
    async def mend(self) -> list[EventSpec]:
        """Enqueue the copy, unless somebody else has."""
        video_id, actor = video_in_address(self), principal().user_id
        with contextlib.suppress(Conflict):
            await write(lambda db: quick_start.enqueue_quick_start(db, video_id, actor=actor))
        return await self._follow(video_id)

    @rx.event
    @allow(Action.EXPORT)
    async def call_off(self) -> list[EventSpec]:
        """Cancel the copy; the video stays as it is."""
        video_id = video_in_address(self)
        await write(lambda db: quick_start.cancel_quick_start(db, video_id))
        return await self._follow(video_id)

    async def _follow(self, video_id: str) -> list[EventSpec]:
        return await show_quick_start(self, video_id, await read(lambda db: quick_start.quick_start_of(db, video_id)))


async def show_quick_start(state: QuickStartState, video_id: str, found: QuickStart) -> list[EventSpec]:
    """Show whether the video is slow to start and the progress of the copy; announce when the copy is done."""
    before, shown = state.quick_start, _view(video_id, allows(principal().role, Action.EXPORT), found)
    assign(state, quick_start=shown)
    if before.video_id != video_id or before.state not in UNFINISHED or shown.state != "":
        return []
    await reload_master(await state.get_state(VideoDetailState), video_id)
    return [rx.toast.success("The video starts quickly now. The old file stays in the bucket.")]


def _view(video_id: str, may_mend: bool, found: QuickStart) -> QuickStartView:
    if not found.slow:
        return QuickStartView(video_id)
    making, size = found.making, _format_size(found.size)
    if making is None or making.state not in (*UNFINISHED, JobState.FAILED):
        return QuickStartView(video_id, "slow", size, may_mend=may_mend)
    return QuickStartView(video_id, making.state, size, round(making.progress * 100), making.note, may_mend)


def _format_size(size: int) -> str:
    """Return a size in words: ``2.9 GB``, ``310 MB``."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"
