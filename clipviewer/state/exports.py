"""State of the exports on their way in the open room."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from clipviewer.domain.job_state import JobState
from clipviewer.domain.permissions import Action
from clipviewer.errors import VideoNotFound
from clipviewer.services.cells import board
from clipviewer.services.container import installed
from clipviewer.services.exporting import exports
from clipviewer.services.library.videos import require_video
from clipviewer.state.access import allow, authenticate
from clipviewer.state.rows import JobRow, job_row
from clipviewer.state.video_detail import VideoDetailState

SHOWN = (JobState.QUEUED, JobState.RUNNING, JobState.FAILED)
MAX_SHOWN = 50


class ExportState(rx.State):
    """The jobs that are not done; ``busy`` while some are under way."""

    jobs: list[JobRow] = []
    busy: bool = False
    _video_id: str = ""
    _revision: int = 0
    _asked: list[str] = []

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> Any:
        """Show what has changed since the last time; a finished export joins the list without a reload."""
        room = await self.get_state(VideoDetailState)
        video = room.video
        if video is None:
            return None
        first = self._video_id != video.id
        if first:
            self._video_id, self._revision, self.jobs, self.busy = video.id, 0, [], False
        revision = self._revision

        def read() -> board.Changes:
            with installed().database.read() as db:
                require_video(db, video.id)
                return board.changes_since(db, video.id, revision)

        try:
            changes = await asyncio.to_thread(read)
        except VideoNotFound:  # somebody deleted it, and the room says so
            return VideoDetailState.fetch_video_details
        if changes.revision == revision:
            return None
        self._revision = changes.revision
        jobs = {job.id: job for job in self.jobs}
        done = [cell for cell in changes.cells if cell.state == JobState.DONE]
        for cell in changes.cells:
            if cell.state in SHOWN:
                jobs[cell.id] = job_row(cell)
            else:
                jobs.pop(cell.id, None)
        self.jobs = list(jobs.values())[-MAX_SHOWN:]
        self.busy = any(job.state != JobState.FAILED for job in self.jobs)
        if first or not done:
            return None
        await room._show_new_exports()
        return [rx.toast.success(f"Exported: {cell.title} {cell.aspect_ratio}") for cell in done if cell.id in self._asked]

    @rx.event
    @allow(Action.EXPORT)
    async def cancel_export(self, job_id: str) -> None:
        """Call an export off."""
        await asyncio.to_thread(_write, lambda db: exports.cancel(db, job_id))
        await ExportState.follow.fn(self)

    @rx.event
    @allow(Action.EXPORT)
    async def retry_export(self, job_id: str) -> None:
        """Queue a failed export again."""
        user_id = (await asyncio.to_thread(authenticate, self.router.headers)).user_id
        await asyncio.to_thread(_write, lambda db: exports.retry(db, job_id, actor=user_id))
        await self._await([job_id])

    async def _await(self, job_ids: list[str]) -> None:
        """Follow them, and tell this person when they are done."""
        self._asked = [*self._asked, *job_ids][-MAX_SHOWN * 4 :]
        await ExportState.follow.fn(self)


def _write(work: Any) -> None:
    with installed().database.write() as db:
        work(db)
