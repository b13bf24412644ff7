"""State of files that are missing from the bucket: players report them, and people can check them again."""

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
    """The rows of the room hold which files are missing; ``gone`` is the clip or video whose last check failed."""

    gone: str = ""

    @rx.event
    @allow(Action.VIEW)
    async def report(self, clip_id: str) -> None:
        """Record that a player found no file of a clip or of the video, if the bucket confirms it."""
        try:
            there = await self._look(clip_id)
        except NotFound:  # the clip was removed, and the player says so
            return
        if not there:
            await reload_files(await self.get_state(VideoDetailState))

    @rx.event
    @allow(Action.VIEW)
    async def look(self, clip_id: str) -> Any:
        """Check whether the file is back in the bucket."""
        there = await self._look(clip_id)
        await reload_files(await self.get_state(VideoDetailState))
        return rx.toast.success("The file is back in the bucket") if there else rx.toast.error("The file is still missing from the bucket")

    async def _look(self, clip_id: str) -> bool:
        room = await self.get_state(VideoDetailState)
        there = room.video is None or await asyncio.to_thread(check_file, installed(), room.video.id, clip_id)
        self.gone = "" if there else clip_id
        return there
