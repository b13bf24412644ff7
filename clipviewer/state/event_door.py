"""What may come in by the websocket, before Reflex sees it.

Reflex takes any message for any of its handlers, logs word for word what it cannot read, and gives the whole state of a page to
whoever knows the page's token. Here a message is held to its shape, a handler without a stated policy stays shut, and the state
behind a token belongs to the session that made it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import reflex as rx
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from reflex.app import EventNamespace
from reflex.constants import RouteVar
from reflex.event import Event, EventSpec
from reflex.istate.data import HeaderData
from reflex.state import StateUpdate
from reflex_base.registry import RegistrationContext
from socketio.exceptions import ConnectionRefusedError as Refused

from clipviewer.errors import Forbidden, Invalid, Unauthorized
from clipviewer.state.access import authenticate
from clipviewer.state.page_address import sign_in_path

_TOKEN = re.compile(r"[A-Za-z0-9-]{8,64}")
_VERSION = re.compile(r"[0-9][0-9a-z.]{0,20}")
_REPORTS = 20
_HEADERS = ("host", "origin", "cookie")
_TAKEN = "clipviewer.page"
_Word = Annotated[str, Field(max_length=300)]
_Address = Annotated[str, Field(max_length=4000, pattern=r"\A/[^\x00-\x20\x7f]*\z")]


class Message(BaseModel):
    """Read as it is, nothing converted; what it carries beyond its fields is left out."""

    model_config = ConfigDict(strict=True)


class Place(Message):
    """Where the page is, as its browser says."""

    pathname: _Address = "/"
    asPath: _Address = "/"
    query: dict[_Word, str | list[str]] = {}


class Arrived(Message):
    """``name`` of a handler, ``payload`` by argument."""

    name: _Word
    payload: dict[str, Any] = {}
    router_data: Place = Place()


class Opening(Message):
    """What a page may send along when it opens: its first ``event``, and the hash of the states that it was built with."""

    event: Any = None
    state_schema: Annotated[str, Field(pattern=r"\A[0-9a-f]{1,64}\z")] | None = None


class Nothing(Message):
    """No argument."""


class Hydrate(Message):
    """``hashes`` of the state that the page was built with. Values from the browser's storage are left out: none is kept there."""

    hashes: Annotated[list[_Word], Field(max_length=1000)] | None = None


class Report(Message):
    """What went wrong in a page."""

    info: str
    component_stack: str = ""


FRAMEWORK: dict[str, type[Message]] = {
    "State.hydrate_and_load": Hydrate,
    "OnLoadInternalState.on_load_internal": Nothing,
    "FrontendEventExceptionState.handle_frontend_exception": Report,
}
"""Reflex's own handlers that a page calls. They show a page its own state, start the handlers of its address (each of which has its
policy), and take a report for the log."""


class EventDoor(EventNamespace):
    """Reflex's end of the websocket, with the door in front."""

    def __init__(self, namespace: str, app: rx.App) -> None:
        super().__init__(namespace, app)
        self._opened_by: dict[str, str] = {}
        self._reports: Counter[str] = Counter()

    async def trigger_event(self, event: Any, *args: Any) -> Any:
        """Only what a page sends, each with one argument at most. Called ``connect``, it would dictate its own headers."""
        sid, data = args[0], args[1] if len(args) == 2 else None
        if event == "connect" and sid not in self._opened_by:
            return await self.on_connect(*args)
        if event == "disconnect":
            self.on_disconnect(sid)
        elif event == "event":
            await self.on_event(sid, data)
        elif event == "ping":
            await self.on_ping(sid)
        elif event == "client_error":
            await self.on_client_error(sid, data)
        return None

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Refused without a page's token, and a second time by one connection. State belongs to the token and the session together."""
        token = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
        if not _TOKEN.fullmatch(token) or environ.get(_TAKEN):
            raise Refused
        environ[_TAKEN] = True
        session_id = await self._session_behind(self._build_static_router_data(sid, environ))
        self._opened_by[sid] = session_id
        bound = f"{token}-{hashlib.sha256(session_id.encode()).hexdigest()[:16]}"
        environ = {**environ, "QUERY_STRING": urlencode({"token": bound})}
        if not _VERSION.fullmatch(environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL", "")):
            environ.pop("HTTP_SEC_WEBSOCKET_PROTOCOL", None)
        try:
            await super().on_connect(sid, environ, _opening(auth))
        except Exception:
            self._forget(sid)
            raise

    def on_disconnect(self, sid: str) -> asyncio.Task[Any] | None:
        self._forget(sid)
        return super().on_disconnect(sid)

    async def on_event(self, sid: str, data: Any) -> None:
        """Passes on what is well formed and has a policy; answers the rest with one sentence, and logs nothing of it."""
        if sid not in self.sid_to_token:
            return
        place = "/"
        try:
            arrived = Arrived.model_validate(data)
            place = arrived.router_data.asPath
            await self._hold_to_policy(sid, arrived)
        except ValidationError:
            await self._answer(sid, rx.toast.error(Invalid.title))
        except Unauthorized as error:
            await self._answer(sid, rx.toast.error(error.title), rx.redirect(sign_in_path(urlsplit(place))))
        except Forbidden as error:
            await self._answer(sid, rx.toast.error(error.title))
        else:
            await super().on_event(sid, arrived.model_dump())

    def _build_static_router_data(self, sid: str, environ: dict[str, Any]) -> dict[str, Any]:
        """Without the headers that nobody here reads: Reflex sends them to the page, and a proxy may have put secrets there."""
        router_data = super()._build_static_router_data(sid, environ)
        headers = router_data[RouteVar.HEADERS]
        return {**router_data, RouteVar.HEADERS: {name: headers[name] for name in _HEADERS if name in headers}}

    async def _hold_to_policy(self, sid: str, arrived: Arrived) -> None:
        registered = RegistrationContext.get().event_handlers.get(arrived.name)
        function = registered.handler.fn if registered else None
        if hasattr(function, "__policy__"):
            return
        payload = FRAMEWORK.get(getattr(function, "__qualname__", ""))
        if payload is None:
            raise Forbidden
        arrived.payload = payload.model_validate(arrived.payload).model_dump()
        if payload is Hydrate and await self._session_behind(self._static_router_data[sid]) != self._opened_by[sid]:
            raise Unauthorized
        if payload is Report:
            self._reports[sid] += 1
            if self._reports[sid] > _REPORTS:
                raise Forbidden

    async def _session_behind(self, router_data: dict[str, Any]) -> str:
        """Return the id of the session that holds now, or ""."""
        try:
            return (await authenticate(HeaderData.from_router_data(router_data))).session_id
        except Unauthorized:
            return ""

    async def _answer(self, sid: str, *events: EventSpec) -> None:
        await self.emit_update(StateUpdate(events=Event.from_event_type(list(events))), self.sid_to_token[sid])

    def _forget(self, sid: str) -> None:
        self._opened_by.pop(sid, None)
        self._reports.pop(sid, None)


def _opening(auth: Any) -> dict[str, Any] | None:
    try:
        return Opening.model_validate(auth).model_dump(exclude_none=True)
    except ValidationError:
        return None


def guard_events(app: rx.App) -> None:
    """Put the door into ``app``, before it serves."""
    if app.sio is None or app.event_namespace is None:
        raise RuntimeError("the app has no websocket")
    app._event_namespace = EventDoor(app.event_namespace.namespace, app)
    app.sio.register_namespace(app.event_namespace)
