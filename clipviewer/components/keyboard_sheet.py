"""The sheet of keyboard shortcuts: a button in the top bar and its dialog. ``assets/keyboard/keyboard.client.js`` opens it on "?"."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.domain.keyboard import KEYBOARD, Group, Shortcut


@rx.memo
def keyboard_sheet() -> rx.Component:
    """Return button and dialog; they work in the browser alone."""
    return rx.dialog.root(
        bundled("keyboard/keyboard.client.js", "keyboard/keyboard.css"),
        rx.dialog.trigger(
            rx.el.button(
                rx.icon("keyboard", size=18),
                type="button",
                title="Keyboard shortcuts (?)",
                class_name="icon-button",
                custom_attrs={"aria-label": "Keyboard shortcuts", "aria-keyshortcuts": "?", "data-keys": ""},
            )
        ),
        rx.dialog.content(
            rx.dialog.title("Keyboard shortcuts"),
            rx.dialog.description("Shortcuts work unless you are typing.", size="2", class_name="quiet"),
            rx.box(*(_group(group) for group in KEYBOARD), class_name="keys"),
            rx.box(
                rx.link("Help", href="/help", size="2", class_name="keys-help"),
                rx.dialog.close(rx.button("Close", type="button", variant="soft", color_scheme="gray")),
                class_name="dialog-actions",
            ),
            max_width="860px",
        ),
    )


def _group(group: Group) -> rx.Component:
    return rx.el.section(
        rx.el.h2(group.name),
        rx.el.p(group.where),
        rx.el.dl(*(_line(shortcut) for shortcut in group.shortcuts)),
        aria_label=group.name,
        class_name="keys-group",
    )


def _line(shortcut: Shortcut) -> rx.Component:
    keys = (rx.el.span(*(rx.el.kbd(part) for part in key), class_name="key-combination") for key in shortcut.shown)
    return rx.box(rx.el.dt(*keys), rx.el.dd(shortcut.does), class_name="keys-line")
