"""The two clip lists of an open room: their loaded windows, the selected clips, and the URLs of clips near them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.errors import ClipNotFound, VideoNotFound
from clipviewer.services.cells.filters import ExportFilters, export_filters
from clipviewer.services.container import installed
from clipviewer.services.library.videos import video_details
from clipviewer.services.room.clip_room import (
    EXPORTED,
    Room,
    Window,
    exported_window,
    identified_window,
    open_room,
    sign_ahead,
    sign_of_video,
)
from clipviewer.services.room.clips import ExportedClipView, IdentifiedClipView, count_exported
from clipviewer.state.page_address import origin_of
from clipviewer.state.room_urls import NEIGHBOURS, index_of_selected, plan_renewal
from clipviewer.state.rows import ClipRow, UrlEntry, VideoView, exported_row, identified_row, video_view
from clipviewer.state.transactions import read
from clipviewer.state.vars import assign, reset


class ClipLists(rx.State, mixin=True):
    """One open clip room. ``phase`` is loading, ready, deleted, missing or failed; the clip lists are windows into longer ones.

    ``deleted`` is a deleted video that can still be restored; ``video`` is None then.
    ``exported_total`` is the length of the filtered list, ``exported_count`` of the whole one.
    """

    phase: str = "loading"
    video: VideoView | None = None
    deleted: VideoView | None = None
    tab: str = EXPORTED
    exported_clips: list[ClipRow] = []
    exported_offset: int = 0
    exported_total: int = 0
    exported_count: int = 0
    identified_clips: list[ClipRow] = []
    identified_offset: int = 0
    identified_total: int = 0
    selected_exported_clip: ClipRow | None = None
    selected_identified_clip: ClipRow | None = None
    clip_video_urls: dict[str, UrlEntry] = {}
    _filters: ExportFilters = ExportFilters()


@dataclasses.dataclass(frozen=True)
class RoomVars:
    """The vars of ``ClipLists`` that opening a room sets, by name."""

    video: VideoView
    tab: str
    exported_clips: list[ClipRow]
    exported_offset: int
    exported_total: int
    exported_count: int
    identified_clips: list[ClipRow]
    identified_offset: int
    identified_total: int
    selected_exported_clip: ClipRow | None
    selected_identified_clip: ClipRow | None


@dataclasses.dataclass(frozen=True)
class RoomOpening:
    """A room that was read: its vars and ``urls``, with exports narrowed by ``filters``. ``clip_missing``: the requested clip is gone."""

    shown: RoomVars
    urls: Mapping[str, UrlEntry]
    filters: ExportFilters
    clip_missing: bool


def read_opening(db: Session, video_id: str, asked: Mapping[str, str], known: Mapping[str, UrlEntry], origin: str) -> RoomOpening:
    """Read the room of a video for the query of an address: ``clip=…&tab=…`` and the filters of the exports.

    ``known`` are the URLs that the page has; missing ones are signed here, for ``origin``. Raises ``VideoNotFound``.
    """
    filters = export_filters(asked)
    room = open_room(db, video_id, clip_id=asked.get("clip", ""), tab=asked.get("tab", ""), filters=filters)
    shown = _room_vars(room)
    rows, selected = (shown.exported_clips, shown.selected_exported_clip) if room.tab == EXPORTED else ([], None)
    place = index_of_selected(shown.selected_exported_clip, shown.exported_clips)
    needed = plan_renewal(known, shown.video, selected, rows, place - NEIGHBOURS, place + NEIGHBOURS)
    urls = known if needed is None else needed.renewed(sign_ahead(installed().signer, needed.missing, origin))
    return RoomOpening(shown, urls, filters, room.clip_missing)


def show_opening(lists: ClipLists, opening: RoomOpening) -> list[EventSpec]:
    """Show a room that was read."""
    lists._filters = opening.filters
    assign(lists, phase="ready", clip_video_urls=dict(opening.urls), **vars(opening.shown))
    return [rx.toast.error(ClipNotFound.title)] if opening.clip_missing else []


def get_shown_list(lists: ClipLists) -> tuple[int, Sequence[ClipRow], int]:
    """Return offset, rows and total of the shown list."""
    if lists.tab == EXPORTED:
        return lists.exported_offset, lists.exported_clips, lists.exported_total
    return lists.identified_offset, lists.identified_clips, lists.identified_total


async def select_clip(lists: ClipLists, clip_id: str) -> list[EventSpec]:
    """Select a clip of the shown list, and sign its neighbours."""
    rows = lists.exported_clips if lists.tab == EXPORTED else lists.identified_clips
    index = next((i for i, row in enumerate(rows) if row.id == clip_id), None)
    if index is None:
        return await select_elsewhere(lists, clip_id)
    if lists.tab == EXPORTED:
        lists.selected_exported_clip = rows[index]
    else:
        lists.selected_identified_clip = rows[index]
    await sign_rows(lists, index - NEIGHBOURS, index + NEIGHBOURS)
    return []


async def select_elsewhere(lists: ClipLists, clip_id: str) -> list[EventSpec]:
    """Select a clip outside of the loaded window, as after Back, and load the window around it."""
    video, filters = lists.video, lists._filters
    if video is None:
        return []
    room = await read(lambda db: open_room(db, video.id, clip_id=clip_id, filters=filters))
    if room.clip_missing or not clip_id:
        return [rx.toast.error(ClipNotFound.title)]
    assign(lists, **vars(_room_vars(room)))
    await sign_selected(lists)
    return []


async def load_window(lists: ClipLists, around: int) -> None:
    """Load the rows around an index of the shown list."""
    video, filters = lists.video, lists._filters
    if video is None:
        return
    if lists.tab == EXPORTED:
        assign(lists, **await read(lambda db: _exported(exported_window(db, video.id, around, filters))))
    else:
        assign(lists, **await read(lambda db: _identified(identified_window(db, video.id, around), video.s3_key)))


async def reload_exports(lists: ClipLists, around: int | None = None) -> None:
    """Reload the window of exported clips, at its place or around index ``around``."""
    video, filters = lists.video, lists._filters
    middle = lists.exported_offset + len(lists.exported_clips) // 2 if around is None else around
    if video is None:
        return
    window, count = await read(lambda db: (_exported(exported_window(db, video.id, middle, filters)), count_exported(db, video.id)))
    assign(lists, exported_count=count, **window)
    if lists.selected_exported_clip is None and lists.exported_clips:
        lists.selected_exported_clip = lists.exported_clips[0]
    await sign_selected(lists)


async def filter_exports(lists: ClipLists, filters: ExportFilters) -> None:
    """Narrow the exported clips by ``filters`` and show the first ones; the selected clip stays selected."""
    lists._filters = filters
    await reload_exports(lists, 0)


async def reload_files(lists: ClipLists) -> None:
    """Reload which files are missing."""
    video = lists.video
    if video is None:
        return
    assign(lists, video=await read(lambda db: video_view(video_details(db, video.id))))
    await reload_exports(lists)
    opened = lists.selected_exported_clip
    assign(lists, selected_exported_clip=next((row for row in lists.exported_clips if opened and row.id == opened.id), opened))


async def reload_candidates(lists: ClipLists, video_id: str) -> None:
    """Reload the window of candidates at its place; the selected one stays selected while it exists."""
    video, middle = lists.video, lists.identified_offset + len(lists.identified_clips) // 2
    if video is None or video.id != video_id:
        return
    opened = lists.selected_identified_clip

    def look(db: Session) -> tuple[Window[IdentifiedClipView], IdentifiedClipView | None]:
        window = identified_window(db, video_id, middle)
        return window, open_room(db, video_id, clip_id=opened.id if opened else "").identified_clip

    window, clip = await read(look)
    assign(lists, selected_identified_clip=clip and identified_row(clip, video.s3_key), **_identified(window, video.s3_key))
    await sign_selected(lists)


async def reload_master(lists: ClipLists, video_id: str) -> None:
    """Switch to the video's new object key without interrupting playback: the next URL is the new file's."""
    video, opened = lists.video, lists.selected_identified_clip
    if video is None or video.id != video_id:
        return
    details = await read(lambda db: video_details(db, video_id))
    assign(
        lists,
        video=video_view(details),
        identified_clips=[dataclasses.replace(row, s3_key=details.s3_key) for row in lists.identified_clips],
        selected_identified_clip=opened and dataclasses.replace(opened, s3_key=details.s3_key),
    )
    lists.clip_video_urls = {clip_id: entry for clip_id, entry in lists.clip_video_urls.items() if clip_id != video_id}
    await sign_selected(lists)


async def close_lists(lists: ClipLists, video_id: str) -> None:
    """Show that the video is gone, and whether it can be restored."""
    reset(lists)
    lists.phase = "missing"
    with contextlib.suppress(VideoNotFound):
        lists.deleted = await read(lambda db: video_view(video_details(db, video_id, deleted=True)))
        lists.phase = "deleted"


async def sign_selected(lists: ClipLists) -> None:
    """Sign the selected exported clip and its neighbours."""
    place = index_of_selected(lists.selected_exported_clip, lists.exported_clips)
    await sign_rows(lists, place - NEIGHBOURS, place + NEIGHBOURS)


async def sign_rows(lists: ClipLists, first: int, last: int) -> None:
    """Sign the rows ``first`` to ``last`` of the window, the selected clip and the master."""
    video = lists.video
    if video is None:
        return
    rows, selected = (list(lists.exported_clips), lists.selected_exported_clip) if lists.tab == EXPORTED else ([], None)
    needed = plan_renewal(lists.clip_video_urls, video, selected, rows, first, last)
    if needed is None:
        return
    origin = origin_of(lists)
    try:
        signed = await read(lambda db: sign_of_video(db, installed().signer, video.id, needed.missing, origin))
    except VideoNotFound:
        await close_lists(lists, video.id)
    else:
        lists.clip_video_urls = needed.renewed(signed)


def _room_vars(room: Room) -> RoomVars:
    video = video_view(room.video)
    return RoomVars(
        video=video,
        tab=room.tab,
        exported_count=room.video.exported_count,
        selected_exported_clip=exported_row(room.exported_clip) if room.exported_clip else None,
        selected_identified_clip=identified_row(room.identified_clip, video.s3_key) if room.identified_clip else None,
        **_exported(room.exported),
        **_identified(room.identified, video.s3_key),
    )


def _exported(window: Window[ExportedClipView]) -> dict[str, Any]:
    rows = [exported_row(clip) for clip in window.items]
    return {"exported_clips": rows, "exported_offset": window.offset, "exported_total": window.total}


def _identified(window: Window[IdentifiedClipView], master_key: str) -> dict[str, Any]:
    rows = [identified_row(clip, master_key) for clip in window.items]
    return {"identified_clips": rows, "identified_offset": window.offset, "identified_total": window.total}
