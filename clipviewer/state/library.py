"""State of the library: one page of videos as its address asks for them. A script of the page writes what is typed into the address."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

import reflex as rx

from clipviewer.db.models import utc_now
from clipviewer.domain.permissions import Action
from clipviewer.domain.tag import MAX_TAG
from clipviewer.services.container import installed
from clipviewer.services.library.listing import Filter, Page, Sort, VideoSummary, Wanted, list_videos
from clipviewer.services.library.tags import known_tags
from clipviewer.services.room.clip_room import sign_ahead
from clipviewer.state.access import allow, authenticate, origin_of
from clipviewer.state.library_rows import VideoCard, video_card

PAGE = 60
MOST = 480
MAX_FIRST = 10_000_000
MAX_SEARCH = 200
VIEWS = ("grid", "table")

Choice = TypeVar("Choice", bound=StrEnum)


class LibraryState(rx.State):
    """``phase`` is loading, ready or failed; ``total`` counts everything that is found; ``preparing`` says what is being made.

    ``search``, ``sort``, ``shown`` (the filter), ``tag`` and ``view`` are those of the address; ``entered`` changes when the search was
    changed by something else than typing. ``tags`` are all that there are. ``first`` is how many videos stand before the listed ones.
    """

    phase: str = "loading"
    videos: list[VideoCard] = []
    total: int = 0
    first: int = 0
    search: str = ""
    sort: str = Sort.NEWEST.value
    shown: str = Filter.ALL.value
    tag: str = ""
    tags: list[str] = []
    view: str = VIEWS[0]
    entered: int = 0
    preparing: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def load(self) -> None:
        """Show the first page of what the address asks for: ``/?q=…&sort=…&filter=…&tag=…&from=…&view=…``."""
        asked = self.router.url.query_parameters
        search = asked.get("q", "")[:MAX_SEARCH]
        if search != self.search:
            self.search, self.entered = search, self.entered + 1
        self.sort = _known(Sort, asked.get("sort", ""), Sort.NEWEST)
        self.shown = _known(Filter, asked.get("filter", ""), Filter.ALL)
        self.tag = asked.get("tag", "")[:MAX_TAG]
        self.first = _whole(asked.get("from", ""))
        self.view = VIEWS[asked.get("view", "") == VIEWS[1]]
        await self._load(PAGE)

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> None:
        """Show what has become of the videos that are listed."""
        await self._load(max(len(self.videos), PAGE))

    @rx.event
    @allow(Action.VIEW)
    async def set_search(self, text: str) -> None:
        """Show what the search finds."""
        self.search, self.first = text[:MAX_SEARCH], 0
        await self._load(PAGE)

    @rx.event
    @allow(Action.VIEW)
    async def set_sort(self, sort: str) -> Any:
        """Put them in another order."""
        self.sort, self.first = _known(Sort, sort, Sort.NEWEST), 0
        return await self._go()

    @rx.event
    @allow(Action.VIEW)
    async def set_filter(self, shown: str) -> Any:
        """List others."""
        self.shown, self.first = _known(Filter, shown, Filter.ALL), 0
        return await self._go()

    @rx.event
    @allow(Action.VIEW)
    async def set_tag(self, tag: str) -> Any:
        """List those that have a tag; all of them again with ""."""
        self.tag, self.first = tag[:MAX_TAG], 0
        return await self._go()

    @rx.event
    @allow(Action.VIEW)
    async def set_view(self, view: str) -> Any:
        """Show them as a grid or as a table."""
        self.view = VIEWS[view == VIEWS[1]]
        return rx.redirect(self._address())

    @rx.event
    @allow(Action.VIEW)
    async def clear(self) -> Any:
        """List everything again."""
        self.search, self.shown, self.tag, self.first, self.entered = "", Filter.ALL.value, "", 0, self.entered + 1
        return await self._go()

    @rx.event
    @allow(Action.VIEW)
    async def show_more(self) -> None:
        """Append the next page."""
        await self._load(min(len(self.videos) + PAGE, MOST))

    @rx.event
    @allow(Action.VIEW)
    async def show_from(self, first: int) -> Any:
        """List those after the first ``first`` ones: a page has ``MOST`` of them."""
        self.first = min(max(first, 0), MAX_FIRST)
        return [await self._go(), rx.call_script("scrollTo(0, 0)")]

    async def _go(self) -> Any:
        """Load first: the address is followed only where the router sees it change."""
        await self._load(PAGE)
        return rx.redirect(self._address())

    def _address(self) -> str:
        usual = {"q": "", "sort": Sort.NEWEST, "filter": Filter.ALL, "tag": "", "from": 0, "view": VIEWS[0]}
        asked = {"q": self.search, "sort": self.sort, "filter": self.shown, "tag": self.tag, "from": self.first, "view": self.view}
        query = urlencode({name: value for name, value in asked.items() if value != usual[name]})
        return f"/?{query}" if query else "/"

    async def _load(self, count: int) -> None:
        wanted, first, origin = Wanted(self.search, Filter(self.shown), Sort(self.sort), self.tag), self.first, origin_of(self)

        def read() -> tuple[list[VideoCard], Page[VideoSummary], list[str]]:
            services = installed()
            with services.database.read() as db:
                page, tags = list_videos(db, wanted, offset=first, limit=count), known_tags(db)
                if first and not page.items:
                    page = list_videos(db, wanted, offset=max(page.total - 1, 0) // MOST * MOST, limit=count)
            kept = ((v.id, v.poster_key) for v in page.items if v.poster_key and v.deleted_at is None)
            posters = sign_ahead(services.signer, kept, origin)
            now = utc_now()
            return [video_card(v, posters[v.id].url if v.id in posters else "", now) for v in page.items], page, tags

        try:
            videos, page, tags = await asyncio.to_thread(read)
        except Exception:
            self.phase = "failed"
            raise
        if videos != self.videos:
            self.videos = videos
        if tags != self.tags:
            self.tags = tags
        self.total, self.first = page.total, page.offset
        self.preparing = installed().progress.text
        self.phase = "ready"


def _whole(text: str) -> int:
    return min(int(text), MAX_FIRST) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _known(kind: type[Choice], value: str, otherwise: Choice) -> str:
    return value if value in list(kind) else otherwise.value


class AccountState(rx.State):
    """Who is signed in, for the corner of the page; nothing is decided by it."""

    name: str = ""
    email: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def load(self) -> None:
        """Look up the name to show."""
        principal = await asyncio.to_thread(authenticate, self.router.headers)
        self.name, self.email = principal.name, principal.email
