"""An element that polls at an interval while the page is visible; see ``assets/frame/pulse.client.js``."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import CustomElement


class Pulse(CustomElement):
    """The custom element; ``interval`` is in ms."""

    tag = "PagePulse"
    element = "page-pulse"
    assets = ("frame/pulse.client.js",)
    interval: rx.Var[int]
    on_pulse: rx.EventHandler[rx.event.no_args_event_spec]
