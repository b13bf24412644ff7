"""State of the unfinished exports in the open room."""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.db.models import utc_now
from clipviewer.domain.job_state import JobState
from clipviewer.domain.permissions import Action
from clipviewer.errors import VideoNotFound
from clipviewer.services.cells import board
from clipviewer.services.cells.board import CellView, Changes
from clipviewer.services.container import installed
from clipviewer.services.exporting import exports
from clipviewer.services.library.videos import require_video
from clipviewer.services.readiness import why_jobs_wait
from clipviewer.state.access import allow, principal
from clipviewer.state.clip_lists import close_lists, reload_exports
from clipviewer.state.rows import JobRow, job_row
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign
from clipviewer.state.video_detail import VideoDetailState

SHOWN = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)
MAX_SHOWN = 50


class ExportState(rx.State):
    """The unfinished and failed exports; ``busy`` while any is queued or running. ``paused`` says why none moves."""

    jobs: list[JobRow] = []
    busy: bool = False
    paused: str = ""
    _video_id: str = ""
    _revision: int = 0
    _asked: list[str] = []

    @rx.event
    @allow(Action.EXPORT)
    async def cancel_export(self, job_id: str) -> list[EventSpec]:
        """Cancel an export."""
        await write(lambda db: exports.cancel(db, job_id))
        return await self._show_answer()

    @rx.event
    @allow(Action.EXPORT)
    async def retry_export(self, job_id: str) -> list[EventSpec]:
        """Enqueue a failed export again."""
        actor = principal().user_id
        await write(lambda db: exports.retry(db, job_id, actor=actor))
        return await self._show_answer(job_id)

    async def _show_answer(self, *asked: str) -> list[EventSpec]:
        """Show the current exports, even if the request had no effect because it was already done."""
        self.jobs = list(self.jobs)
        return await follow_exports(self, *asked)


async def follow_exports(page: rx.State, *asked: str) -> list[EventSpec]:
    """Show what has changed in the room of ``page``; this person is told when the jobs that they requested (``asked``) are done."""
    state, room = await page.get_state(ExportState), await page.get_state(VideoDetailState)
    state._asked = [*state._asked, *asked][-MAX_SHOWN * 4 :]
    video = room.video
    if video is None:
        return []
    revision, busy = revision_of(state, video.id), state.busy

    def look(db: Session) -> tuple[Changes, str]:
        require_video(db, video.id)
        changes = board.changes_since(db, video.id, max(revision, 0))
        return changes, read_pause(db) if busy or changes.cells else ""

    try:
        changes, paused = await read(look)
    except VideoNotFound:  # somebody deleted it
        await close_lists(room, video.id)
        return []
    done = show_changes(state, video.id, changes)
    show_pause(state, paused)
    if done:
        await reload_exports(room)
    return announce_exports(state, done)


def revision_of(state: ExportState, video_id: str) -> int:
    """Return the shown revision of the video's exports, or -1 if none or another video's is shown."""
    return state._revision if state._video_id == video_id else -1


def show_changes(state: ExportState, video_id: str, changes: Changes) -> list[CellView]:
    """Show the ``changes`` since ``revision_of``; return the exports finished since then, none for a video shown for the first time."""
    first = state._video_id != video_id
    if first:
        state._video_id, state._revision, state.jobs, state.busy = video_id, 0, [], False
    if changes.revision == state._revision:
        return []
    state._revision = changes.revision
    jobs = {job.id: job for job in state.jobs}
    for cell in changes.cells:
        if cell.state in SHOWN:
            jobs[cell.id] = job_row(cell)
        else:
            jobs.pop(cell.id, None)
    state.jobs = list(jobs.values())[-MAX_SHOWN:]
    state.busy = any(job.state != JobState.FAILED for job in state.jobs)
    return [] if first else [cell for cell in changes.cells if cell.state == JobState.DONE]


def read_pause(db: Session) -> str:
    """Return why no job moves, as the end of a sentence; "" if a worker answers."""
    return why_jobs_wait(db, installed(), utc_now())


def show_pause(state: ExportState, why: str) -> None:
    """Say why the exports do not move, if any is waiting."""
    assign(state, paused=f"Exports are paused: {why}" if why and state.busy else "")


def announce_exports(state: ExportState, done: list[CellView]) -> list[EventSpec]:
    """Return a toast for each finished export that this person requested."""
    return [rx.toast.success(f"Exported: {cell.title} {cell.aspect_ratio}") for cell in done if cell.id in state._asked]
