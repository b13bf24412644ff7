"""State of the pages of Help."""

from __future__ import annotations

import reflex as rx

from clipviewer.domain.permissions import Action
from clipviewer.state.access import allow
from clipviewer.state.account import show_account


class HelpState(rx.State):
    """Holds nothing: the pages say the same to everybody."""

    @rx.event
    @allow(Action.VIEW)
    async def open_page(self) -> None:
        """Show who is signed in; whoever is not is sent to the sign-in page."""
        await show_account(self)
