"""State of the strip above the library: running jobs, and videos that need attention."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath

import reflex as rx
from sqlmodel import Session

from clipviewer.db.models import utc_now
from clipviewer.domain.job_state import JobState
from clipviewer.domain.permissions import Action
from clipviewer.jobs import control
from clipviewer.services.adoption import adopting
from clipviewer.services.adoption.words import format_prefix
from clipviewer.services.container import installed
from clipviewer.services.library import uploads
from clipviewer.services.library.activity import EXPORT, Job, running
from clipviewer.services.library.listing import count_attention
from clipviewer.services.readiness import why_jobs_wait
from clipviewer.state.access import allow, principal
from clipviewer.state.library import PAGE, LibraryState, library_query, read_library, show_library
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign

SHOWN = 4
WORK_WORDS = {
    "previews": "Previews",
    "inspect": "Reading the file",
    "find": "Finding clips",
    "adopt": "Importing",
    "remux": "Quick start",
    "remove": "Removing permanently",
    "upload": "Checking the upload",
}


@dataclasses.dataclass(frozen=True)
class RunningRow:
    """A queued or running job: ``what`` happens to ``title``. ``percent`` is -1 if the total is unknown; ``note`` what it waits for."""

    id: str
    what: str
    title: str
    waits: bool
    percent: int
    note: str


class LibraryStripState(rx.State):
    """``running`` are the first jobs, ``more`` the number of others, ``paused`` says why none moves.

    The rest counts videos that need attention.
    """

    running: list[RunningRow] = []
    more: int = 0
    failed: int = 0
    stale: int = 0
    missing: int = 0
    busy: bool = False
    paused: str = ""

    @rx.event
    @allow(Action.EXPORT)
    async def cancel(self, running_id: str) -> None:
        """Cancel a job."""
        who = principal()

        def cancel(db: Session) -> StripVars:
            control.cancel(db, running_id, who)
            return read_strip(db)

        show_strip(self, await write(cancel))


@dataclasses.dataclass(frozen=True)
class StripVars:
    """The vars of ``LibraryStripState``, by name."""

    running: list[RunningRow]
    more: int
    busy: bool
    failed: int
    stale: int
    missing: int
    paused: str


def read_strip(db: Session) -> StripVars:
    """Return the running jobs and the videos that need attention."""
    found, total = running(db, limit=SHOWN)
    wrong = count_attention(db)
    why = why_jobs_wait(db, installed(), utc_now()) if total else ""
    return StripVars(
        running=[_row(item) for item in found],
        more=total - len(found),
        busy=total > 0,
        failed=wrong.failed,
        stale=wrong.stale,
        missing=wrong.missing,
        paused=f"Jobs are paused: {why}" if why else "",
    )


def show_strip(state: LibraryStripState, found: StripVars) -> None:
    """Show the strip that was read."""
    assign(state, running=found.running, paused=found.paused)
    state.more, state.busy = found.more, found.busy
    state.failed, state.stale, state.missing = found.failed, found.stale, found.missing


async def follow_library(page: rx.State, *, first_page: bool = False) -> None:
    """Refresh the running jobs and the listed videos, or the first page, in one read."""
    library = await page.get_state(LibraryState)
    query = library_query(library, PAGE if first_page else max(len(library.videos), PAGE))
    try:
        videos, strip = await read(lambda db: (read_library(db, query), read_strip(db)))
    except Exception:
        library.phase = "failed"
        raise
    show_library(library, videos)
    show_strip(await page.get_state(LibraryStripState), strip)


def _row(item: Job) -> RunningRow:
    what = f"{item.clip} · {item.ratio}" if item.kind == EXPORT else WORK_WORDS.get(item.kind, item.kind.capitalize())
    waits = item.state == JobState.QUEUED
    if item.kind == adopting.KIND:
        return RunningRow(item.id, what, " · ".join(filter(None, (format_prefix(item.title), item.note))), waits, -1, "")
    title = PurePosixPath(item.title).name if item.kind == uploads.KIND else item.title
    return RunningRow(item.id, what, title, waits, round(item.progress * 100), item.note if waits else "")
