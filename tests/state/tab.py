"""A browser tab as the server sees it: one websocket that speaks Engine.IO 4, Socket.IO 5 and Reflex's events, frame by frame."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

NAMESPACE = "/_event"
ROOT = "reflex___state____state"
HYDRATE = f"{ROOT}.hydrate_and_load"
ON_LOAD = f"{ROOT}.reflex___state____on_load_internal_state.on_load_internal"
PATIENCE = 30


@dataclass
class Update:
    """One update from the server: ``delta`` by state, and ``events`` for the browser."""

    delta: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ours(self) -> dict[str, dict[str, Any]]:
        """The part of the delta that concerns this product's states."""
        return {name: values for name, values in self.delta.items() if ".clipviewer___" in name}


class Tab:
    """One tab; ``updates`` holds every update so far, ``frames`` the same as sent on the wire."""

    def __init__(self, socket: ClientConnection, path: str) -> None:
        self._socket = socket
        self.path = path
        self.updates: list[Update] = []
        self.frames: list[str] = []
        self.namespace_refused = False

    def send_frame(self, frame: str | bytes) -> None:
        self._socket.send(frame)

    def emit(self, *message: Any) -> None:
        """Send any Socket.IO event."""
        self.send_frame(f"42{NAMESPACE},{json.dumps(message)}")

    def send(self, name: str, /, path: str | None = None, **payload: Any) -> None:
        """Call an event handler as the page at ``path`` does."""
        self.emit("event", self.event(name, payload, path))

    def event(self, name: str, payload: Any, path: str | None = None) -> dict[str, Any]:
        here = path or self.path
        return {"name": name, "payload": payload, "router_data": {"pathname": here.partition("?")[0], "asPath": here}}

    def receive(self, timeout: float = PATIENCE) -> str:
        """Return the next frame, after answering heartbeats; raise ``TimeoutError`` or ``ConnectionClosed``."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self._socket.recv(timeout=max(0, deadline - time.monotonic()))
            assert isinstance(frame, str)
            if frame == "2":
                self._socket.send("3")
                continue
            self.frames.append(frame)
            if frame.startswith(f"42{NAMESPACE},"):
                name, *rest = json.loads(frame.partition(",")[2])
                if name == "event":
                    self.updates.append(Update(rest[0].get("delta") or {}, rest[0].get("events") or []))
            return frame

    def wait_for(self, text: str) -> Update:
        """Return the next update whose wire form contains ``text``; fail with what came instead."""
        seen = len(self.frames)
        deadline = time.monotonic() + PATIENCE
        try:
            while text not in self.receive(deadline - time.monotonic()):
                pass
        except (TimeoutError, ConnectionClosed) as error:
            raise AssertionError(f"{text!r} did not come ({type(error).__name__}), but: {self.frames[seen:]}") from error
        return self.updates[-1]

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return the whole state behind this tab. Also a barrier: a tab's events are handled in order."""
        self.send(HYDRATE, path="/sign-in")
        return self.wait_for('"is_hydrated_rx_state_":false,"rx_router').ours

    def closing(self) -> int:
        """Return the code with which the server closes this socket."""
        try:
            while True:
                self.receive()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else 1006


@contextlib.contextmanager
def open_tab(
    address: str,
    *,
    cookie: str = "",
    origin: str | None = None,
    token: str | None = None,
    path: str = "/sign-in",
    headers: Mapping[str, str] | None = None,
    auth: Any = None,
    source: str = "127.0.0.1",
) -> Iterator[Tab]:
    """Open a connected tab; ``cookie`` is the whole ``Cookie`` header, ``source`` the address from which it comes.

    Raise ``InvalidStatus`` if the handshake is refused.
    """
    query = {"EIO": "4", "transport": "websocket", "token": token if token is not None else str(uuid.uuid4())}
    connecting = connect(
        f"{address.replace('http', 'ws', 1)}{NAMESPACE}/?{urlencode(query)}",
        origin=Origin(origin or address),
        additional_headers={**({"Cookie": cookie} if cookie else {}), **(headers or {})},
        proxy=None,
        max_size=None,
        open_timeout=PATIENCE,
        close_timeout=1,
        source_address=(source, 0),
    )
    with connecting as socket:
        tab = Tab(socket, path)
        assert tab.receive().startswith("0")
        tab.send_frame(f"40{NAMESPACE}," + ("" if auth is None else json.dumps(auth)))
        while not (frame := tab.receive()).startswith(("40", "44")):
            pass
        tab.namespace_refused = frame.startswith("44")
        yield tab


@contextlib.contextmanager
def open_again(address: str, *, token: str, **more: Any) -> Iterator[Tab]:
    """Reopen an earlier tab once the server has noticed that it was closed."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with open_tab(address, token=token, **more) as tab:
            if not any('"new_token"' in frame for frame in tab.frames):
                yield tab
                return
        assert time.monotonic() < deadline, "the server still holds the closed socket for open"
