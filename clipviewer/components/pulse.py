"""Asks for news at an interval while the page is visible; see ``assets/pulse.js``."""

from __future__ import annotations

import reflex as rx


class Pulse(rx.Component):
    """``interval`` is in ms."""

    tag = "PagePulse"
    interval: rx.Var[int]
    on_pulse: rx.EventHandler[rx.event.no_args_event_spec]

    def add_custom_code(self) -> list[str]:
        """A custom element's name is no identifier, and Reflex derives names from tags."""
        return ['const PagePulse = "page-pulse";']
