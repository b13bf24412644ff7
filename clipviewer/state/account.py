"""State of the account name in the top bar."""

from __future__ import annotations

import reflex as rx

from clipviewer.state.access import principal
from clipviewer.state.vars import assign


class AccountState(rx.State):
    """The signed-in person, for display only; it decides no permission."""

    name: str = ""
    email: str = ""


async def show_account(page: rx.State) -> None:
    """Show the signed-in person on ``page``."""
    who = principal()
    assign(await page.get_state(AccountState), name=who.name, email=who.email)
