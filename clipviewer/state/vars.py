"""Setting vars in event handlers, so that a page receives only changes."""

from __future__ import annotations

import reflex as rx


def assign(state: rx.State, **values: object) -> None:
    """Set those vars of ``state`` that differ: Reflex sends a var again after every assignment."""
    for name, value in values.items():
        if getattr(state, name) != value:
            setattr(state, name, value)


def reset(state: rx.State) -> None:
    """Set every var of ``state`` to its default."""
    state.reset()  # type: ignore[no-untyped-call]  # Reflex annotates it nowhere
