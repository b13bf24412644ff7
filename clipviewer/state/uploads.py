"""State of the uploads on the library page: only who may. What is under way lives in the browser, see ``assets/uploads/``."""

from __future__ import annotations

import reflex as rx

from clipviewer.domain.permissions import Action, allows
from clipviewer.state.access import principal
from clipviewer.state.vars import assign


class UploadState(rx.State):
    """``may_upload`` decides what is shown; every route of an upload asks again."""

    may_upload: bool = False


async def show_upload_right(page: rx.State) -> None:
    """Show the uploads to who may upload."""
    assign(await page.get_state(UploadState), may_upload=allows(principal().role, Action.UPLOAD))
