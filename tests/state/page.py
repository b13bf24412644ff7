"""A page's states without a browser: the whole state tree after each event."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import reflex as rx

from clipviewer.services.people.sessions import COOKIE

T = TypeVar("T", bound=rx.State)
MARK = "_rx_state_"
ORIGIN = "http://clips.example.org:3000"


class Page:
    """One tab of the person behind ``token``, at ``path``; ``sent`` is what the last event changed, by the state's full name."""

    def __init__(self, token: str, path: str) -> None:
        self.root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
        self._headers = {"cookie": f"{COOKIE}={token}", "host": ORIGIN.partition("//")[2], "origin": ORIGIN}
        self.sent: dict[str, dict[str, Any]] = {}
        self.go(path)

    def go(self, path: str) -> None:
        """Navigate; the next event tells the server."""
        place = {"headers": self._headers, "pathname": path.partition("?")[0], "asPath": path, "query": {}, "ip": "192.0.2.1"}
        self.root.router_data = self.root._update_router_vars(place, self.root.router_data)
        self.root._clean()  # type: ignore[no-untyped-call]

    def state(self, kind: type[T]) -> T:
        found = asyncio.run(self.root.get_state(kind))
        assert isinstance(found, kind)
        return found

    def call(self, kind: type[rx.State], handler: str, *args: Any, of: type[rx.State] | None = None) -> tuple[dict[str, Any], str]:
        """Run an event handler; return the changed vars of state ``of`` (default: the handler's own) and the returned events, as text."""

        async def run() -> tuple[dict[str, Any], str]:
            state = await self.root.get_state(kind)
            answer = await getattr(state, handler)(*args)
            self.sent = await self.root._get_resolved_delta()
            delta = self.sent.get((of or kind).get_full_name(), {})
            self.root._clean()  # type: ignore[no-untyped-call]
            return {name.removesuffix(MARK): value for name, value in delta.items()}, str(answer) if answer else ""

        return asyncio.run(run())
