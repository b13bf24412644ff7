"""Focus handling for dialogs that the server opens and that therefore have no trigger, based on Radix's events."""

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


def restore_focus_on_close() -> dict[str, Any]:
    """Return attributes for a dialog's content that restore the focus when it closes; for a menu item, to the menu's button.

    Radix restores the focus to a dialog's trigger only, and these dialogs have none.
    """
    return {"onOpenAutoFocus": rx.Var(_OPENED), "onCloseAutoFocus": rx.Var(_CLOSED)}


def leave_focus_to_dialog() -> dict[str, Any]:
    """Return attributes for the content of a menu whose items open dialogs: the closing menu does not take the focus."""
    return {"onCloseAutoFocus": rx.Var(_MENU_CLOSED)}
