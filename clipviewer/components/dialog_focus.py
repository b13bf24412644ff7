"""What menus and dialogs are given so that the focus stays where a person is. ``assets/dialog_focus.js`` does it."""

from __future__ import annotations

from typing import Any

import reflex as rx


def leaves_focus_to_dialog() -> dict[str, Any]:
    """Attributes of a menu's content some of whose items open a dialog."""
    return {"onCloseAutoFocus": _call("menuCloses")}


def gives_focus_back() -> dict[str, Any]:
    """Attributes of the content of a dialog that is opened by a menu or by several buttons."""
    return {"onCloseAutoFocus": _call("dialogCloses")}


def _call(name: str) -> rx.Var[Any]:
    return rx.Var(f"(event) => globalThis.dialogFocus?.{name}(event)")
