"""Where the focus is around a dialog that the server opens, and that has no trigger of its own; told by Radix's own events."""

from __future__ import annotations

from typing import Any

import reflex as rx

_OPENED = """(event) => {
  const focused = document.activeElement;
  const menu = focused?.closest("[role=menu]");
  event.currentTarget.openedFrom = menu ? document.getElementById(menu.getAttribute("aria-labelledby")) : focused;
}"""
_CLOSED = "(event) => { event.preventDefault(); event.currentTarget.openedFrom?.focus(); }"
_MENU_CLOSED = "(event) => { if (document.querySelector('[role=dialog][data-state=open]')) event.preventDefault(); }"


def gives_focus_back() -> dict[str, Any]:
    """Return attributes of a dialog's content: when it closes, the focus goes back to what had it, for a menu's item to the menu's button.

    Radix gives it to a dialog's trigger, and where there is none to nobody.
    """
    return {"onOpenAutoFocus": rx.Var(_OPENED), "onCloseAutoFocus": rx.Var(_CLOSED)}


def leaves_focus_to_dialog() -> dict[str, Any]:
    """Return attributes of a menu's content some of whose items open a dialog, which may be there before the menu is gone."""
    return {"onCloseAutoFocus": rx.Var(_MENU_CLOSED)}
