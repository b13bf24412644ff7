"""State of the export dialog."""

from __future__ import annotations

import asyncio

import reflex as rx

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.language import ORIGINAL
from clipviewer.domain.permissions import Action
from clipviewer.services.container import installed
from clipviewer.services.exports import ExportPlan, plan_exports
from clipviewer.state.access import allow
from clipviewer.state.video_detail import VideoDetailState


class ExportState(rx.State):
    """What is chosen in the dialog, and what pressing Export would do."""

    ratios: list[str] = [AspectRatio.PORTRAIT.value]
    summary: str = ""

    @rx.event
    @allow(Action.EXPORT)
    async def plan(self) -> None:
        """Say what the present choices come to."""
        room = await self.get_state(VideoDetailState)
        video, ticked = room.video, list(room.ticked)
        if video is None:
            return
        ratios = [AspectRatio(ratio) for ratio in self.ratios]

        def read() -> ExportPlan:
            with installed().database.read() as db:
                return plan_exports(db, video.id, ticked, ratios, [ORIGINAL])

        plan = await asyncio.to_thread(read)
        self.summary = _summary(len(ticked), len(ratios), len(plan.missing), len(plan.present))

    @rx.event
    @allow(Action.EXPORT)
    async def toggle_ratio(self, ratio: str) -> None:
        """Choose an aspect ratio, or drop it."""
        chosen = set(self.ratios) ^ {AspectRatio(ratio).value} if ratio in set(AspectRatio) else set(self.ratios)
        self.ratios = [known.value for known in AspectRatio if known.value in chosen]
        await ExportState.plan.fn(self)


def _summary(clips: int, ratios: int, missing: int, present: int) -> str:
    if not ratios:
        return "Choose at least one aspect ratio."
    words = f"{_count(clips, 'clip')} × {_count(ratios, 'aspect ratio')} × 1 language: {missing} new"
    return f"{words}, {present} already there." if present else f"{words}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
