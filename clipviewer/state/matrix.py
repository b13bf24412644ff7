"""State of the export matrix, and of the filters that it shares with the list of exported clips."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.language import language_name
from clipviewer.domain.permissions import Action
from clipviewer.errors import NotFound
from clipviewer.services import audit
from clipviewer.services.cells import board
from clipviewer.services.cells.filters import CellState, ExportFilters, export_filters
from clipviewer.services.container import installed
from clipviewer.services.exporting.choices import served_languages
from clipviewer.services.exporting.matrix import MatrixPage, matrix, matrix_languages
from clipviewer.services.exporting.matrix_exports import export_cell
from clipviewer.services.room.clip_room import EXPORTED
from clipviewer.state.access import allow, authenticate
from clipviewer.state.exports import ExportState
from clipviewer.state.matrix_rows import MatrixLine, OpenedCell, Place, matrix_lines, opened_cell, places
from clipviewer.state.rows import LanguageRow
from clipviewer.state.video_detail import VideoDetailState

LIST, MATRIX = "list", "matrix"
MOST_CELLS, MOST_LINES, LEAST_LINES = 600, 60, 12
LOOK_AGAIN_SECONDS = 15.0  # for what changes without an export: a clip's range, its crop, the video


class MatrixState(rx.State):
    """``view`` is list or matrix; ``lines`` are a window of ``total``; ``progress`` is how far the running ones are, in percent by key.

    ``phase`` is loading, ready or failed. The filters are ``only_…``, "" for any.
    """

    view: str = LIST
    only_ratio: str = ""
    only_language: str = ""
    only_state: str = ""
    languages: list[LanguageRow] = []
    phase: str = "loading"
    lines: list[MatrixLine] = []
    offset: int = 0
    total: int = 0
    progress: dict[str, int] = {}
    opened: OpenedCell | None = None
    _page: MatrixPage | None = None
    _seen: tuple[str, int] = ("", -1)
    _looked: float = 0.0

    @rx.event
    @allow(Action.VIEW)
    async def open_exports(self) -> None:
        """Take view and filters from the address: ``?view=matrix&ratio=…&language=…&state=…``."""
        asked = self.router.url.query_parameters
        if (await self.get_state(VideoDetailState)).video is None:
            return
        self._take(export_filters(asked))
        self.view = MATRIX if asked.get("view") == MATRIX else LIST
        self.opened = None
        await self._load(0)

    @rx.event
    @allow(Action.VIEW)
    async def set_view(self, view: str) -> None:
        """Show the exports as a list or as a matrix."""
        self.view = MATRIX if view == MATRIX else LIST
        await self._load(self.offset)

    @rx.event
    @allow(Action.VIEW)
    async def set_filter(self, name: str, value: str) -> None:
        """Narrow the exports by ``ratio``, ``language`` or ``state``; "" for any."""
        given = {"ratio": self.only_ratio, "language": self.only_language, "state": self.only_state} | {name: value}
        await self._narrow(export_filters(given))

    @rx.event
    @allow(Action.VIEW)
    async def clear_filters(self) -> None:
        """Show all exports."""
        await self._narrow(ExportFilters())

    @rx.event
    @allow(Action.VIEW)
    async def show_lines(self, first: int, last: int) -> None:
        """The matrix now shows lines ``first`` to ``last``: load what is missing around them."""
        first, last = max(0, min(first, self.total - 1)), max(0, min(last, self.total - 1))
        if self.total and (first < self.offset or last >= self.offset + len(self.lines)):
            await self._load(min((first + last - self._limit()) // 2, self.total - self._limit()))

    @rx.event
    @allow(Action.VIEW)
    async def refresh(self) -> None:
        """Read what is shown again."""
        await self._load(self.offset)

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> Any:
        """Follow the exports, and show in the matrix what has changed since the last time."""
        running = await self.get_state(ExportState)
        news = await ExportState.follow.fn(running)
        if (running._video_id, running._revision) != self._seen or time.monotonic() - self._looked > LOOK_AGAIN_SECONDS:
            await self._load(self.offset)
        return news

    @rx.event
    @allow(Action.VIEW)
    async def open_cell(self, key: str) -> Any:
        """Show what there is to a cell, and its file in the player."""
        place = self._place(key)
        self.opened = await self._described(place)
        if place is None or place.entry is None or not place.entry.exported_clip_id:
            return None
        return await VideoDetailState.select_clip.fn(await self.get_state(VideoDetailState), place.entry.exported_clip_id)

    @rx.event
    @allow(Action.EXPORT)
    async def export_cell(self, key: str) -> Any:
        """Queue exactly this cell: one that is missing, or one that is stale."""
        place, router = self._place(key), self.router
        if place is None or not place.row.clip_id or place.state not in (CellState.MISSING, CellState.STALE):
            self.opened = await self._described(place)
            return rx.toast.info("This cell has changed in the meantime, so nothing was exported.")
        video_id = self._seen[0]
        stale = place.entry.job_id if place.entry else ""

        def write() -> str:
            principal = authenticate(router.headers)
            with installed().database.write() as db:
                ratio = AspectRatio(place.ratio)
                made = export_cell(db, video_id, place.row.clip_id, ratio, place.language, instead_of=stale, actor=principal.user_id)
                audit.record(db, "export", actor=principal.user_id, subject=video_id, address=router.session.client_ip, cells=1)
            return made.id

        job_id = await asyncio.to_thread(write)
        await (await self.get_state(ExportState))._await([job_id])
        await self._load(self.offset)
        self.opened = await self._described(self._place(job_id)) or self.opened
        return None

    def _take(self, filters: ExportFilters) -> None:
        self.only_ratio, self.only_language, self.only_state = filters.ratio, filters.language, filters.state

    async def _narrow(self, filters: ExportFilters) -> None:
        self._take(filters)
        self.opened = None
        await (await self.get_state(VideoDetailState))._filter_exports(filters)
        await self._load(0)

    def _filters(self) -> ExportFilters:
        return ExportFilters(self.only_ratio, self.only_language, self.only_state)

    def _limit(self) -> int:
        """How many lines are loaded at once: fewer where each has many cells."""
        languages = 1 if self.only_language else max(1, len(self.languages))
        return max(LEAST_LINES, min(MOST_LINES, MOST_CELLS // (languages * (1 if self.only_ratio else len(AspectRatio)))))

    async def _load(self, offset: int) -> None:
        """Read the window of the matrix from ``offset`` on, and the languages; in the list only these."""
        room, running, filters, limit = (
            await self.get_state(VideoDetailState),
            await self.get_state(ExportState),
            self._filters(),
            self._limit(),
        )
        video = room.video
        if video is None:
            return
        seen = (video.id, running._revision if running._video_id == video.id else -1)
        wanted = self.view == MATRIX and room.tab == EXPORTED

        def read(db: Session) -> tuple[MatrixPage | None, list[str]]:
            if not wanted:
                return None, matrix_languages(db, video.id)
            page = matrix(db, video.id, offset=max(0, offset), limit=limit, filters=filters)
            if not page.rows and page.total:
                page = matrix(db, video.id, offset=max(0, page.total - limit), limit=limit, filters=filters)
            return page, list(page.languages)

        try:
            page, languages = await asyncio.to_thread(_reading, read)
        except NotFound:
            return
        except Exception:
            self.phase = "failed"
            raise
        self._assign("languages", [LanguageRow(tag, language_name(tag)) for tag in languages])
        if page is None:
            return
        self._seen, self._looked, self._page = seen, time.monotonic(), page
        self._assign("lines", matrix_lines(page, filters))
        self._assign("offset", page.offset)
        self._assign("total", page.total)
        under_way = [entry for row in page.rows for entry in row.entries if entry.state == CellState.RUNNING]
        self._assign("progress", {entry.job_id: round(entry.progress * 100) for entry in under_way})
        self._assign("phase", "ready")
        await self._follow_opened()

    async def _follow_opened(self) -> None:
        """Let the opened cell change with its file; a missing one becomes the first that is made of it."""
        if self.opened is None:
            return
        place = self._place(self.opened.key)
        if place is None:
            where = tuple(self.opened.key.split(" "))
            place = next((other for other in self._places() if (other.row.clip_id, other.ratio, other.language) == where), None)
        if place is not None:
            self._assign("opened", await self._described(place))

    def _places(self) -> list[Place]:
        page = self._page
        return [place for row in page.rows for place in places(page, row, ExportFilters())] if page else []

    def _place(self, key: str) -> Place | None:
        return next((place for place in self._places() if place.key == key), None)

    async def _described(self, place: Place | None) -> OpenedCell | None:
        """The cell as its card shows it; what is long is read for this one only."""
        if place is None:
            return None
        video_id = self._seen[0]

        def read(db: Session) -> OpenedCell:
            failed = place.entry is not None and place.entry.state == CellState.FAILED
            log = board.cell(db, place.entry.job_id).log if place.entry and failed else ""
            return opened_cell(place, log=log, refusal=_refusal(db, video_id, place))

        return await asyncio.to_thread(_reading, read)

    def _assign(self, name: str, value: Any) -> None:
        """Set a var only when it differs: an assignment alone makes Reflex send it again."""
        if getattr(self, name) != value:
            setattr(self, name, value)


def _refusal(db: Session, video_id: str, place: Place) -> str:
    if not place.row.clip_id:
        return "No identified clip stands for this range, so it cannot be exported here."
    if place.language not in served_languages(db, video_id):
        return f"Add captions in {language_name(place.language)} to export the clip in it."
    return ""


def _reading(read: Any) -> Any:
    with installed().database.read() as db:
        return read(db)
