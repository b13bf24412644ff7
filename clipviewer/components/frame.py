"""The frame around every page of the app, and the empty and loading states of lists."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.keyboard_sheet import keyboard_sheet
from clipviewer.state.account import AccountState


def page_frame(*content: rx.Component, title: str | rx.Var[str] = "", actions: Sequence[rx.Component] = ()) -> rx.Component:
    """Return top bar and main area; ``actions`` apply to the page as a whole."""
    return rx.box(
        rx.el.header(
            rx.el.a(
                rx.icon("clapperboard", size=18),
                rx.el.span("clipviewer"),
                href="/",
                class_name="brand",
                custom_attrs={"aria-label": "clipviewer: library"},
            ),
            rx.el.h1(title, class_name="page-title"),
            *actions,
            rx.el.span(AccountState.name, title=AccountState.email, class_name="account"),
            keyboard_sheet(),
            _icon_link("circle-help", "Help", "/help", class_name="help-button"),
            _icon_link("settings", "Settings", "/settings"),
            rx.el.button(
                rx.icon("sun-moon", size=18),
                type="button",
                on_click=rx.toggle_color_mode,
                aria_label="Toggle dark mode",
                class_name="icon-button",
            ),
            rx.el.form(
                bundled("doors/doors.client.js"),
                rx.el.button(rx.icon("log-out", size=18), type="submit", aria_label="Sign out", class_name="icon-button"),
                method="post",
                action="/api/auth/sign-out",
                custom_attrs={"data-door": "sign-out"},
            ),
            class_name="top-bar",
        ),
        rx.el.main(*content, class_name="main"),
        bundled("frame/lost_pages.client.js"),
        class_name="app",
        custom_attrs={"data-hydrated": rx.cond(rx.State.is_hydrated, "true", "false")},
    )


def _icon_link(icon: str, name: str, href: str, *, class_name: str = "") -> rx.Component:
    return rx.link(
        rx.icon(icon, size=18),
        href=href,
        underline="none",
        title=name,
        class_name=f"icon-button {class_name}".rstrip(),
        custom_attrs={"aria-label": name},
    )


def empty(icon: str, title: str, text: str | rx.Var[str], *actions: rx.Component) -> rx.Component:
    """Return the message of a list that is empty or could not be loaded."""
    return rx.box(
        rx.icon(icon, size=28, class_name="quiet"),
        rx.text(title, weight="bold"),
        rx.text(text, size="2", class_name="quiet"),
        *actions,
        class_name="empty",
        role="status",
    )


def skeletons(count: int, class_name: str) -> rx.Component:
    """Return loading placeholders in their final size."""
    return rx.fragment(*(rx.box(class_name=f"{class_name} skeleton", aria_hidden="true") for _ in range(count)))
