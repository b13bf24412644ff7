"""The page for an unknown address."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.frame import empty


def not_found_page() -> rx.Component:
    return rx.el.main(
        bundled("doors/doors.css"),
        empty(
            "compass",
            "Page not found",
            "The address may be mistyped, or the page has moved.",
            rx.link(rx.button("Go to the library"), href="/"),
        ),
        class_name="door-page",
    )
