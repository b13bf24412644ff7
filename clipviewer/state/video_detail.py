"""State of the clip room: what the origin draws as ``VideoDetailPage``.

Selection itself lives in the browser (a click must not wait for the network); these handlers confirm it, page the lists and sign
ahead what can be clicked next.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.permissions import Action
from clipviewer.errors import ClipNotFound, VideoNotFound
from clipviewer.services.cells.filters import ExportFilters, export_filters
from clipviewer.services.container import Services, installed
from clipviewer.services.library.videos import video_details
from clipviewer.services.room.clip_room import (
    EXPORTED,
    IDENTIFIED,
    Room,
    Window,
    exported_window,
    identified_window,
    open_room,
    sign_of_video,
)
from clipviewer.services.room.clips import count_exported
from clipviewer.state.access import allow, origin_of
from clipviewer.state.room_urls import keys_around
from clipviewer.state.rows import ClipRow, UrlEntry, VideoView, exported_row, identified_row, url_entry, video_view

T = TypeVar("T")
NEIGHBOURS = 3


class VideoDetailState(rx.State):
    """One open clip room. ``phase`` is loading, ready, deleted, missing or failed; the clip lists are windows into longer ones.

    ``deleted`` is the video where it can still be brought back; it is not opened then, so there is no ``video``.
    ``exported_total`` is the length of the list as it is filtered, ``exported_count`` that of the whole one.
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
    ticked: list[str] = []
    export_open: bool = False
    _filters: ExportFilters = ExportFilters()

    @rx.event
    @allow(Action.VIEW)
    async def fetch_video_details(self) -> Any:
        """Load the video and its clips from the address: ``/videos/{id}?clip=…&tab=…``."""
        video_id = self.router.url.path.rstrip("/").rpartition("/")[2]
        asked = self.router.url.query_parameters
        clip_id, tab = asked.get("clip", ""), asked.get("tab", "")
        if self.video is None or self.video.id != video_id:
            self.reset()
        self._filters = filters = export_filters(asked)
        try:
            room = await _in_thread(lambda _, db: open_room(db, video_id, clip_id=clip_id, tab=tab, filters=filters))
        except VideoNotFound:
            return await self._leave(video_id)
        except Exception:
            self.phase = "failed"
            raise
        self._show(room)
        self.phase = "ready"
        await self._sign_selected()
        return rx.toast.error(ClipNotFound.title) if room.clip_missing else None

    @rx.event
    @allow(Action.VIEW)
    async def select_clip(self, clip_id: str) -> Any:
        """Confirm a selection that the browser already shows, and sign its neighbours."""
        rows = self.exported_clips if self.tab == EXPORTED else self.identified_clips
        index = next((i for i, row in enumerate(rows) if row.id == clip_id), None)
        if index is None:
            return await self._select_elsewhere(clip_id)
        if self.tab == EXPORTED:
            self.selected_exported_clip = rows[index]
        else:
            self.selected_identified_clip = rows[index]
        await self._sign_visible(self.tab, index - NEIGHBOURS, index + NEIGHBOURS)
        return None

    @rx.event
    @allow(Action.VIEW)
    async def show_range(self, first: int, last: int) -> None:
        """The list now shows rows ``first`` to ``last``: load what is missing around them, and sign them ahead."""
        offset, rows, total = self._listed()
        first, last = max(0, min(first, total - 1)), max(0, min(last, total - 1))
        if total and (first < offset or last >= offset + len(rows)):
            await self._load_window((first + last) // 2)
            offset = self._listed()[0]
        await self._sign_visible(self.tab, first - offset, last - offset)

    @rx.event
    @allow(Action.VIEW)
    async def set_tab(self, tab: str) -> None:
        """Switch between Identified and Exported."""
        if tab in (EXPORTED, IDENTIFIED):
            self.tab = tab
            await self._sign_selected()

    @rx.event
    @allow(Action.VIEW)
    async def toggle_clip_selection(self, clip_id: str) -> None:
        """Tick or untick a candidate for export."""
        if clip_id in self.ticked:
            self.ticked.remove(clip_id)
        elif any(row.id == clip_id for row in self.identified_clips):
            self.ticked.append(clip_id)

    @rx.event
    @allow(Action.EXPORT)
    async def handle_generate_shorts(self) -> None:
        """Open the export dialog for the ticked clips."""
        self.export_open = bool(self.ticked)

    @rx.event
    @allow(Action.VIEW)
    async def set_export_open(self, is_open: bool) -> None:
        """The dialog was closed by key, by a click beside it, or by Cancel."""
        self.export_open = is_open and bool(self.ticked)

    async def _leave(self, video_id: str) -> None:
        """The video is gone: show whether it can be brought back."""
        self.reset()
        self.phase = "missing"
        with contextlib.suppress(VideoNotFound):
            self.deleted = video_view(await _in_thread(lambda _, db: video_details(db, video_id, deleted=True)))
            self.phase = "deleted"

    async def _show_new_exports(self, around: int | None = None) -> None:
        """Read the window of exported clips again, where it stands or around that place."""
        video, filters = self.video, self._filters
        middle = self.exported_offset + len(self.exported_clips) // 2 if around is None else around
        if video is None:
            return
        window, count = await _in_thread(lambda _, db: (exported_window(db, video.id, middle, filters), count_exported(db, video.id)))
        self._show_exported(window)
        self._assign("exported_count", count)
        if self.selected_exported_clip is None and window.items:
            self.selected_exported_clip = exported_row(window.items[0])
        await self._sign_selected()

    async def _show_files(self) -> None:
        """Read again which files are gone."""
        video = self.video
        if video is not None:
            self._assign("video", video_view(await _in_thread(lambda _, db: video_details(db, video.id))))
            await self._show_new_exports()
            opened = self.selected_exported_clip
            self._assign("selected_exported_clip", next((row for row in self.exported_clips if opened and row.id == opened.id), opened))

    async def _show_new_candidates(self, video_id: str) -> None:
        """Read the window of candidates again, where it stands; the opened one stays open as long as it is there."""
        video, middle = self.video, self.identified_offset + len(self.identified_clips) // 2
        if video is None or video.id != video_id:
            return
        opened = self.selected_identified_clip
        room = await _in_thread(lambda _, db: open_room(db, video_id, clip_id=opened.id if opened else ""))
        window = await _in_thread(lambda _, db: identified_window(db, video_id, middle))
        self._show_identified(window, video.s3_key)
        self._assign("selected_identified_clip", room.identified_clip and identified_row(room.identified_clip, video.s3_key))
        await self._sign_selected()

    async def _show_new_master(self, video_id: str) -> None:
        """The video lies under another key now, and shows what it showed: what plays goes on, the next URL is the new file's."""
        video, opened = self.video, self.selected_identified_clip
        if video is None or video.id != video_id:
            return
        details = await _in_thread(lambda _, db: video_details(db, video_id))
        self._assign("video", video_view(details))
        self._assign("identified_clips", [dataclasses.replace(row, s3_key=details.s3_key) for row in self.identified_clips])
        self._assign("selected_identified_clip", opened and dataclasses.replace(opened, s3_key=details.s3_key))
        self.clip_video_urls = {clip_id: entry for clip_id, entry in self.clip_video_urls.items() if clip_id != video_id}
        await self._sign_selected()

    async def _filter_exports(self, filters: ExportFilters) -> None:
        """Show what ``filters`` leave of the exported clips, from the beginning; the opened one stays open."""
        self._filters = filters
        await self._show_new_exports(0)

    async def _select_elsewhere(self, clip_id: str) -> Any:
        """A clip outside the loaded window, as after Back: load the window around it."""
        video, filters = self.video, self._filters
        if video is None:
            return None
        room = await _in_thread(lambda _, db: open_room(db, video.id, clip_id=clip_id, filters=filters))
        if room.clip_missing or not clip_id:
            return rx.toast.error(ClipNotFound.title)
        self._show(room)
        await self._sign_selected()
        return None

    async def _sign_selected(self) -> None:
        selected = self.selected_exported_clip
        index = next((i for i, row in enumerate(self.exported_clips) if selected and row.id == selected.id), 0)
        await self._sign_visible(self.tab, index - NEIGHBOURS, index + NEIGHBOURS)

    async def _load_window(self, around: int) -> None:
        video, tab, filters = self.video, self.tab, self._filters
        if video is None:
            return
        if tab == EXPORTED:
            self._show_exported(await _in_thread(lambda _, db: exported_window(db, video.id, around, filters)))
        else:
            self._show_identified(await _in_thread(lambda _, db: identified_window(db, video.id, around)), video.s3_key)

    async def _sign_visible(self, tab: str, first: int, last: int) -> None:
        """Have URLs for the rows ``first`` to ``last`` of the window, for the selected one and for the master."""
        video = self.video
        if video is None:
            return
        rows, selected = (list(self.exported_clips), self.selected_exported_clip) if tab == EXPORTED else ([], None)
        needed, wanted = keys_around(video, selected, rows, first, last)
        now = _now_ms()
        least = now + installed().settings.url_ttl * 1000 // 4
        fresh = {clip_id: entry for clip_id, entry in self.clip_video_urls.items() if entry.expires > least}
        if needed.keys() <= fresh.keys():
            return
        missing, origin = [(clip_id, key) for clip_id, key in wanted.items() if clip_id not in fresh], origin_of(self)
        try:
            signed = await _in_thread(lambda services, db: sign_of_video(db, services.signer, video.id, missing, origin))
        except VideoNotFound:
            await self._leave(video.id)
            return
        added = {clip_id: url_entry(url, now) for clip_id, url in signed.items()}
        self.clip_video_urls = {clip_id: entry for clip_id, entry in (fresh | added).items() if clip_id in wanted}

    def _listed(self) -> tuple[int, Sequence[ClipRow], int]:
        if self.tab == EXPORTED:
            return self.exported_offset, self.exported_clips, self.exported_total
        return self.identified_offset, self.identified_clips, self.identified_total

    def _show(self, room: Room) -> None:
        view = video_view(room.video)
        self._assign("video", view)
        self._assign("tab", room.tab)
        self._show_exported(room.exported)
        self._assign("exported_count", room.video.exported_count)
        self._show_identified(room.identified, view.s3_key)
        self._assign("selected_exported_clip", room.exported_clip and exported_row(room.exported_clip))
        self._assign("selected_identified_clip", room.identified_clip and identified_row(room.identified_clip, view.s3_key))

    def _show_exported(self, window: Window[Any]) -> None:
        self._assign("exported_clips", [exported_row(clip) for clip in window.items])
        self._assign("exported_offset", window.offset)
        self._assign("exported_total", window.total)

    def _show_identified(self, window: Window[Any], master_key: str) -> None:
        self._assign("identified_clips", [identified_row(clip, master_key) for clip in window.items])
        self._assign("identified_offset", window.offset)
        self._assign("identified_total", window.total)

    def _assign(self, name: str, value: Any) -> None:
        """Set a var only when it differs: an assignment alone makes Reflex send it again."""
        if getattr(self, name) != value:
            setattr(self, name, value)


async def _in_thread(work: Callable[[Services, Session], T]) -> T:
    """Run database work off the event loop, in a read transaction."""

    def run() -> T:
        services = installed()
        with services.database.read() as db:
            return work(services, db)

    return await asyncio.to_thread(run)


def _now_ms() -> int:
    return int(time.time() * 1000)
