"""State of the corner with the name."""

from __future__ import annotations

import reflex as rx

from clipviewer.state.access import principal
from clipviewer.state.vars import assign


class AccountState(rx.State):
    """Who is signed in, for the corner of the page; nothing is decided by it."""

    name: str = ""
    email: str = ""


async def show_account(page: rx.State) -> None:
    """Show who opens ``page``."""
    who = principal()
    assign(await page.get_state(AccountState), name=who.name, email=who.email)
