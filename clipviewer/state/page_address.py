"""The address of a page: its origin, and the video it shows."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

import reflex as rx


class Address(Protocol):
    """The parts of a URL that lead back to a page."""

    @property
    def path(self) -> str: ...

    @property
    def query(self) -> str: ...


def origin_of(state: rx.State) -> str:
    """Return the ``scheme://host`` that the browser used; the guard has already compared the Origin header with the Host header."""
    headers = state.router.headers
    return headers.origin or f"http://{headers.host}"


def sign_in_path(url: Address) -> str:
    """Return the address of the sign-in page that leads back to ``url``."""
    here = url.path + (f"?{url.query}" if url.query else "")
    return f"/sign-in?next={quote(here, safe='')}"


def video_in_address(state: rx.State) -> str:
    """Return the last part of ``/videos/{video_id}``: after a reconnect the room itself may not be loaded yet."""
    return state.router.url.path.rstrip("/").rpartition("/")[2]
