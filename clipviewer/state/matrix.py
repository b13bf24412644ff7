"""State of the export matrix, and of the filters that it shares with the list of exported clips."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.language import language_name
from clipviewer.domain.permissions import Action
from clipviewer.errors import NotFound
from clipviewer.services import audit
from clipviewer.services.cells import board
from clipviewer.services.cells.filters import CellState, ExportFilters, export_filters
from clipviewer.services.exporting.choices import served_languages
from clipviewer.services.exporting.matrix import MatrixPage, matrix, matrix_languages
from clipviewer.services.exporting.matrix_exports import export_cell
from clipviewer.services.room.clip_room import EXPORTED
from clipviewer.state.access import allow, principal
from clipviewer.state.clip_lists import filter_exports, select_clip
from clipviewer.state.exports import ExportState, follow_exports, revision_of
from clipviewer.state.matrix_rows import CellPosition, MatrixLine, OpenedCell, cell_positions, matrix_lines, opened_cell
from clipviewer.state.rows import LanguageRow
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign
from clipviewer.state.video_detail import VideoDetailState

LIST, MATRIX = "list", "matrix"
MOST_CELLS, MOST_LINES, LEAST_LINES = 600, 60, 12
LOOK_AGAIN_SECONDS = 15.0  # for what changes without an export: a clip's range, its crop, the video


class MatrixState(rx.State):
    """``view`` is list or matrix; ``lines`` are a window of ``total``; ``progress`` is that of running cells, in percent by key.

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
    async def set_view(self, view: str) -> None:
        """Show the exports as a list or as a matrix."""
        self.view = MATRIX if view == MATRIX else LIST
        await self._load(self.offset)

    @rx.event
    @allow(Action.VIEW)
    async def set_filter(self, name: str, value: str) -> None:
        """Narrow the exports by ``ratio``, ``language`` or ``state``; "" for any."""
        given = {"ratio": self.only_ratio, "language": self.only_language, "state": self.only_state} | {name: value}
        await self._apply_filters(export_filters(given))

    @rx.event
    @allow(Action.VIEW)
    async def clear_filters(self) -> None:
        """Show all exports."""
        await self._apply_filters(ExportFilters())

    @rx.event
    @allow(Action.VIEW)
    async def show_lines(self, first: int, last: int) -> None:
        """Load the lines around ``first`` to ``last``, which the matrix shows now, unless they are loaded."""
        first, last = max(0, min(first, self.total - 1)), max(0, min(last, self.total - 1))
        if self.total and (first < self.offset or last >= self.offset + len(self.lines)):
            await self._load(min((first + last - _window_length(self)) // 2, self.total - _window_length(self)))

    @rx.event
    @allow(Action.VIEW)
    async def refresh(self) -> None:
        """Reload what is shown."""
        await self._load(self.offset)

    @rx.event
    @allow(Action.VIEW)
    async def open_cell(self, key: str) -> list[EventSpec]:
        """Show the details of a cell, and its file in the player."""
        place = self._place(key)
        self.opened = await self._details_of(place)
        if place is None or place.entry is None or not place.entry.exported_clip_id:
            return []
        return await select_clip(await self.get_state(VideoDetailState), place.entry.exported_clip_id)

    @rx.event
    @allow(Action.EXPORT)
    async def export_cell(self, key: str) -> list[EventSpec]:
        """Enqueue the export of this one cell, if it is missing or stale."""
        place = self._place(key)
        if place is None or not place.row.clip_id or place.state not in (CellState.MISSING, CellState.STALE):
            self.opened = await self._details_of(place)
            return [rx.toast.info("This cell has changed in the meantime, so nothing was exported.")]
        video_id, actor, address = self._seen[0], principal().user_id, self.router.session.client_ip
        stale = place.entry.job_id if place.entry else ""

        def export(db: Session) -> str:
            ratio = AspectRatio(place.ratio)
            made = export_cell(db, video_id, place.row.clip_id, ratio, place.language, instead_of=stale, actor=actor)
            audit.record(db, "export", actor=actor, subject=video_id, address=address, cells=1)
            return made.id

        job_id = await write(export)
        finished = await follow_exports(self, job_id)
        await self._load(self.offset)
        self.opened = await self._details_of(self._place(job_id)) or self.opened
        return finished

    async def _apply_filters(self, filters: ExportFilters) -> None:
        _set_filters(self, filters)
        self.opened = None
        await filter_exports(await self.get_state(VideoDetailState), filters)
        await self._load(0)

    async def _load(self, offset: int) -> None:
        """Read the window of the matrix from ``offset`` on, and the languages; in the list view only the languages."""
        room, running = await self.get_state(VideoDetailState), await self.get_state(ExportState)
        if room.video is None:
            return
        query = matrix_query(self, room.video.id, offset, shown=room.tab == EXPORTED)
        revision = revision_of(running, query.video_id)
        try:
            found = await read(lambda db: read_matrix(db, query))
        except NotFound:
            return
        except Exception:
            self.phase = "failed"
            raise
        await show_matrix(self, found, revision)

    def _places(self) -> list[CellPosition]:
        page = self._page
        return [place for row in page.rows for place in cell_positions(page, row, ExportFilters())] if page else []

    def _place(self, key: str) -> CellPosition | None:
        return next((place for place in self._places() if place.key == key), None)

    async def _follow_opened(self) -> None:
        """Update the opened cell. A missing cell becomes the first export made for it."""
        if self.opened is None:
            return
        place = self._place(self.opened.key)
        if place is None:
            where = tuple(self.opened.key.split(" "))
            place = next((other for other in self._places() if (other.row.clip_id, other.ratio, other.language) == where), None)
        if place is not None:
            assign(self, opened=await self._details_of(place))

    async def _details_of(self, place: CellPosition | None) -> OpenedCell | None:
        """Return the details of a cell for its card; long ones are read for this cell only."""
        if place is None:
            return None
        video_id = self._seen[0]

        def look(db: Session) -> OpenedCell:
            failed = place.entry is not None and place.entry.state == CellState.FAILED
            log = board.cell(db, place.entry.job_id).log if place.entry and failed else ""
            return opened_cell(place, log=log, refusal=_refusal(db, video_id, place))

        return await read(look)


@dataclasses.dataclass(frozen=True)
class MatrixQuery:
    """A window of a video's matrix, in lines; only its languages unless the matrix is ``shown``."""

    video_id: str
    offset: int
    limit: int
    filters: ExportFilters
    shown: bool


@dataclasses.dataclass(frozen=True)
class MatrixUpdate:
    """The result of ``query``: the languages, and the ``page`` if the matrix is shown."""

    query: MatrixQuery
    page: MatrixPage | None
    languages: list[str]


def take_address(state: MatrixState, asked: Mapping[str, str]) -> None:
    """Set view and filters from the query of an address: ``view=matrix&ratio=…&language=…&state=…``."""
    _set_filters(state, export_filters(asked))
    assign(state, view=MATRIX if asked.get("view") == MATRIX else LIST, opened=None)


def matrix_query(state: MatrixState, video_id: str, offset: int, *, shown: bool) -> MatrixQuery:
    """Return the query of the window from line ``offset`` on; ``shown``: whether the tab Exported is open."""
    filters = ExportFilters(state.only_ratio, state.only_language, state.only_state)
    return MatrixQuery(video_id, max(0, offset), _window_length(state), filters, shown and state.view == MATRIX)


def read_matrix(db: Session, query: MatrixQuery) -> MatrixUpdate:
    """Return the window, or the last one if the matrix has become shorter."""
    if not query.shown:
        return MatrixUpdate(query, None, matrix_languages(db, query.video_id))
    page = matrix(db, query.video_id, offset=query.offset, limit=query.limit, filters=query.filters)
    if not page.rows and page.total:
        page = matrix(db, query.video_id, offset=max(0, page.total - query.limit), limit=query.limit, filters=query.filters)
    return MatrixUpdate(query, page, list(page.languages))


async def show_matrix(state: MatrixState, found: MatrixUpdate, revision: int) -> None:
    """Show what was read at that ``revision`` of the exports."""
    assign(state, languages=[LanguageRow(tag, language_name(tag)) for tag in found.languages])
    page = found.page
    if page is None:
        return
    state._seen, state._looked, state._page = (found.query.video_id, revision), time.monotonic(), page
    under_way = [entry for row in page.rows for entry in row.entries if entry.state == CellState.RUNNING]
    assign(
        state,
        lines=matrix_lines(page, found.query.filters),
        offset=page.offset,
        total=page.total,
        progress={entry.job_id: round(entry.progress * 100) for entry in under_way},
        phase="ready",
    )
    await state._follow_opened()


async def follow_matrix(state: MatrixState) -> None:
    """Reload the shown matrix if the exports have changed, and now and then for other changes."""
    room, running = await state.get_state(VideoDetailState), await state.get_state(ExportState)
    if room.video is None or room.tab != EXPORTED or state.view != MATRIX:
        return
    seen = (room.video.id, revision_of(running, room.video.id))
    if seen != state._seen or time.monotonic() - state._looked > LOOK_AGAIN_SECONDS:
        await state._load(state.offset)


def _set_filters(state: MatrixState, filters: ExportFilters) -> None:
    assign(state, only_ratio=filters.ratio, only_language=filters.language, only_state=filters.state)


def _window_length(state: MatrixState) -> int:
    """Return how many lines to load at once: fewer if each has many cells."""
    languages = 1 if state.only_language else max(1, len(state.languages))
    return max(LEAST_LINES, min(MOST_LINES, MOST_CELLS // (languages * (1 if state.only_ratio else len(AspectRatio)))))


def _refusal(db: Session, video_id: str, place: CellPosition) -> str:
    if not place.row.clip_id:
        return "There is no identified clip for this range, so it cannot be exported here."
    if place.language not in served_languages(db, video_id):
        return f"Add captions in {language_name(place.language)} to export the clip in it."
    return ""
