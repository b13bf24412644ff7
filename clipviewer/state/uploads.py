"""State of the uploads on the library page: only who may. What is under way lives in the browser, see ``assets/uploads/``."""

from __future__ import annotations

import asyncio

import reflex as rx

from clipviewer.domain.permissions import Action, allows
from clipviewer.state.access import allow, authenticate


class UploadState(rx.State):
    """``may_upload`` decides what is shown; every route of an upload asks again."""

    may_upload: bool = False

    @rx.event
    @allow(Action.VIEW)
    async def load(self) -> None:
        """Look up the role."""
        self.may_upload = allows((await asyncio.to_thread(authenticate, self.router.headers)).role, Action.UPLOAD)
