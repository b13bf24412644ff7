"""State of the strip above the library: what runs now, and what needs attention."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import reflex as rx

from clipviewer.domain.job_state import JobState
from clipviewer.domain.permissions import Action
from clipviewer.jobs import control
from clipviewer.services.adoption import adopting
from clipviewer.services.adoption.words import whole
from clipviewer.services.container import installed
from clipviewer.services.library.activity import EXPORT, Job, running
from clipviewer.services.library.listing import attention
from clipviewer.state.access import allow, authenticate
from clipviewer.state.library import LibraryState

SHOWN = 4
WORK_WORDS = {
    "previews": "Previews",
    "inspect": "Reading the file",
    "find": "Finding clips",
    "adopt": "Adopting",
    "remux": "Quick start",
    "remove": "Removing for good",
}


@dataclasses.dataclass(frozen=True)
class RunningRow:
    """Something under way, or waiting: ``what`` is done to ``title``. ``percent`` is -1 where nobody knows how much there is."""

    id: str
    what: str
    title: str
    waits: bool
    percent: int


class LibraryStripState(rx.State):
    """``running`` are the first ones, ``more`` how many others there are; the rest counts videos that need attention."""

    running: list[RunningRow] = []
    more: int = 0
    failed: int = 0
    stale: int = 0
    missing: int = 0
    busy: bool = False

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> None:
        """Show how far everything is, and what has become of the videos that are listed."""
        await self._look()
        await LibraryState.follow.fn(await self.get_state(LibraryState))

    @rx.event
    @allow(Action.EXPORT)
    async def cancel(self, running_id: str) -> None:
        """Call it off."""
        headers = self.router.headers

        def call_off() -> None:
            who = authenticate(headers)
            with installed().database.write() as db:
                control.cancel(db, running_id, who)

        await asyncio.to_thread(call_off)
        await self._look()

    async def _look(self) -> None:
        def read() -> Any:
            with installed().database.read() as db:
                return *running(db, limit=SHOWN), attention(db)

        found, total, wrong = await asyncio.to_thread(read)
        rows = [_row(item) for item in found]
        if rows != self.running:
            self.running = rows
        self.more, self.busy = total - len(rows), total > 0
        self.failed, self.stale, self.missing = wrong.failed, wrong.stale, wrong.missing


def _row(item: Job) -> RunningRow:
    what = f"{item.clip} · {item.ratio}" if item.kind == EXPORT else WORK_WORDS.get(item.kind, item.kind.capitalize())
    waits = item.state == JobState.QUEUED
    if item.kind == adopting.KIND:
        return RunningRow(item.id, what, " · ".join(filter(None, (whole(item.title), item.note))), waits, -1)
    return RunningRow(item.id, what, item.title, waits, round(item.progress * 100))
