"""State of the dialog "Import from bucket": preview, progress and result."""

from __future__ import annotations

import asyncio
import dataclasses

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.bucket_contents import ObjectKind
from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.errors import ClipviewerError
from clipviewer.services import work
from clipviewer.services.adoption import adopting
from clipviewer.services.adoption.tally import Tally
from clipviewer.services.adoption.words import format_count, format_prefix, ignored_lines, summary_lines
from clipviewer.services.container import installed
from clipviewer.services.work import WorkView
from clipviewer.state.access import allow, principal
from clipviewer.state.library_strip import follow_library
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign

_GROUPS = {
    ObjectKind.VIDEO: "Videos",
    ObjectKind.EXPORT: "Exports",
    ObjectKind.CAPTIONS: "Captions",
    "changed": "Changed",
    "back": "Found again",
}


@dataclasses.dataclass(frozen=True)
class KeyGroup:
    """The first keys of one kind, under their ``name``."""

    name: str
    objects: list[str]


@dataclasses.dataclass(frozen=True)
class FoundView:
    """What an import finds or found: a ``head``, ``lines`` of counts, some keys, and the ignored keys with reasons."""

    head: str
    lines: list[str]
    groups: list[KeyGroup]
    left_out: list[KeyGroup]


@dataclasses.dataclass(frozen=True)
class AdoptRun:
    """The newest import. ``words`` describe its progress or failure; ``found`` is set once it is done."""

    id: str
    state: str
    words: str
    found: FoundView | None


class AdoptState(rx.State):
    """``library`` is the prefix that limits the library; ``problem`` is why the last preview or import was refused."""

    may_adopt: bool = False
    opened: bool = False
    library: str = ""
    looking: bool = False
    problem: str = ""
    look: FoundView | None = None
    run: AdoptRun | None = None

    @rx.event
    @allow(Action.REGISTER)
    async def set_opened(self, opened: bool) -> None:
        """Open or close the dialog; a running import continues."""
        self.opened, self.problem, self.look = opened, "", None
        self.library = installed().settings.s3_prefix
        await self._show_run()

    @rx.event(background=True)
    @allow(Action.REGISTER)
    async def preview(self, prefix: str) -> None:
        """Preview an import of the prefix."""
        async with self:
            if self.looking:
                return
            self.looking, self.problem, self.look = True, "", None
        found, problem = None, ""
        try:
            found = await asyncio.to_thread(_preview, prefix.strip())
        except ClipviewerError as error:
            problem = error.detail
        finally:
            async with self:
                self.looking, self.problem, self.look = False, problem, found

    @rx.event
    @allow(Action.REGISTER)
    async def adopt(self, prefix: str) -> None:
        """Enqueue an import of the prefix."""
        library, actor, address = installed().settings.s3_prefix, principal().user_id, self.router.session.client_ip
        try:
            await write(lambda db: adopting.enqueue_import(db, library, prefix.strip(), actor=actor, address=address))
        except ClipviewerError as error:
            self.problem = error.detail
            return
        self.problem, self.look = "", None
        await self._show_run()
        await follow_library(self)

    @rx.event
    @allow(Action.REGISTER)
    async def follow(self) -> None:
        """Show the progress of the import."""
        await self._show_run()

    @rx.event
    @allow(Action.REGISTER)
    async def call_off(self) -> None:
        """Cancel the import; what was imported so far stays."""
        run = self.run
        if run is not None and run.state in UNFINISHED:
            await write(lambda db: work.cancel(db, run.id))
        await self._show_run()

    async def _show_run(self) -> None:
        assign(self, run=await read(_newest_run))


async def show_adopt_right(page: rx.State) -> None:
    """Show the dialog's button to people who may import."""
    assign(await page.get_state(AdoptState), may_adopt=allows(principal().role, Action.REGISTER))


def _preview(prefix: str) -> FoundView:
    services = installed()
    where = adopting.checked_prefix(services.settings.s3_prefix, prefix)
    return _view(adopting.preview_import(services, where), where, done=False)


def _newest_run(db: Session) -> AdoptRun | None:
    item = next(iter(work.recent_work(db, adopting.KIND, limit=1)), None)
    return None if item is None else _run(item)


def _run(item: WorkView) -> AdoptRun:
    where = format_prefix(item.subject)
    if item.state == JobState.DONE:
        return AdoptRun(item.id, item.state, "", _view(Tally.of_json(item.result), item.subject, done=True))
    words = {
        JobState.QUEUED: f"{where}: waiting to start",
        JobState.RUNNING: f"{where}: {item.note or 'listing objects'}",
        JobState.CANCELLED: f"{where}: stopped. What was imported so far stays. Import again to continue.",
    }
    return AdoptRun(item.id, item.state, words.get(JobState(item.state), f"{where}: {item.note}. Import again to continue."), None)


def _view(found: Tally, prefix: str, *, done: bool) -> FoundView:
    head = f"{format_prefix(prefix)}: {format_count(found.objects, 'object')}"
    return FoundView(
        head=head if found.complete else f"{head} checked; there are more",
        lines=summary_lines(found, done=done),
        groups=[KeyGroup(name, found.shown[sort]) for sort, name in _GROUPS.items() if found.shown.get(sort)],
        left_out=[KeyGroup(f"{count}: {words}", keys) for count, words, keys in ignored_lines(found)],
    )
