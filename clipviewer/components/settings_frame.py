"""The frame of the settings pages with their navigation."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.frame import page_frame

PAGES = {
    "/settings": ("Preferences", "sliders-horizontal"),
    "/settings/storage": ("Storage", "hard-drive"),
    "/help": ("Help", "circle-help"),
}


def settings_frame(here: str, *content: rx.Component) -> rx.Component:
    """Return a settings page; ``here`` is one of ``PAGES``."""
    ways = [
        rx.link(
            rx.icon(icon, size=16),
            name,
            href=path,
            underline="none",
            custom_attrs={"aria-current": "page"} if path == here else {},
        )
        for path, (name, icon) in PAGES.items()
    ]
    return page_frame(
        rx.box(
            bundled("settings/settings.css"),
            rx.el.nav(*ways, aria_label="Settings", class_name="settings-nav"),
            rx.box(*content, class_name="settings-main"),
            class_name="settings",
        ),
        title="Settings",
    )


def settings_card(title: str, text: str | rx.Var[str], *content: rx.Component, actions: tuple[rx.Component, ...] = ()) -> rx.Component:
    """Return a region named ``title`` with a sentence below its heading."""
    told = {"role": "status"} if isinstance(text, rx.Var) else {}
    return rx.el.section(
        rx.box(rx.box(rx.el.h2(title), rx.el.p(text, **told)), *actions, class_name="settings-head"),
        *content,
        class_name="settings-card card",
        aria_label=title,
    )
