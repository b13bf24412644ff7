"""Parts of a page for people who may mark, change and export clips. The event handlers check permissions; hiding avoids refusals."""

from __future__ import annotations

import reflex as rx

from clipviewer.state.library_changes import LibraryChangesState


def if_may_change(*shown: rx.Component, otherwise: rx.Component | None = None) -> rx.Component:
    """Return ``shown`` for people who may change something, else ``otherwise``. Pages load the role before they show anything."""
    return rx.cond(LibraryChangesState.may_change, rx.fragment(*shown), otherwise)


def text_if_may_change(words: str, otherwise: str) -> rx.Var[str]:
    """Return the sentence that fits what this person may do."""
    return rx.cond(LibraryChangesState.may_change, words, otherwise)
