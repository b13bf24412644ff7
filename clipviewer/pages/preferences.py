"""``/settings``: the team's preferences."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.frame import empty
from clipviewer.components.preferences_form import preferences_form
from clipviewer.components.settings_frame import settings_frame
from clipviewer.state.preferences import PreferencesState


def preferences_page() -> rx.Component:
    return settings_frame(
        "/settings",
        rx.match(
            PreferencesState.phase,
            ("ready", preferences_form()),
            (
                "failed",
                empty(
                    "cloud-off",
                    "The preferences could not be loaded",
                    "The database did not answer.",
                    rx.button("Try again", on_click=PreferencesState.open_page),
                ),
            ),
            rx.box(rx.box(class_name="settings-card card skeleton storage-to-come"), aria_busy="true"),
        ),
    )
