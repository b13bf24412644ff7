"""The events that open the library and keep it up to date."""

from __future__ import annotations

import reflex as rx

from clipviewer.domain.permissions import Action
from clipviewer.state.access import allow
from clipviewer.state.account import show_account
from clipviewer.state.adopt import show_adopt_right
from clipviewer.state.library import LibraryState, take_address
from clipviewer.state.library_changes import show_rights
from clipviewer.state.library_strip import follow_library
from clipviewer.state.uploads import show_upload_right


class LibraryPageState(rx.State):
    """The library page as a whole; the states of its parts hold what it shows."""

    @rx.event
    @allow(Action.VIEW)
    async def open(self) -> None:
        """Show the page of videos for the address, and the running jobs."""
        await show_account(self)
        await show_rights(self)
        await show_upload_right(self)
        await show_adopt_right(self)
        library = await self.get_state(LibraryState)
        take_address(library)
        await follow_library(self, first_page=True)

    @rx.event
    @allow(Action.VIEW)
    async def follow(self) -> None:
        """Refresh the running jobs and the listed videos."""
        await follow_library(self)
