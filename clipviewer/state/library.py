"""State of the library: one page of videos, selected by the address. A script of the page writes the search text into the address."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.db.models import utc_now
from clipviewer.domain.permissions import Action
from clipviewer.domain.tag import MAX_TAG
from clipviewer.services.container import installed
from clipviewer.services.library.listing import Filter, ListQuery, SortOrder, list_videos
from clipviewer.services.library.tags import known_tags
from clipviewer.services.room.clip_room import sign_ahead
from clipviewer.state.access import allow
from clipviewer.state.library_rows import VideoCard, video_card
from clipviewer.state.page_address import origin_of
from clipviewer.state.transactions import read
from clipviewer.state.vars import assign

PAGE = 60
MOST = 480
MAX_FIRST = 10_000_000
MAX_SEARCH = 200
VIEWS = ("grid", "table")

Choice = TypeVar("Choice", bound=StrEnum)


class LibraryState(rx.State):
    """``phase`` is loading, ready or failed; ``total`` counts all matching videos; ``preparing`` describes demo footage in progress.

    ``search``, ``sort``, ``shown`` (the filter), ``tag`` and ``view`` are those of the address; ``entered`` changes when the search changes
    other than by typing. ``tags`` are all tags of the library. ``first`` is the number of videos before the listed ones.
    """

    phase: str = "loading"
    videos: list[VideoCard] = []
    total: int = 0
    first: int = 0
    search: str = ""
    sort: str = SortOrder.NEWEST.value
    shown: str = Filter.ALL.value
    tag: str = ""
    tags: list[str] = []
    view: str = VIEWS[0]
    entered: int = 0
    preparing: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def load(self) -> None:
        """Show the page of videos for the address: ``/?q=…&sort=…&filter=…&tag=…&from=…&view=…``."""
        take_address(self)
        await load_library(self)

    @rx.event
    @allow(Action.VIEW)
    async def set_search(self, text: str) -> None:
        """Show the videos that match a search."""
        self._start_from_address()
        self.search, self.first = text[:MAX_SEARCH], 0
        await load_library(self)

    @rx.event
    @allow(Action.VIEW)
    async def set_sort(self, sort: str) -> EventSpec:
        """Change the sort order."""
        self._start_from_address()
        self.sort, self.first = _valid_or_default(SortOrder, sort, SortOrder.NEWEST), 0
        return await self._load_and_redirect()

    @rx.event
    @allow(Action.VIEW)
    async def set_filter(self, shown: str) -> EventSpec:
        """Change the filter."""
        self._start_from_address()
        self.shown, self.first = _valid_or_default(Filter, shown, Filter.ALL), 0
        return await self._load_and_redirect()

    @rx.event
    @allow(Action.VIEW)
    async def set_tag(self, tag: str) -> EventSpec:
        """Show the videos with a tag, or all with ""."""
        self._start_from_address()
        self.tag, self.first = tag[:MAX_TAG], 0
        return await self._load_and_redirect()

    @rx.event
    @allow(Action.VIEW)
    async def set_view(self, view: str) -> EventSpec:
        """Show the videos as a grid or as a table."""
        self._start_from_address()
        self.view = VIEWS[view == VIEWS[1]]
        return rx.redirect(self._address())

    @rx.event
    @allow(Action.VIEW)
    async def clear(self) -> EventSpec:
        """Clear search, filter and tag."""
        self.search, self.shown, self.tag, self.first, self.entered = "", Filter.ALL.value, "", 0, self.entered + 1
        return await self._load_and_redirect()

    @rx.event
    @allow(Action.VIEW)
    async def show_more(self) -> None:
        """Append the next videos."""
        await load_library(self, min(len(self.videos) + PAGE, MOST))

    @rx.event
    @allow(Action.VIEW)
    async def show_from(self, first: int) -> list[EventSpec]:
        """Show the page after the first ``first`` videos; a page has ``MOST`` of them."""
        self.first = min(max(first, 0), MAX_FIRST)
        return [await self._load_and_redirect(), rx.call_script("scrollTo(0, 0)")]

    def _start_from_address(self) -> None:
        """Take the address if the page has not loaded yet, so that an early choice keeps the rest of it."""
        if self.phase == "loading":
            take_address(self)

    async def _load_and_redirect(self) -> EventSpec:
        """Load, then change the address. Loading comes first: Reflex runs the page's handler only if the router sees a change."""
        await load_library(self)
        return rx.redirect(self._address())

    def _address(self) -> str:
        usual = {"q": "", "sort": SortOrder.NEWEST, "filter": Filter.ALL, "tag": "", "from": 0, "view": VIEWS[0]}
        asked = {"q": self.search, "sort": self.sort, "filter": self.shown, "tag": self.tag, "from": self.first, "view": self.view}
        query = urlencode({name: value for name, value in asked.items() if value != usual[name]})
        return f"/?{query}" if query else "/"


