"""Opening a clip room: one snapshot of everything its states show first, read in one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.errors import VideoNotFound
from clipviewer.services.cells import board
from clipviewer.services.cells.board import Changes
from clipviewer.services.library import quick_start, video_previews
from clipviewer.services.library.quick_start import QuickStart
from clipviewer.services.room import captions
from clipviewer.services.room.captions import CaptionsView
from clipviewer.services.room.clip_room import EXPORTED
from clipviewer.state.captions import CaptionsState, show_captions
from clipviewer.state.clip_lists import RoomOpening, close_lists, read_opening, show_opening
from clipviewer.state.exports import ExportState, announce_exports, revision_of, show_changes
from clipviewer.state.finding import FindingState, SearchUpdate, SearchView, announce_search, read_search, show_search
from clipviewer.state.matrix import MatrixQuery, MatrixState, MatrixUpdate, matrix_query, read_matrix, show_matrix, take_address
from clipviewer.state.page_address import origin_of, video_in_address
from clipviewer.state.quick_start import QuickStartState, QuickStartView, show_quick_start
from clipviewer.state.rows import UrlEntry
from clipviewer.state.timeline import TimelineState, TimelineView, show_timeline, timeline_view
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import assign, reset
from clipviewer.state.video_detail import VideoDetailState


@dataclasses.dataclass(frozen=True)
class RoomRequest:
    """A request to open a room: the address (``video_id``, ``given``), and what the page has (``known`` URLs, export ``revision``)."""

    video_id: str
    given: Mapping[str, str]
    origin: str
    known: Mapping[str, UrlEntry]
    revision: int
    matrix: MatrixQuery


@dataclasses.dataclass(frozen=True)
class RoomSnapshot:
    """What a room shows first. ``previews_due``: the video was imported without previews, which opening it enqueues at once."""

    lists: RoomOpening
    captions: Sequence[CaptionsView]
    exports: Changes
    matrix: MatrixUpdate
    search: SearchUpdate
    timeline: TimelineView
    previews_due: bool
    quick_start: QuickStart


async def open_room_of(page: rx.State) -> list[EventSpec]:
    """Show the video of the address: ``/videos/{id}?clip=…&tab=…``, with the filters and the view of its exports."""
    video_id = video_in_address(page)
    room, matrix, running = await page.get_state(VideoDetailState), await page.get_state(MatrixState), await page.get_state(ExportState)
    given = page.router.url.query_parameters
    if room.video is None or room.video.id != video_id:
        reset(room)
    take_address(matrix, given)
    query = matrix_query(matrix, video_id, 0, shown=True)
    asked = RoomRequest(video_id, given, origin_of(page), dict(room.clip_video_urls), revision_of(running, video_id), query)
    try:
        snapshot = await read(lambda db: take_snapshot(db, asked))
        if snapshot.previews_due:
            snapshot = await write(lambda db: _with_previews(db, snapshot, asked))
    except VideoNotFound:
        await close_room(page)
        return []
    except Exception:
        room.phase = "failed"
        raise
    return await _show(page, snapshot, asked)


async def reload_room_of(page: rx.State) -> list[EventSpec]:
    """Reload the video of the address in an open room; the other parts of the room stay as they are."""
    video_id = video_in_address(page)
    room = await page.get_state(VideoDetailState)
    given, known, origin = page.router.url.query_parameters, dict(room.clip_video_urls), origin_of(page)
    try:
        opening = await read(lambda db: read_opening(db, video_id, given, known, origin))
    except VideoNotFound:
        await close_room(page)
        return []
    return show_opening(room, opening)


def take_snapshot(db: Session, asked: RoomRequest) -> RoomSnapshot:
    """Read what the room shows first. Signs URLs: call it from a thread. Raises ``VideoNotFound``."""
    video_id = asked.video_id
    lists = read_opening(db, video_id, asked.given, asked.known, asked.origin)
    previews = video_previews.previews_of(db, video_id)
    on_exported = lists.shown.tab == EXPORTED
    return RoomSnapshot(
        lists=lists,
        captions=captions.captions_of(db, video_id),
        exports=board.changes_since(db, video_id, max(asked.revision, 0)),
        matrix=read_matrix(db, dataclasses.replace(asked.matrix, shown=asked.matrix.shown and on_exported)),
        search=read_search(db, video_id),
        timeline=timeline_view(video_id, previews, asked.origin),
        previews_due=previews.due,
        quick_start=quick_start.quick_start_of(db, video_id),
    )


async def close_room(page: rx.State) -> None:
    """Show that the video of the address is gone, and clear the room."""
    await close_lists(await page.get_state(VideoDetailState), video_in_address(page))
    reset(await page.get_state(CaptionsState))
    assign(await page.get_state(FindingState), search=SearchView())
    assign(await page.get_state(QuickStartState), quick_start=QuickStartView())
    show_timeline(await page.get_state(TimelineState), TimelineView())


def _with_previews(db: Session, snapshot: RoomSnapshot, asked: RoomRequest) -> RoomSnapshot:
    video_previews.enqueue_if_due(db, asked.video_id)
    previews = video_previews.previews_of(db, asked.video_id)
    return dataclasses.replace(snapshot, timeline=timeline_view(asked.video_id, previews, asked.origin))


async def _show(page: rx.State, snapshot: RoomSnapshot, asked: RoomRequest) -> list[EventSpec]:
    video_id = asked.video_id
    missing = show_opening(await page.get_state(VideoDetailState), snapshot.lists)
    show_captions(await page.get_state(CaptionsState), snapshot.captions)
    running, finding = await page.get_state(ExportState), await page.get_state(FindingState)
    done = show_changes(running, video_id, snapshot.exports)
    await show_matrix(await page.get_state(MatrixState), snapshot.matrix, snapshot.exports.revision)
    show_search(finding, video_id, snapshot.search)
    show_timeline(await page.get_state(TimelineState), snapshot.timeline)
    mended = await show_quick_start(await page.get_state(QuickStartState), video_id, snapshot.quick_start)
    return [*missing, *announce_exports(running, done), *announce_search(finding, snapshot.search), *mended]
