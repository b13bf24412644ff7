"""State of the team's preferences: showing them, and saving an admin's changes."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.language import ORIGINAL
from clipviewer.domain.permissions import Action, allows
from clipviewer.domain.preferences import Preferences, Unfit, preferences_of
from clipviewer.services.prefs import load_preferences, save_preferences
from clipviewer.state.access import allow, principal
from clipviewer.state.account import show_account
from clipviewer.state.transactions import read, write

RATIO = "ratio "
_FIELDS = ("ratios", "framing", "languages", "captions", "shortest_s", "longest_s", "keep_failed_days")  # in the order of the form
_MAX_TEXT = 500
_TAG_SEPARATORS = re.compile(r"[,;\s]+")


@dataclasses.dataclass(frozen=True)
class PreferencesView:
    """The form: ``original`` and ``others`` (tags separated by commas) are the languages; the rest is as in ``Preferences``."""

    ratios: list[str] = dataclasses.field(default_factory=list)
    original: bool = True
    others: str = ""
    captions: str = ""
    framing: str = ""
    shortest_s: str = ""
    longest_s: str = ""
    find_on_upload: bool = True
    keep_failed_days: str = ""


def control_id(field: str) -> str:
    """Return the id of a field's control in the form, or of the group of its controls."""
    return f"preference_{field}"


def _focus_script(field: str) -> str:
    """Return the script that focuses a field: of several controls the chosen one, else the first."""
    one = f"document.querySelector('#{control_id(field)}"
    return f"({one} input:checked') ?? {one} input') ?? {one}'))?.focus()"


class PreferencesState(rx.State):
    """``phase`` is loading, ready or failed; ``problems`` are sentences by field."""

    phase: str = "loading"
    shown: PreferencesView = PreferencesView()
    problems: dict[str, str] = {}
    may_change: bool = False

    @rx.event
    @allow(Action.VIEW)
    async def open_page(self) -> None:
        """Show the current preferences."""
        await show_account(self)
        self.phase, self.may_change = "loading", allows(principal().role, Action.CONFIGURE)
        try:
            current = await read(load_preferences)
        except Exception:
            self.phase = "failed"
            raise
        self.shown, self.problems, self.phase = _view(current), {}, "ready"

    @rx.event
    @allow(Action.CONFIGURE)
    async def save(self, form: dict[str, str]) -> list[EventSpec]:
        """Save the form for everybody, or show what is wrong with each field."""
        try:
            wanted = preferences_of(_values(form))
        except Unfit as unfit:
            self.problems = unfit.problems
            first = next(field for field in (*_FIELDS, *unfit.problems) if field in unfit.problems)
            return [rx.toast.error("Not saved. Correct the marked fields."), rx.call_script(_focus_script(first))]
        actor, address = principal().user_id, self.router.session.client_ip
        await write(lambda db: save_preferences(db, wanted, actor=actor, address=address))
        self.shown, self.problems = _view(wanted), {}
        return [rx.toast.success("Preferences saved")]


def _view(current: Preferences) -> PreferencesView:
    return PreferencesView(
        ratios=[ratio.value for ratio in current.ratios],
        original=ORIGINAL in current.languages,
        others=", ".join(tag for tag in current.languages if tag != ORIGINAL),
        captions=current.captions.value,
        framing=current.framing.value,
        shortest_s=str(current.shortest_s),
        longest_s=str(current.longest_s),
        find_on_upload=current.find_on_upload,
        keep_failed_days=str(current.keep_failed_days),
    )


def _values(form: dict[str, str]) -> dict[str, Any]:
    """Return the form's values by the fields of ``Preferences``; a browser sends a checkbox only if it is ticked."""
    given = {name: form.get(name, "")[:_MAX_TEXT] for name in ("captions", "framing", "shortest_s", "longest_s", "keep_failed_days")}
    others = [tag for tag in _TAG_SEPARATORS.split(form.get("others", "")[:_MAX_TEXT]) if tag]
    return given | {
        "ratios": [ratio.value for ratio in AspectRatio if f"{RATIO}{ratio.value}" in form],
        "languages": [ORIGINAL] * (ORIGINAL in form) + others,
        "find_on_upload": "find_on_upload" in form,
    }
