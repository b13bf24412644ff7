"""State of the dialog "Export clips": the choices, and a summary of what Export would render."""

from __future__ import annotations

from collections.abc import Mapping

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.domain.framing import Framing, FramingMode
from clipviewer.domain.job_state import UNFINISHED
from clipviewer.domain.language import ORIGINAL
from clipviewer.domain.permissions import Action
from clipviewer.errors import Invalid
from clipviewer.services import audit
from clipviewer.services.cells.board import CellView
from clipviewer.services.exporting import exports
from clipviewer.services.exporting.choices import ExportPlan, plan_exports, served_languages
from clipviewer.services.prefs import load_preferences
from clipviewer.services.room.framings import saved_framings
from clipviewer.state.access import allow, principal
from clipviewer.state.exports import follow_exports
from clipviewer.state.rows import LanguageRow, counted, language_row
from clipviewer.state.transactions import read, write
from clipviewer.state.video_detail import VideoDetailState


class ExportDialogState(rx.State):
    """``framings`` and ``framed`` are by aspect ratio: the chosen mode, and how many ticked clips have a saved crop."""

    ratios: list[str] = [AspectRatio.PORTRAIT.value]
    framings: dict[str, str] = {ratio.value: FramingMode.CENTRE.value for ratio in AspectRatio}
    framed: dict[str, int] = dict.fromkeys(AspectRatio, 0)
    languages: list[str] = [ORIGINAL]
    offered: list[LanguageRow] = []
    captions: str = CaptionMode.OFF.value
    summary: str = ""
    missing: int = 0
    _changed: list[str] = []
    _chosen_languages: list[str] = [ORIGINAL]
    _video_id: str = ""

    @rx.event
    @allow(Action.EXPORT)
    async def plan(self) -> None:
        """Apply the defaults and summarise the export: the person's earlier choices win over the team's preferences.

        Clips with a saved crop are exported with it, unless the person chose another framing.
        """
        await plan_exports_of(self)

    @rx.event
    @allow(Action.EXPORT)
    async def toggle_ratio(self, ratio: str) -> None:
        """Add or remove an aspect ratio."""
        chosen = set(self.ratios) ^ ({ratio} & set(AspectRatio))
        self.ratios = [known.value for known in AspectRatio if known.value in chosen]
        self._keep("ratios")
        await self._refresh_plan()

    @rx.event
    @allow(Action.EXPORT)
    async def set_framing(self, ratio: str, framing: str) -> None:
        """Choose how exports in ``ratio`` are framed."""
        if framing not in set(FramingMode) or ratio not in set(AspectRatio):
            raise Invalid
        self.framings = self.framings | {ratio: framing}
        self._keep(ratio)
        await self._refresh_plan()

    @rx.event
    @allow(Action.EXPORT)
    async def toggle_language(self, language: str) -> None:
        """Add or remove a language. Languages other than the original are added as captions; the sound stays the same."""
        chosen = set(self.languages) ^ {language}
        self.languages = self._chosen_languages = [row.tag for row in self.offered if row.tag in chosen]
        self._keep("languages")
        await self._refresh_plan()

    @rx.event
    @allow(Action.EXPORT)
    async def set_captions(self, captions: str) -> None:
        """Choose how captions are exported; without captions only the original language is left."""
        if captions not in set(CaptionMode):
            raise Invalid
        self.captions = captions
        self._keep("captions")
        if captions == CaptionMode.OFF:
            self.languages = self._chosen_languages = [ORIGINAL]
            self._keep("languages")
        await self._refresh_plan()

    @rx.event
    @allow(Action.EXPORT)
    async def handle_export_clips(self) -> list[EventSpec]:
        """Enqueue the missing exports of the ticked clips; existing and queued ones stay as they are."""
        room = await self.get_state(VideoDetailState)
        video, ticked = room.video, list(room.ticked)
        if video is None:
            return []
        choices, actor, address = self._choices(), principal().user_id, self.router.session.client_ip

        def request(db: Session) -> list[CellView]:
            cells = exports.request_exports(db, video.id, ticked, choices, actor=actor)
            audit.record(db, "export", actor=actor, subject=video.id, address=address, cells=len(cells))
            return cells

        cells = await write(request)
        room.export_open = False
        queued = [cell.id for cell in cells if cell.state in UNFINISHED]
        finished = await follow_exports(self, *queued)
        told = (
            rx.toast.success(f"{counted(len(queued), 'export')} queued") if queued else rx.toast.info("All of these exports already exist")
        )
        return [told, *finished]

    async def _apply_defaults(self, video_id: str) -> None:
        """Apply the team's preferences for this video, except where the person has chosen before."""
        wanted, changed = await read(load_preferences), set(self._changed)
        if "ratios" not in changed:
            self.ratios = [ratio.value for ratio in wanted.ratios]
        if "captions" not in changed:
            self.captions = wanted.captions.value
        if "languages" not in changed:
            self._chosen_languages = list(wanted.languages)
        another = self._video_id != video_id
        if another or "languages" not in changed:
            self.languages = self._chosen_languages
        kept = {ratio: mode for ratio, mode in self.framings.items() if ratio in changed and not (another and mode == FramingMode.MANUAL)}
        self.framings = {ratio.value: kept.get(ratio.value, wanted.framing.value) for ratio in AspectRatio}
        self._video_id = video_id

    def _keep(self, choice: str) -> None:
        """Remember that the person has made this choice."""
        self._changed = [*{*self._changed, choice}]

    async def _refresh_plan(self) -> None:
        """Update the offered languages, the framings and the summary after a change."""
        room = await self.get_state(VideoDetailState)
        video, ticked = room.video, list(room.ticked)
        if video is None:
            return

        def look(db: Session) -> tuple[list[str], Mapping[tuple[str, AspectRatio], Framing]]:
            return served_languages(db, video.id), saved_framings(db, ticked)

        served, saved = await read(look)
        self.offered = [language_row(tag) for tag in served]
        self.languages = [tag for tag in served if tag in self.languages] or [ORIGINAL] * bool(self.languages)
        if self.captions == CaptionMode.OFF and self.languages not in ([], [ORIGINAL]):
            self.captions = CaptionMode.SOFT.value
        self.framed = {ratio.value: sum(framed is ratio for _, framed in saved) for ratio in AspectRatio}
        by_hand = {ratio: FramingMode.MANUAL.value for ratio, count in self.framed.items() if count and ratio not in self._changed}
        self.framings = self.framings | by_hand
        choices = self._choices()
        plan = await read(lambda db: plan_exports(db, video.id, ticked, choices))
        self.missing = len(plan.missing)
        self.summary = _summary(len(ticked), len(self.ratios), len(self.languages), plan)

    def _choices(self) -> ExportChoices:
        """Return the current choices."""
        ratios = [AspectRatio(ratio) for ratio in self.ratios]
        framings = {ratio: _framing(self.framings[ratio]) for ratio in ratios}
        return ExportChoices(ratios, list(self.languages), framings, CaptionMode(self.captions))


async def plan_exports_of(page: rx.State) -> None:
    """Update the dialog of ``page`` with the ticked clips, the team's preferences and the video's languages."""
    dialog, room = await page.get_state(ExportDialogState), await page.get_state(VideoDetailState)
    if room.video is not None:
        await dialog._apply_defaults(room.video.id)
    await dialog._refresh_plan()


def _framing(mode: str) -> Framing | None:
    """Return the framing of a mode; None stands for each clip's saved crop."""
    return None if mode == FramingMode.MANUAL else Framing(FramingMode(mode))


def _summary(clips: int, ratios: int, languages: int, plan: ExportPlan) -> str:
    if not ratios:
        return "Choose at least one aspect ratio."
    if not languages:
        return "Choose at least one language."
    new, present = len(plan.missing), len(plan.present)
    words = f"{counted(clips, 'clip')} × {counted(ratios, 'aspect ratio')} × {counted(languages, 'language')}: {new} new"
    there = f", {present} already there" if present else ""
    return f"{words}{there}{f', {_about(plan.seconds)}' if new else ''}."


def _about(seconds: float) -> str:
    """Return an approximate duration in words."""
    if seconds < 60:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 60 else f"about {minutes // 60} h {minutes % 60} min"
