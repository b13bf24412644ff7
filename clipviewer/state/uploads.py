"""State of uploads on the library page: only the permission. The uploads live in the browser, see ``assets/uploads/``."""

from __future__ import annotations

import reflex as rx

from clipviewer.domain.permissions import Action, allows
from clipviewer.state.access import principal
from clipviewer.state.vars import assign


class UploadState(rx.State):
    """``may_upload`` decides what is shown; every upload route checks the permission again."""

    may_upload: bool = False


async def show_upload_right(page: rx.State) -> None:
    """Show the upload controls to people who may upload."""
    assign(await page.get_state(UploadState), may_upload=allows(principal().role, Action.UPLOAD))
