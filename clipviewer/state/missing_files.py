"""State of files that are gone from the bucket: what a player ran into is written down, and looked for again on asking."""

from __future__ import annotations

import asyncio
from typing import Any

import reflex as rx

from clipviewer.domain.permissions import Action
from clipviewer.errors import NotFound
from clipviewer.services.adoption.missing_files import check_file
from clipviewer.services.container import installed
from clipviewer.state.access import allow
from clipviewer.state.clip_lists import reload_files
from clipviewer.state.video_detail import VideoDetailState


class MissingFileState(rx.State):
    """What is missing stands in the rows of the room; ``gone`` is the clip, or the video, that was looked for last in vain."""

    gone: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def report(self, clip_id: str) -> None:
        """A player found no file, of the clip or of the video itself: the room says so, if the bucket says so too."""
        try:
            there = await self._look(clip_id)
        except NotFound:  # the clip was removed, and the player says so
            return
        if not there:
            await reload_files(await self.get_state(VideoDetailState))

    @rx.event
    @allow(Action.VIEW)
    async def look(self, clip_id: str) -> Any:
        """Look whether the file is there again."""
        there = await self._look(clip_id)
        await reload_files(await self.get_state(VideoDetailState))
        return rx.toast.success("The file is back in the bucket") if there else rx.toast.error("The file is still missing from the bucket")

    async def _look(self, clip_id: str) -> bool:
        room = await self.get_state(VideoDetailState)
        there = room.video is None or await asyncio.to_thread(check_file, installed(), room.video.id, clip_id)
        self.gone = "" if there else clip_id
        return there
