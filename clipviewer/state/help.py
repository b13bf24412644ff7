"""State of the Help pages."""

from __future__ import annotations

import reflex as rx

from clipviewer.domain.permissions import Action
from clipviewer.state.access import allow
from clipviewer.state.account import show_account


class HelpState(rx.State):
    """An empty state: the pages are the same for everybody."""

    @rx.event
    @allow(Action.VIEW)
    async def open_page(self) -> None:
        """Show the signed-in person; anybody else is sent to the sign-in page."""
        await show_account(self)