@dataclasses.dataclass(frozen=True)
class LibraryQuery:
    """``count`` videos after the ``first`` ones that match ``wanted``; ``origin`` is the page's, for signing posters."""

    wanted: ListQuery
    first: int
    count: int
    origin: str


@dataclasses.dataclass(frozen=True)
class LibraryVars:
    """The vars of ``LibraryState`` that reading sets, by name."""

    videos: list[VideoCard]
    tags: list[str]
    total: int
    first: int


def take_address(state: LibraryState) -> None:
    """Set search, sort order, filters and view from the address."""
    asked = state.router.url.query_parameters
    search = asked.get("q", "")[:MAX_SEARCH]
    if search != state.search:
        state.search, state.entered = search, state.entered + 1
    state.sort = _valid_or_default(SortOrder, asked.get("sort", ""), SortOrder.NEWEST)
    state.shown = _valid_or_default(Filter, asked.get("filter", ""), Filter.ALL)
    state.tag = asked.get("tag", "")[:MAX_TAG]
    state.first = _parse_count(asked.get("from", ""))
    state.view = VIEWS[asked.get("view", "") == VIEWS[1]]


def library_query(state: LibraryState, count: int = PAGE) -> LibraryQuery:
    """Return the query of the state."""
    return LibraryQuery(
        ListQuery(state.search, Filter(state.shown), SortOrder(state.sort), state.tag), state.first, count, origin_of(state)
    )


def read_library(db: Session, query: LibraryQuery) -> LibraryVars:
    """Return the page, or the last one if the list has become shorter. Signs URLs: call it from a thread."""
    page, tags = list_videos(db, query.wanted, offset=query.first, limit=query.count), known_tags(db)
    if query.first and not page.items:
        page = list_videos(db, query.wanted, offset=max(page.total - 1, 0) // MOST * MOST, limit=query.count)
    kept = ((video.id, video.poster_key) for video in page.items if video.poster_key and video.deleted_at is None)
    posters = sign_ahead(installed().signer, kept, query.origin)
    now = utc_now()
    cards = [video_card(video, posters[video.id].url if video.id in posters else "", now) for video in page.items]
    return LibraryVars(cards, tags, page.total, page.offset)


def show_library(state: LibraryState, found: LibraryVars) -> None:
    """Show the videos that were read."""
    assign(state, videos=found.videos, tags=found.tags)
    state.total, state.first = found.total, found.first
    state.preparing = installed().progress.text
    state.phase = "ready"


async def load_library(state: LibraryState, count: int = PAGE) -> None:
    """Read and show ``count`` videos of the state's query."""
    query = library_query(state, count)
    try:
        found = await read(lambda db: read_library(db, query))
    except Exception:
        state.phase = "failed"
        raise
    show_library(state, found)


async def reload_library(state: LibraryState) -> None:
    """Reload the listed videos."""
    await load_library(state, max(len(state.videos), PAGE))


def _parse_count(text: str) -> int:
    return min(int(text), MAX_FIRST) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _valid_or_default(kind: type[Choice], value: str, otherwise: Choice) -> str:
    return value if value in list(kind) else otherwise.value
