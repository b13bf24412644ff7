"""Every registered event handler, by its name on the wire."""

from __future__ import annotations

import functools

import reflex as rx
from reflex.event import EventHandler
from reflex_base.registry import RegistrationContext


@functools.cache
def registered() -> dict[str, EventHandler]:
    """Return the handlers of the whole app, Reflex's own included. Imports late, since that creates this process's app."""
    import clipviewer.clipviewer  # noqa: F401

    return {name: entry.handler for name, entry in RegistrationContext.get().event_handlers.items()}


def name_of(state: type[rx.State], handler: str) -> str:
    return f"{state.get_full_name()}.{handler}"


def policy_of(handler: EventHandler) -> object | None:
    return getattr(handler.fn, "__policy__", None)
