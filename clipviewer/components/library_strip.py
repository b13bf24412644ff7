"""The strip above the library: running jobs, and videos that need attention."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.may_change import if_may_change
from clipviewer.components.pulse import Pulse
from clipviewer.services.library.listing import Filter
from clipviewer.state.library import LibraryState
from clipviewer.state.library_page import LibraryPageState
from clipviewer.state.library_strip import LibraryStripState, RunningRow

BUSY_MS, IDLE_MS = 2_000, 5_000


def library_strip() -> rx.Component:
    """Return the strip, hidden while nothing runs and nothing is wrong."""
    wrong = (
        _attention_button(LibraryStripState.failed, "with failed jobs", "circle-alert", Filter.FAILED),
        _attention_button(LibraryStripState.stale, "with exports out of date", "history", Filter.STALE),
        _attention_button(LibraryStripState.missing, "with missing files", "file-x", Filter.MISSING),
    )
    attention = (LibraryStripState.failed > 0) | (LibraryStripState.stale > 0) | (LibraryStripState.missing > 0)
    is_active = LibraryStripState.busy | (LibraryState.preparing != "")
    return rx.fragment(
        bundled("library/strip.css"),
        # Only after hydration: React attaches no listener to a custom element that was prerendered.
        rx.cond(
            LibraryState.phase != "loading",
            Pulse.create(interval=rx.cond(is_active, BUSY_MS, IDLE_MS), on_pulse=LibraryPageState.follow),
        ),
        rx.cond(
            LibraryStripState.busy | attention,
            rx.el.section(
                rx.cond(LibraryStripState.paused != "", rx.el.p(LibraryStripState.paused, class_name="strip-pause problem", role="status")),
                rx.cond(
                    LibraryStripState.busy,
                    rx.el.ul(
                        rx.foreach(LibraryStripState.running, _running),
                        rx.cond(
                            LibraryStripState.more > 0, rx.el.li(f"and {LibraryStripState.more} more", class_name="strip-more tabular")
                        ),
                        class_name="strip-running",
                        aria_label="Running now",
                    ),
                ),
                rx.cond(attention, rx.box(*wrong, class_name="strip-wrong")),
                class_name="library-strip card",
                aria_label="Activity",
            ),
        ),
    )


def _running(item: rx.Var[RunningRow]) -> rx.Component:
    return rx.el.li(
        rx.box(
            rx.el.span(item.what, class_name="clip-title"),
            rx.el.span(item.title, class_name="clip-time"),
            class_name="strip-words",
        ),
        rx.cond(
            item.waits,
            rx.el.span(rx.cond(item.note != "", item.note, "Queued"), class_name="strip-waits clip-time"),
            rx.cond(
                item.percent < 0,
                rx.el.progress(aria_label="Progress of " + item.what),
                rx.el.progress(value=item.percent, max=100, aria_label="Progress of " + item.what),
            ),
        ),
        if_may_change(
            rx.el.button(
                rx.icon("x", size=15),
                type="button",
                title="Cancel",
                on_click=LibraryStripState.cancel(item.id),
                class_name="icon-button small",
                aria_label="Cancel " + item.what,
            )
        ),
        key=item.id,
        class_name="strip-item",
    )


def _attention_button(count: rx.Var[int], words: str, icon: str, shown: Filter) -> rx.Component:
    return rx.cond(
        count > 0,
        rx.el.button(
            rx.icon(icon, size=15),
            rx.cond(count == 1, f"1 video {words}", f"{count} videos {words}"),
            type="button",
            on_click=LibraryState.set_filter(shown.value),
            class_name="chip trouble tabular",
            aria_pressed=LibraryState.shown == shown.value,
        ),
    )
