"""State of the library: one page of videos, and the search."""

from __future__ import annotations

import asyncio

import reflex as rx

from clipviewer.domain.permissions import Action
from clipviewer.services.clip_room import sign_ahead
from clipviewer.services.container import installed
from clipviewer.services.videos import list_videos
from clipviewer.state.access import allow, authenticate, origin_of
from clipviewer.state.rows import VideoCard, video_card

PAGE = 60
MAX_SEARCH = 200


class LibraryState(rx.State):
    """``phase`` is loading, ready or failed; ``total`` counts everything that the search finds; ``preparing`` says what is being made."""

    phase: str = "loading"
    videos: list[VideoCard] = []
    total: int = 0
    search: str = ""
    preparing: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def load(self) -> None:
        """Show the first page."""
        await self._load(PAGE)

    @rx.event
    @allow(Action.VIEW)
    async def set_search(self, text: str) -> None:
        """Show what the search finds."""
        self.search = text[:MAX_SEARCH]
        await self._load(PAGE)

    @rx.event
    @allow(Action.VIEW)
    async def show_more(self) -> None:
        """Append the next page."""
        await self._load(len(self.videos) + PAGE)

    async def _load(self, count: int) -> None:
        search, origin = self.search, origin_of(self)

        def read() -> tuple[list[VideoCard], int]:
            services = installed()
            with services.database.read() as db:
                page = list_videos(db, search=search, limit=count)
            posters = sign_ahead(services.signer, ((v.id, v.poster_key) for v in page.items if v.poster_key), origin)
            return [video_card(v, posters[v.id].url if v.id in posters else "") for v in page.items], page.total

        try:
            videos, total = await asyncio.to_thread(read)
        except Exception:
            self.phase = "failed"
            raise
        if videos != self.videos:
            self.videos = videos
        self.total = total
        self.preparing = installed().progress.text
        self.phase = "ready"


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
