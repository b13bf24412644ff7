"""State of the export dialog, and of the exports on their way in the open room."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.language import ORIGINAL
from clipviewer.domain.permissions import Action
from clipviewer.errors import Invalid
from clipviewer.services import audit, exports
from clipviewer.services.container import installed
from clipviewer.services.exports import CellView, ExportPlan, State
from clipviewer.state.access import allow, authenticate
from clipviewer.state.rows import JobRow, job_row
from clipviewer.state.video_detail import VideoDetailState

FRAMINGS = (FramingMode.CENTRE, FramingMode.FIT)
SHOWN = (State.QUEUED, State.RUNNING, State.FAILED)
MAX_SHOWN = 50


class ExportState(rx.State):
    """What is chosen in the dialog and what pressing Export would do; the jobs that are not done; ``busy`` while some are under way."""

    ratios: list[str] = [AspectRatio.PORTRAIT.value]
    framing: str = FramingMode.CENTRE.value
    summary: str = ""
    missing: int = 0
    jobs: list[JobRow] = []
    busy: bool = False
    _video_id: str = ""
    _revision: int = 0
    _asked: list[str] = []

    @rx.event
    @allow(Action.EXPORT)
    async def plan(self) -> None:
        """Say what the present choices come to."""
        room = await self.get_state(VideoDetailState)
        video, ticked = room.video, list(room.ticked)
        if video is None:
            return
        ratios, framing = self._choices()

        def read() -> ExportPlan:
            with installed().database.read() as db:
                return exports.plan_exports(db, video.id, ticked, ratios, [ORIGINAL], framing=framing)

        plan = await asyncio.to_thread(read)
        self.missing = len(plan.missing)
        self.summary = _summary(len(ticked), len(ratios), len(plan.missing), len(plan.present))

    @rx.event
    @allow(Action.EXPORT)
    async def toggle_ratio(self, ratio: str) -> None:
        """Choose an aspect ratio, or drop it."""
        chosen = set(self.ratios) ^ {AspectRatio(ratio).value} if ratio in set(AspectRatio) else set(self.ratios)
        self.ratios = [known.value for known in AspectRatio if known.value in chosen]
        await ExportState.plan.fn(self)

    @rx.event
    @allow(Action.EXPORT)
    async def set_framing(self, framing: str) -> None:
        """Choose between a crop around the centre and the whole picture over a blurred one."""
        if framing not in FRAMINGS:
            raise Invalid
        self.framing = framing
        await ExportState.plan.fn(self)

    @rx.event
    @allow(Action.EXPORT)
    async def handle_export_clips(self) -> Any:
        """Queue what is missing of the ticked clips and the choices; what is there, or on its way, is left alone."""
        room = await self.get_state(VideoDetailState)
        video, ticked = room.video, list(room.ticked)
        if video is None:
            return None
        (ratios, framing), router = self._choices(), self.router

        def write() -> list[CellView]:
            principal = authenticate(router.headers)
            with installed().database.write() as db:
                cells = exports.request_exports(db, video.id, ticked, ratios, [ORIGINAL], framing=framing, actor=principal.user_id)
                audit.record(db, "export", actor=principal.user_id, subject=video.id, address=router.session.client_ip, cells=len(cells))
            return cells

        cells = await asyncio.to_thread(write)
        self._asked = [*self._asked, *(cell.id for cell in cells if cell.state in exports.UNFINISHED)][-MAX_SHOWN * 4 :]
        room.export_open = False
        await ExportState.follow.fn(self)
        queued = sum(cell.state in exports.UNFINISHED for cell in cells)
        return rx.toast.success(f"{_count(queued, 'export')} on the way") if queued else rx.toast.info("All of these are there already")

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> Any:
        """Show what has changed since the last time; a finished export joins the list without a reload."""
        room = await self.get_state(VideoDetailState)
        video = room.video
        if video is None:
            return None
        if self._video_id != video.id:
            self._video_id, self._revision, self.jobs, self.busy = video.id, 0, [], False
        first, revision = self._revision == 0, self._revision

        def read() -> exports.Changes:
            with installed().database.read() as db:
                return exports.changes_since(db, video.id, revision)

        changes = await asyncio.to_thread(read)
        if changes.revision == revision:
            return None
        self._revision = changes.revision
        jobs = {job.id: job for job in self.jobs}
        done = [cell for cell in changes.cells if cell.state == State.DONE]
        for cell in changes.cells:
            if cell.state in SHOWN:
                jobs[cell.id] = job_row(cell)
            else:
                jobs.pop(cell.id, None)
        self.jobs = list(jobs.values())[-MAX_SHOWN:]
        self.busy = any(job.state != State.FAILED for job in self.jobs)
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
        self._asked = [*self._asked, job_id]
        await ExportState.follow.fn(self)

    def _choices(self) -> tuple[list[AspectRatio], Framing]:
        return [AspectRatio(ratio) for ratio in self.ratios], Framing(FramingMode(self.framing))


def _write(work: Any) -> None:
    with installed().database.write() as db:
        work(db)


def _summary(clips: int, ratios: int, missing: int, present: int) -> str:
    if not ratios:
        return "Choose at least one aspect ratio."
    words = f"{_count(clips, 'clip')} × {_count(ratios, 'aspect ratio')} × 1 language: {missing} new"
    return f"{words}, {present} already there." if present else f"{words}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
