"""State of the captions of the open video: their languages and sources."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import reflex as rx
from sqlmodel import Session

from clipviewer.domain.language import language_name
from clipviewer.domain.permissions import Action
from clipviewer.services import audit
from clipviewer.services.container import Services, installed
from clipviewer.services.room import caption_sources, captions
from clipviewer.state.access import allow, principal
from clipviewer.state.export_dialog import plan_exports_of
from clipviewer.state.rows import CaptionsRow, captions_row, counted
from clipviewer.state.transactions import read, write
from clipviewer.state.vars import reset
from clipviewer.state.video_detail import VideoDetailState

T = TypeVar("T")


@dataclass(frozen=True)
class _Removed:
    video_id: str
    language: str
    name: str
    origin: str
    webvtt: str
    by_person: bool = False


class CaptionsState(rx.State):
    """``working`` describes an operation in progress, "" for none; ``translates``: whether a translation server is configured."""

    tracks: list[CaptionsRow] = []
    opened: bool = False
    working: str = ""
    translates: bool = False
    _removed: _Removed | None = None

    @rx.event
    @allow(Action.VIEW)
    async def load(self) -> None:
        """Load the captions of the open video."""
        room = await self.get_state(VideoDetailState)
        if room.video is None:
            reset(self)
        else:
            await self._show(room.video.id)

    @rx.event
    @allow(Action.VIEW)
    async def set_opened(self, opened: bool) -> None:
        """Open or close the dialog; the export dialog below it then offers languages that were added."""
        self.opened = opened
        room = await self.get_state(VideoDetailState)
        if room.video is None:
            return
        await self._show(room.video.id)
        if room.export_open and not opened:
            await plan_exports_of(self)

    @rx.event
    @allow(Action.EXPORT)
    async def remove(self, language: str) -> Any:
        """Remove the captions of a language, with Undo."""
        room = await self.get_state(VideoDetailState)
        if room.video is None:
            return None
        video_id = room.video.id

        actor, address = principal().user_id, self.router.session.client_ip

        def take_away(db: Session) -> _Removed | None:
            kept = next((view for view in captions.captions_of(db, video_id) if view.language == language), None)
            if kept is None:
                return None
            text = captions.webvtt(db, video_id, language)
            captions.remove(db, video_id, language)
            audit.record(db, "captions_removed", actor=actor, subject=video_id, address=address, language=language)
            return _Removed(video_id, language, kept.name, kept.origin, text, kept.by_person)

        removed = await write(take_away)
        await self._show(video_id)
        if removed is None:
            return None
        self._removed = removed
        undo = {"label": "Undo", "on_click": CaptionsState.put_back}
        return rx.toast.info(f"{language_name(language)} captions removed", action=undo, duration=8000)

    @rx.event
    @allow(Action.EXPORT)
    async def put_back(self) -> None:
        """Restore the captions that were removed last."""
        removed, self._removed = self._removed, None
        actor, address = principal().user_id, self.router.session.client_ip

        def attach(db: Session) -> None:
            if removed is not None:
                text = removed.webvtt.encode()
                captions.attach(
                    db,
                    removed.video_id,
                    removed.language,
                    text,
                    removed.name,
                    origin=removed.origin,
                    by_person=removed.by_person,
                    actor=actor,
                )
                audit.record(db, "captions_attached", actor=actor, subject=removed.video_id, address=address, language=removed.language)

        await write(attach)
        room = await self.get_state(VideoDetailState)
        if room.video is not None:
            await self._show(room.video.id)

    @rx.event(background=True)
    @allow(Action.EXPORT)
    async def find_in_file(self) -> Any:
        """Attach the caption tracks of the video's own file; reading it takes a while."""
        found = await self._work("Reading the video file…", caption_sources.find_captions)
        if found is None:
            return None
        told = [rx.toast.warning(sentence) for sentence in found.left_out[:3]]
        if found.attached or not told:
            told.insert(0, rx.toast.info(f"{counted(len(found.attached), 'caption track')} found in the file"))
        return told

    @rx.event(background=True)
    @allow(Action.EXPORT)
    async def translate(self, source: str, target: str) -> Any:
        """Translate the captions in ``source`` with the configured server."""

        def work(services: Services, video_id: str, *, actor: str, address: str) -> captions.CaptionsView:
            return caption_sources.translate_captions(services, video_id, source, target, actor=actor, address=address)

        made = await self._work(f"Translating into {language_name(target)}…", work)
        return None if made is None else rx.toast.success(f"Translated into {language_name(target)}")

    async def _work(self, words: str, work: Callable[..., T]) -> T | None:
        """Run a slow operation beside the page's other events. Returns None if one is running already or no video is open."""
        async with self:
            room = await self.get_state(VideoDetailState)
            if room.video is None or self.working:
                return None
            video_id, address, self.working = room.video.id, self.router.session.client_ip, words
        try:
            return await asyncio.to_thread(work, installed(), video_id, actor=principal().user_id, address=address)
        finally:
            async with self:
                self.working = ""
                await self._show(video_id)

    async def _show(self, video_id: str) -> None:
        show_captions(self, await read(lambda db: captions.captions_of(db, video_id)))


def show_captions(state: CaptionsState, tracks: Sequence[captions.CaptionsView]) -> None:
    """Show the video's captions, and whether they can be translated."""
    state.tracks = [captions_row(view) for view in tracks]
    state.translates = caption_sources.can_translate(installed())
