"""State of the timeline: what it is drawn with, and the clips that are marked, changed and removed on it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.errors import ClipNotFound, SigningFailed, VideoNotFound
from clipviewer.services.container import installed
from clipviewer.services.library import video_previews
from clipviewer.services.library.video_previews import PreviewsView
from clipviewer.services.room import marking
from clipviewer.services.room.marking import Removed
from clipviewer.state.access import allow, authenticate, origin_of
from clipviewer.state.finding import FindingState
from clipviewer.state.video_detail import VideoDetailState


@dataclasses.dataclass(frozen=True)
class TimelineView:
    """``sheets`` are URLs, each with ``columns`` pictures of ``width`` × ``height`` pixels in a row. ``state`` is "", making or failed.

    ``edition`` names the file that the previews show, "" without previews; ``saved`` counts what this page has decided.
    """

    video_id: str = ""
    duration_ms: int = 0
    frame_rate: str = ""
    edition: str = ""
    sheets: tuple[str, ...] = ()
    columns: int = 10
    width: int = 160
    height: int = 90
    state: str = ""
    percent: int = 0
    note: str = ""
    may_mark: bool = False
    saved: int = 0


class TimelineState(rx.State):
    """``timeline`` is that of the open video; ``removed`` the title of the clip that was removed last and can be put back."""

    timeline: TimelineView = TimelineView()
    removed: str = ""
    _removed: Removed | None = None

    @rx.event
    @allow(Action.VIEW)
    async def open_timeline(self) -> None:
        """Show what there is to draw, and how far the making of it is."""
        video_id, headers, origin = self._video_id(), self.router.headers, origin_of(self)
        if self._removed is not None and self._removed.clip["video_id"] != video_id:
            self._removed, self.removed = None, ""

        def read() -> TimelineView:
            may = allows(authenticate(headers).role, Action.EXPORT)
            with installed().database.read() as db:
                previews = video_previews.previews_of(db, video_id)
            if previews.due:
                with installed().database.write() as db:
                    video_previews.ask_if_due(db, video_id)
                    previews = video_previews.previews_of(db, video_id)
            return _view(video_id, previews, may, origin)

        try:
            found = await asyncio.to_thread(read)
        except VideoNotFound:  # the room itself says so
            found = TimelineView()
        view = dataclasses.replace(found, saved=self.timeline.saved)
        if view != self.timeline:
            self.timeline = view

    @rx.event
    @allow(Action.EXPORT)
    async def make_previews(self) -> None:
        """Have filmstrip and waveform made."""
        video_id = self._video_id()
        await self._write(lambda db, actor: video_previews.ask(db, video_id, actor=actor))
        await TimelineState.open_timeline.fn(self)

    @rx.event
    @allow(Action.EXPORT)
    async def save_clip(self, clip_id: str, start_ms: int, end_ms: int, title: str) -> None:
        """Mark a new clip, or change the one with that id."""
        video_id = self._video_id()

        def save(db: Session, actor: str) -> str:
            if not clip_id:
                return marking.mark(db, video_id, start_ms, end_ms, title, actor=actor)
            marking.change(db, video_id, clip_id, start_ms, end_ms, title, actor=actor)
            return clip_id

        saved = await self._write(save)
        await self._show_change(video_id, saved)
        self.timeline = dataclasses.replace(self.timeline, saved=self.timeline.saved + 1)

    @rx.event
    @allow(Action.EXPORT)
    async def remove_clip(self, clip_id: str) -> None:
        """Take a candidate out of the list; it can be put back. One that somebody else removed is gone from the list, too."""
        video_id = self._video_id()
        try:
            self._removed = await self._write(lambda db, actor: marking.remove(db, video_id, clip_id, actor=actor))
        except ClipNotFound:
            self._removed = None
        self.removed = str(self._removed.clip["title"]) if self._removed else ""
        self.timeline = dataclasses.replace(self.timeline, saved=self.timeline.saved + 1)
        await self._show_change(video_id)

    @rx.event
    @allow(Action.EXPORT)
    async def put_back(self) -> None:
        """Undo the last removal."""
        removed, video_id = self._removed, self._video_id()
        if removed is not None and removed.clip["video_id"] == video_id:
            await self._write(lambda db, actor: marking.put_back(db, removed, actor=actor))
            await self._show_change(video_id, removed.clip["id"])
        self._removed, self.removed = None, ""
        self.timeline = dataclasses.replace(self.timeline, saved=self.timeline.saved + 1)

    async def _show_change(self, video_id: str, clip_id: str = "") -> None:
        """The list as it is now, opened at ``clip_id``."""
        room = await self.get_state(VideoDetailState)
        if room.video is None or room.video.id != video_id:
            return
        if clip_id:
            await room._select_elsewhere(clip_id)
        else:
            await room._show_new_candidates(video_id)
        await (await self.get_state(FindingState))._look()

    async def _write(self, work: Callable[[Session, str], Any]) -> Any:
        headers = self.router.headers

        def write() -> Any:
            actor = authenticate(headers).user_id
            with installed().database.write() as db:
                return work(db, actor)

        return await asyncio.to_thread(write)

    def _video_id(self) -> str:
        """The video of the address: after a new connection the room itself may not be loaded yet."""
        return self.router.url.path.rstrip("/").rpartition("/")[2]


def _view(video_id: str, found: PreviewsView, may_mark: bool, origin: str) -> TimelineView:
    previews, making = found.previews, found.making
    sheets = previews.get("sheets", [])
    busy = making is not None and making.state in UNFINISHED
    failed = making is not None and making.state == JobState.FAILED and not previews
    return TimelineView(
        video_id=video_id,
        duration_ms=found.duration_ms,
        frame_rate=found.frame_rate,
        edition=previews.get("etag", ""),
        sheets=_signed([sheet["key"] for sheet in sheets], origin),
        columns=sheets[0]["columns"] if sheets else 10,
        width=previews.get("picture", {}).get("width", 160),
        height=previews.get("picture", {}).get("height", 90),
        state="making" if busy else "failed" if failed else "",
        percent=round(making.progress * 100) if making and busy else 0,
        note=making.note if making and (busy or failed) else "",
        may_mark=may_mark,
    )


def _signed(keys: list[str], origin: str) -> tuple[str, ...]:
    """None of them where the store's credentials are of no use: the timeline then shows its waveform only."""
    try:
        return tuple(installed().signer.sign(key, origin=origin).url for key in keys)
    except SigningFailed:
        return ()
