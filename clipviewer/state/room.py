"""The events that open a clip room and keep it up to date."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.domain.permissions import Action
from clipviewer.errors import VideoNotFound
from clipviewer.services import work
from clipviewer.services.cells import board
from clipviewer.services.cells.board import Changes
from clipviewer.services.library import quick_start, video_previews
from clipviewer.services.library.quick_start import QuickStart
from clipviewer.state.access import allow
from clipviewer.state.account import show_account
from clipviewer.state.clip_lists import reload_candidates, reload_exports
from clipviewer.state.exports import ExportState, announce_exports, read_pause, revision_of, show_changes, show_pause
from clipviewer.state.finding import FindingState, SearchUpdate, announce_search, read_search, show_search
from clipviewer.state.library_changes import show_rights
from clipviewer.state.matrix import MatrixState, follow_matrix
from clipviewer.state.page_address import origin_of, video_in_address
from clipviewer.state.quick_start import QuickStartState, show_quick_start
from clipviewer.state.room_opening import close_room, open_room_of
from clipviewer.state.timeline import TimelineState, TimelineView, show_timeline, timeline_view
from clipviewer.state.transactions import read
from clipviewer.state.video_detail import VideoDetailState

JobStates = Sequence[tuple[str, str, float, str]]
"""The jobs on a video: id, state, progress (0 to 1) and note of each."""


@dataclasses.dataclass(frozen=True)
class RoomUpdate:
    """What has changed in a room; the parts that depend on the video's jobs are None if the jobs have not changed."""

    works: JobStates
    exports: Changes
    search: SearchUpdate
    timeline: TimelineView | None
    quick_start: QuickStart | None
    paused: str


class RoomState(rx.State):
    """The room as a whole; the states of its parts hold what it shows."""

    _works: JobStates = ()

    @rx.event
    @allow(Action.VIEW)
    async def open(self) -> list[EventSpec]:
        """Show the video of the address."""
        await show_account(self)
        await show_rights(self)
        return await open_room_of(self)

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> list[EventSpec]:
        """Show what has changed since the last time; a finished export joins the list without a reload."""
        room, running = await self.get_state(VideoDetailState), await self.get_state(ExportState)
        video_id = video_in_address(self)
        if room.video is None or room.video.id != video_id:
            return []
        revision, works, origin, busy = revision_of(running, video_id), self._works, origin_of(self), running.busy
        try:
            news = await read(lambda db: read_update(db, video_id, max(revision, 0), works, origin, busy=busy))
        except VideoNotFound:  # somebody deleted it
            await close_room(self)
            return []
        return await self._show(news, video_id)

    async def _show(self, news: RoomUpdate, video_id: str) -> list[EventSpec]:
        """Pass each part of the room its changes."""
        room, running = await self.get_state(VideoDetailState), await self.get_state(ExportState)
        finding = await self.get_state(FindingState)
        self._works = news.works
        done = show_changes(running, video_id, news.exports)
        show_pause(running, news.paused)
        if done:
            await reload_exports(room)
        await follow_matrix(await self.get_state(MatrixState))
        if show_search(finding, video_id, news.search):
            await reload_candidates(room, video_id)
        if news.timeline is not None:
            show_timeline(await self.get_state(TimelineState), news.timeline)
        mended = (
            [] if news.quick_start is None else await show_quick_start(await self.get_state(QuickStartState), video_id, news.quick_start)
        )
        return [*announce_exports(running, done), *announce_search(finding, news.search), *mended]


def read_update(db: Session, video_id: str, revision: int, works: JobStates, origin: str, *, busy: bool) -> RoomUpdate:
    """Read what has changed since that ``revision`` of the exports and the jobs ``works``. Raises ``VideoNotFound``.

    ``busy``: exports are under way, so why they do not move matters.
    """
    search = read_search(db, video_id)
    standing = [(item.id, item.state, item.progress, item.note) for item in work.latest_work(db, [video_id])]
    changed = list(works) != standing
    exports = board.changes_since(db, video_id, revision)
    return RoomUpdate(
        works=standing,
        exports=exports,
        search=search,
        timeline=timeline_view(video_id, video_previews.previews_of(db, video_id), origin) if changed else None,
        quick_start=quick_start.quick_start_of(db, video_id) if changed else None,
        paused=read_pause(db) if busy or exports.cells else "",
    )
