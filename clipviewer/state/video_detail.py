"""State of the clip room, shown by ``video_detail_page``.

Selection itself lives in the browser (a click must not wait for the network); these handlers confirm it, page the lists and sign
what can be clicked next.
"""

from __future__ import annotations

import reflex as rx
from reflex.event import EventSpec

from clipviewer.domain.permissions import Action
from clipviewer.services.room.clip_room import EXPORTED, IDENTIFIED
from clipviewer.state import clip_lists
from clipviewer.state.access import allow
from clipviewer.state.clip_lists import ClipLists


class VideoDetailState(ClipLists, rx.State):
    """One open clip room; ``ticked`` are the candidates to export."""

    ticked: list[str] = []
    export_open: bool = False

    @rx.event
    @allow(Action.VIEW)
    async def select_clip(self, clip_id: str) -> list[EventSpec]:
        """Confirm a selection that the browser already shows, and sign its neighbours."""
        return await clip_lists.select_clip(self, clip_id)

    @rx.event
    @allow(Action.VIEW)
    async def show_range(self, first: int, last: int) -> None:
        """Load rows around ``first`` to ``last``, which the list shows now, and sign them."""
        offset, rows, total = clip_lists.get_shown_list(self)
        first, last = max(0, min(first, total - 1)), max(0, min(last, total - 1))
        if total and (first < offset or last >= offset + len(rows)):
            await clip_lists.load_window(self, (first + last) // 2)
            offset, _, _ = clip_lists.get_shown_list(self)
        await clip_lists.sign_rows(self, first - offset, last - offset)

    @rx.event
    @allow(Action.VIEW)
    async def set_tab(self, tab: str) -> None:
        """Switch between Identified and Exported."""
        if tab in (EXPORTED, IDENTIFIED):
            self.tab = tab
            await clip_lists.sign_selected(self)

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
        """Close the dialog, by Escape, a click outside, or Cancel."""
        self.export_open = is_open and bool(self.ticked)
