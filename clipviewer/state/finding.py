"""State of the search for clips in the open room; it also shows candidates that somebody else added or changed."""

from __future__ import annotations

import dataclasses
import zlib

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.services.library.videos import require_video
from clipviewer.services.room import finding
from clipviewer.services.work import WorkView
from clipviewer.state.access import allow, principal
from clipviewer.state.clip_lists import reload_candidates, select_elsewhere
from clipviewer.state.page_address import video_in_address
from clipviewer.state.rows import counted
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign
from clipviewer.state.video_detail import VideoDetailState


@dataclasses.dataclass(frozen=True)
class SearchView:
    """The newest search in the video: ``state`` is "", queued, running or failed. ``may_find``: whether this person may start one.

    ``candidates`` is a change token of the video's candidates.
    """

    video_id: str = ""
    state: str = ""
    percent: int = 0
    note: str = ""
    may_find: bool = False
    candidates: str = ""


@dataclasses.dataclass(frozen=True)
class SearchUpdate:
    """The newest ``search`` in a video, and the change token of its ``candidates``."""

    search: WorkView | None
    candidates: str


class FindingState(rx.State):
    """``search`` is the newest search for clips."""

    search: SearchView = SearchView()
    _seen: str = ""
    _asked: str = ""

    @rx.event
    @allow(Action.EXPORT)
    async def find(self) -> list[EventSpec]:
        """Enqueue a search for clips in the video."""
        video_id, actor = video_in_address(self), principal().user_id
        self._asked = (await write(lambda db: finding.enqueue_search(db, video_id, actor=actor))).id
        return await follow_search(self)

    @rx.event
    @allow(Action.EXPORT)
    async def call_off(self) -> list[EventSpec]:
        """Cancel the search; the candidates stay as they are."""
        video_id = video_in_address(self)
        await write(lambda db: finding.cancel_search(db, video_id))
        return await follow_search(self)


async def follow_search(page: rx.State, clip_id: str = "") -> list[EventSpec]:
    """Show the progress of the search and changed candidates in the room of ``page``; select ``clip_id`` if given.

    Raises ``VideoNotFound``.
    """
    video_id = video_in_address(page)
    state, room = await page.get_state(FindingState), await page.get_state(VideoDetailState)
    news = await read(lambda db: read_search(db, video_id))
    changed = show_search(state, video_id, news)
    if clip_id and room.video is not None and room.video.id == video_id:
        return [*await select_elsewhere(room, clip_id), *announce_search(state, news)]
    if changed:
        await reload_candidates(room, video_id)
    return announce_search(state, news)


def read_search(db: Session, video_id: str) -> SearchUpdate:
    """Return the newest search and the change token. Raises ``VideoNotFound``."""
    require_video(db, video_id)
    return SearchUpdate(finding.latest_search(db, video_id), finding.candidates_version(db, video_id))


def show_search(state: FindingState, video_id: str, news: SearchUpdate) -> bool:
    """Show the progress of the search; return whether the candidates have changed."""
    shown = _search_view(video_id, news.search, allows(principal().role, Action.EXPORT))
    changed = state.search.video_id == video_id and news.candidates != state._seen
    state._seen = news.candidates
    assign(state, search=dataclasses.replace(shown, candidates=_short(news.candidates)))
    return changed


def announce_search(state: FindingState, news: SearchUpdate) -> list[EventSpec]:
    """Return toasts about a finished search, once, for the person who started it."""
    search = news.search
    if search is None or search.id != state._asked or search.state in UNFINISHED:
        return []
    state._asked = ""
    return _outcome_toasts(search) if search.state == JobState.DONE else []


def _search_view(video_id: str, search: WorkView | None, may_find: bool) -> SearchView:
    if search is None or search.state not in (*UNFINISHED, JobState.FAILED):
        return SearchView(video_id, may_find=may_find)
    return SearchView(video_id, search.state, round(search.progress * 100), search.note, may_find)


def _short(state: str) -> str:
    return f"{zlib.crc32(state.encode()):08x}"


def _outcome_toasts(search: WorkView) -> list[EventSpec]:
    result = search.result
    words = ", ".join(f"{result[name]} {name}" for name in ("added", "changed", "removed") if result[name])
    left_out = result.get("left_out", 0)
    found = counted(result["added"] + result["changed"] + result["there"] + left_out, "clip")
    known = "all of them already in the list or removed from it" if left_out else "all of them already in the list"
    toasts = [rx.toast.success(f"Found {found}" + (f": {words}" if words else f", {known}"))]
    return [*toasts, rx.toast.warning(result["problem"])] if result["problem"] else toasts
