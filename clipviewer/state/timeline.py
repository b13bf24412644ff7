"""State of the timeline: its previews, and the clips that are marked, changed and removed on it."""

from __future__ import annotations

import dataclasses

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.domain.job_state import UNFINISHED, JobState
from clipviewer.domain.permissions import Action, allows
from clipviewer.errors import ClipNotFound, SigningFailed
from clipviewer.services.container import installed
from clipviewer.services.library import video_previews
from clipviewer.services.library.video_previews import PreviewsView
from clipviewer.services.room import marking
from clipviewer.services.room.marking import Removed
from clipviewer.state.access import allow, principal
from clipviewer.state.finding import follow_search
from clipviewer.state.page_address import origin_of, video_in_address
from clipviewer.state.transactions import write
from clipviewer.state.vars import assign


@dataclasses.dataclass(frozen=True)
class TimelineView:
    """``sheets`` are URLs, each with ``columns`` pictures of ``width`` × ``height`` pixels in a row. ``state`` is "", making or failed.

    ``edition`` identifies the file of the previews, "" without previews; ``saved`` counts the decisions of this page.
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
    """``timeline`` is that of the open video; ``removed`` is the title of the last removed clip while it can be restored."""

    timeline: TimelineView = TimelineView()
    removed: str = ""
    _removed: Removed | None = None

    @rx.event
    @allow(Action.EXPORT)
    async def make_previews(self) -> None:
        """Enqueue filmstrip and waveform."""
        video_id, actor, origin = video_in_address(self), principal().user_id, origin_of(self)

        def ask(db: Session) -> TimelineView:
            video_previews.enqueue_previews(db, video_id, actor=actor)
            return timeline_view(video_id, video_previews.previews_of(db, video_id), origin)

        show_timeline(self, await write(ask))

    @rx.event
    @allow(Action.EXPORT)
    async def save_clip(self, clip_id: str, start_ms: int, end_ms: int, title: str) -> list[EventSpec]:
        """Mark a new clip, or change the one with that id."""
        video_id, actor = video_in_address(self), principal().user_id

        def save(db: Session) -> str:
            if not clip_id:
                return marking.mark_clip(db, video_id, start_ms, end_ms, title, actor=actor)
            marking.change_clip(db, video_id, clip_id, start_ms, end_ms, title, actor=actor)
            return clip_id

        saved = await write(save)
        return await self._show_decision(saved)

    @rx.event
    @allow(Action.EXPORT)
    async def remove_clip(self, clip_id: str) -> list[EventSpec]:
        """Remove a candidate, with Undo. If somebody else has removed it, it disappears from the list, too."""
        video_id, actor = video_in_address(self), principal().user_id
        try:
            self._removed = await write(lambda db: marking.remove_clip(db, video_id, clip_id, actor=actor))
        except ClipNotFound:
            self._removed = None
        self.removed = str(self._removed.clip["title"]) if self._removed else ""
        return await self._show_decision()

    @rx.event
    @allow(Action.EXPORT)
    async def put_back(self) -> list[EventSpec]:
        """Undo the last removal."""
        removed, video_id, actor = self._removed, video_in_address(self), principal().user_id
        clip_id = ""
        if removed is not None and removed.clip["video_id"] == video_id:
            await write(lambda db: marking.restore_clip(db, removed, actor=actor))
            clip_id = str(removed.clip["id"])
        self._removed, self.removed = None, ""
        return await self._show_decision(clip_id)

    async def _show_decision(self, clip_id: str = "") -> list[EventSpec]:
        """Count the decision, and reload the candidates with ``clip_id`` selected."""
        self.timeline = dataclasses.replace(self.timeline, saved=self.timeline.saved + 1)
        return await follow_search(self, clip_id)


def show_timeline(state: TimelineState, view: TimelineView) -> None:
    """Show ``view`` with the number of this page's decisions; a removal in another video can no longer be undone."""
    if state._removed is not None and state._removed.clip["video_id"] != view.video_id:
        state._removed, state.removed = None, ""
    assign(state, timeline=dataclasses.replace(view, saved=state.timeline.saved, may_mark=allows(principal().role, Action.EXPORT)))


def timeline_view(video_id: str, found: PreviewsView, origin: str) -> TimelineView:
    """Return the data of the timeline. Signs URLs: call it from a thread."""
    previews, making = found.previews, found.making
    sheets = previews.get("sheets", [])
    busy = making is not None and making.state in UNFINISHED
    failed = making is not None and making.state == JobState.FAILED and not previews
    return TimelineView(
        video_id=video_id,
        duration_ms=found.duration_ms,
        frame_rate=found.frame_rate,
        edition=previews.get("etag", ""),
        sheets=_sign_sheets([sheet["key"] for sheet in sheets], origin),
        columns=sheets[0]["columns"] if sheets else 10,
        width=previews.get("picture", {}).get("width", 160),
        height=previews.get("picture", {}).get("height", 90),
        state="making" if busy else "failed" if failed else "",
        percent=round(making.progress * 100) if making and busy else 0,
        note=making.note if making and (busy or failed) else "",
    )


def _sign_sheets(keys: list[str], origin: str) -> tuple[str, ...]:
    """Return signed URLs, or none if the store's credentials do not work: the timeline then shows its waveform only."""
    try:
        return tuple(installed().signer.sign(key, origin=origin).url for key in keys)
    except SigningFailed:
        return ()
