"""Finding clips: the button above the candidates, and the progress of a search."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.state.finding import FindingState


def find_clips_bar() -> rx.Component:
    """Return the line above the candidates. People who may not start a search see only a running one."""
    search = FindingState.search
    return rx.fragment(
        bundled("room/finding.css"),
        rx.cond(
            _busy(),
            rx.box(
                rx.el.span(rx.cond(search.note != "", search.note, "Looking for clips"), class_name="find-words", role="status"),
                rx.el.progress(value=search.percent, max=100, aria_label="Looking for clips"),
                rx.cond(
                    search.may_find,
                    rx.el.button(
                        rx.icon("x", size=15),
                        type="button",
                        aria_label="Stop looking for clips",
                        title="Stop looking for clips",
                        on_click=FindingState.call_off,
                        class_name="icon-button small",
                    ),
                ),
                class_name="find-bar",
            ),
            rx.cond(
                search.may_find,
                rx.box(
                    rx.el.span(rx.cond(search.state == "failed", search.note, ""), class_name="find-words problem", role="status"),
                    find_clips_button(),
                    class_name="find-bar",
                ),
            ),
        ),
    )


def find_clips_button() -> rx.Component:
    return rx.el.button(
        rx.icon("scan-search", size=15),
        rx.cond(FindingState.search.state == "failed", "Try again", "Find clips"),
        type="button",
        title="Find clips by sound, picture and captions. Clips that you changed or exported stay.",
        on_click=FindingState.find,
        class_name="find-button",
    )


def _busy() -> rx.Var[bool]:
    return (FindingState.search.state == "queued") | (FindingState.search.state == "running")
