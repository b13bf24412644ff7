"""The notice about a master that is slow to start, with the offer to make a copy that starts quickly."""

from __future__ import annotations

import reflex as rx

from clipviewer.state.quick_start import QuickStartState


def quick_start_line() -> rx.Component:
    """Return a sentence with its button, empty for a video that starts quickly."""
    view = QuickStartState.quick_start
    return rx.match(
        view.state,
        ("", rx.fragment()),
        (
            "slow",
            rx.fragment(_words("Slow to start: the browser has to read the end of the file first."), rx.cond(view.may_mend, _confirm())),
        ),
        ("failed", rx.fragment(_words(view.note), rx.cond(view.may_mend, _confirm("Try again")))),
        rx.fragment(
            _words("Creating a copy that starts quickly: ", view.percent, " %", rx.cond(view.note != "", " · ", ""), view.note),
            rx.cond(view.may_mend, rx.el.button("Stop", type="button", on_click=QuickStartState.call_off, class_name="find-button")),
        ),
    )


def _words(*words: str | rx.Var[str] | rx.Var[int]) -> rx.Component:
    return rx.el.span(*words, class_name="quiet tabular", role="status")


def _confirm(label: str = "Make it start quickly") -> rx.Component:
    """Return the button with a confirmation, since the copy is another large file in the bucket."""
    size = QuickStartState.quick_start.size
    return rx.alert_dialog.root(
        rx.alert_dialog.trigger(rx.el.button(label, type="button", class_name="find-button")),
        rx.alert_dialog.content(
            rx.alert_dialog.title("Make it start quickly"),
            rx.alert_dialog.description(
                "A copy of the file (",
                size,
                ") with the same picture and sound is stored in the bucket and played from then on. The old file stays there.",
                size="2",
            ),
            rx.box(
                rx.alert_dialog.cancel(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
                rx.alert_dialog.action(rx.button("Create copy", type="button", on_click=QuickStartState.mend)),
                class_name="dialog-actions",
            ),
            max_width="460px",
        ),
    )
