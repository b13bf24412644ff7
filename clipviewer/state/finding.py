"""State of the search for clips in the open room; it also brings candidates that somebody else added or changed."""

from __future__ import annotations

import asyncio
import dataclasses
import zlib
from collections.abc import Callable
from typing import Any

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.errors import VideoNotFound
from clipviewer.services.container import installed
from clipviewer.services.library.videos import require_video
from clipviewer.services.room import finding
from clipviewer.services.work import WorkView
from clipviewer.state.access import allow, authenticate
from clipviewer.state.rows import counted
from clipviewer.state.video_detail import VideoDetailState


@dataclasses.dataclass(frozen=True)
class SearchView:
    """The newest search in the video: ``state`` is "", queued, running or failed. ``may_find``: whether this person may ask for one.

    ``candidates`` is another text whenever the candidates of the video are others.
    """

    video_id: str = ""
    state: str = ""
    percent: int = 0
    note: str = ""
    may_find: bool = False
    candidates: str = ""


class FindingState(rx.State):
    """``search`` is how far the search for clips is."""

    search: SearchView = SearchView()
    _seen: str = ""
    _asked: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> Any:
        """Show how far the search is, and what has become of the candidates since the last time."""
        try:
            return await self._look()
        except VideoNotFound:  # the room itself says so
            self.search = SearchView()
            return None

    @rx.event
    @allow(Action.EXPORT)
    async def find(self) -> Any:
        """Look for clips in the video."""
        video_id, headers = self._video_id(), self.router.headers

        def ask() -> WorkView:
            who = authenticate(headers)
            return _write(lambda db: finding.ask(db, video_id, actor=who.user_id))

        self._asked = (await asyncio.to_thread(ask)).id
        return await self._look()

    @rx.event
    @allow(Action.EXPORT)
    async def call_off(self) -> Any:
        """Stop the search; the candidates stay as they are."""
        video_id = self._video_id()
        await asyncio.to_thread(_write, lambda db: finding.call_off(db, video_id))
        return await self._look()

    async def _look(self) -> Any:
        video_id, headers = self._video_id(), self.router.headers

        def read() -> tuple[bool, WorkView | None, str]:
            may = allows(authenticate(headers).role, Action.EXPORT)
            with installed().database.read() as db:
                require_video(db, video_id)
                return may, finding.latest(db, video_id), finding.state_of_candidates(db, video_id)

        may_find, search, seen = await asyncio.to_thread(read)
        shown = dataclasses.replace(_search_view(video_id, search, may_find), candidates=_short(seen))
        others = self.search.video_id == video_id and seen != self._seen
        self._seen = seen
        if shown != self.search:
            self.search = shown
        if others:
            room = await self.get_state(VideoDetailState)
            await room._show_new_candidates(video_id)
        if search is None or search.id != self._asked or search.state in UNFINISHED:
            return None
        self._asked = ""
        return _outcome(search)

    def _video_id(self) -> str:
        """The video of the address: after a new connection the room itself may not be loaded yet."""
        return self.router.url.path.rstrip("/").rpartition("/")[2]


def _search_view(video_id: str, search: WorkView | None, may_find: bool) -> SearchView:
    if search is None or search.state not in (*UNFINISHED, JobState.FAILED):
        return SearchView(video_id, may_find=may_find)
    return SearchView(video_id, search.state, round(search.progress * 100), search.note, may_find)


def _short(state: str) -> str:
    return f"{zlib.crc32(state.encode()):08x}"


def _outcome(search: WorkView) -> Any:
    if search.state != JobState.DONE:
        return None
    result = search.result
    words = ", ".join(f"{result[name]} {name}" for name in ("added", "changed", "removed") if result[name])
    found = counted(result["added"] + result["changed"] + result["there"], "clip")
    toasts = [rx.toast.success(f"Found {found}" + (f": {words}" if words else ", all of which are here already"))]
    return [*toasts, rx.toast.warning(result["problem"])] if result["problem"] else toasts


def _write(work: Callable[[Session], Any]) -> Any:
    with installed().database.write() as db:
        return work(db)
