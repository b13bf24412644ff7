"""Validation of websocket messages before Reflex sees them.

Reflex accepts any message for any of its handlers, logs verbatim what it cannot parse, and gives the whole state of a page to anyone
who knows the page's token. Here every message is validated, a handler without a declared policy is refused, and the state behind a
token is bound to the session that created it.
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
_MAX_REPORTS = 20
_HEADERS = ("host", "origin", "cookie")
_CONNECTED = "clipviewer.page"
_Word = Annotated[str, Field(max_length=300)]
_Address = Annotated[str, Field(max_length=4000, pattern=r"\A/[^\x00-\x20\x7f]*\z")]


class Message(BaseModel):
    """A message, validated without conversion; unknown fields are dropped."""

    model_config = ConfigDict(strict=True)


class PageLocation(Message):
    """The address of the page, as its browser reports it."""

    pathname: _Address = "/"
    asPath: _Address = "/"
    query: dict[_Word, str | list[str]] = {}


class EventMessage(Message):
    """An event: ``name`` of a handler, ``payload`` by argument."""

    name: _Word
    payload: dict[str, Any] = {}
    router_data: PageLocation = PageLocation()


class ConnectMessage(Message):
    """What a page may send when it connects: its first ``event``, and the hash of the states that it was built with."""

    event: Any = None
    state_schema: Annotated[str, Field(pattern=r"\A[0-9a-f]{1,64}\z")] | None = None


class NoArguments(Message):
    """The payload of a handler without arguments."""


class Hydrate(Message):
    """``hashes`` of the state that the page was built with. Values of the browser's storage are dropped: none is kept there."""

    hashes: Annotated[list[_Word], Field(max_length=1000)] | None = None


class Report(Message):
    """An error in a page."""

    info: str
    component_stack: str = ""


FRAMEWORK: dict[str, type[Message]] = {
    "State.hydrate_and_load": Hydrate,
    "OnLoadInternalState.on_load_internal": NoArguments,
    "FrontendEventExceptionState.handle_frontend_exception": Report,
}
"""Reflex's own handlers that pages call. They send a page its state, start the handlers of its address (each with its own policy),
and log an error report.
"""


class GuardedEventNamespace(EventNamespace):
    """Reflex's websocket namespace, with validation in front."""

    def __init__(self, namespace: str, app: rx.App) -> None:
        super().__init__(namespace, app)
        self._opened_by: dict[str, str] = {}
        self._reports: Counter[str] = Counter()

    async def trigger_event(self, event: Any, *args: Any) -> Any:
        """Pass on only events that pages send, with one argument at most. A client that sent ``connect`` could forge headers."""
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
        """Bind the page's token to the session. Refuses a missing token and a second connect on the same connection."""
        token = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
        if not _TOKEN.fullmatch(token) or environ.get(_CONNECTED):
            raise Refused
        environ[_CONNECTED] = True
        session_id = await self._session_id_of(self._build_static_router_data(sid, environ))
        self._opened_by[sid] = session_id
        bound = f"{token}-{hashlib.sha256(session_id.encode()).hexdigest()[:16]}"
        environ = {**environ, "QUERY_STRING": urlencode({"token": bound})}
        if not _VERSION.fullmatch(environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL", "")):
            environ.pop("HTTP_SEC_WEBSOCKET_PROTOCOL", None)
        try:
            await super().on_connect(sid, environ, _parse_opening(auth))
        except Exception:
            self._forget(sid)
            raise

    def on_disconnect(self, sid: str) -> asyncio.Task[Any] | None:
        self._forget(sid)
        return super().on_disconnect(sid)

    async def on_event(self, sid: str, data: Any) -> None:
        """Pass on valid events whose handler has a policy; answer others with one sentence, without logging them."""
        if sid not in self.sid_to_token:
            return
        place = "/"
        try:
            message = EventMessage.model_validate(data)
            place = message.router_data.asPath
            await self._enforce_policy(sid, message)
        except ValidationError:
            await self._answer(sid, rx.toast.error(Invalid.title))
        except Unauthorized as error:
            await self._answer(sid, rx.toast.error(error.title), rx.redirect(sign_in_path(urlsplit(place))))
        except Forbidden as error:
            await self._answer(sid, rx.toast.error(error.title))
        else:
            await super().on_event(sid, message.model_dump())

    def _build_static_router_data(self, sid: str, environ: dict[str, Any]) -> dict[str, Any]:
        """Drop headers that the app does not read: Reflex sends them to the page, and a proxy may have put secrets there."""
        router_data = super()._build_static_router_data(sid, environ)
        headers = router_data[RouteVar.HEADERS]
        return {**router_data, RouteVar.HEADERS: {name: headers[name] for name in _HEADERS if name in headers}}

    async def _enforce_policy(self, sid: str, message: EventMessage) -> None:
        registered = RegistrationContext.get().event_handlers.get(message.name)
        function = registered.handler.fn if registered else None
        if hasattr(function, "__policy__"):
            return
        payload = FRAMEWORK.get(getattr(function, "__qualname__", ""))
        if payload is None:
            raise Forbidden
        message.payload = payload.model_validate(message.payload).model_dump()
        if payload is Hydrate and await self._session_id_of(self._static_router_data[sid]) != self._opened_by[sid]:
            raise Unauthorized
        if payload is Report:
            self._reports[sid] += 1
            if self._reports[sid] > _MAX_REPORTS:
                raise Forbidden

    async def _session_id_of(self, router_data: dict[str, Any]) -> str:
        """Return the id of the current session, or ""."""
        try:
            return (await authenticate(HeaderData.from_router_data(router_data))).session_id
        except Unauthorized:
            return ""

    async def _answer(self, sid: str, *events: EventSpec) -> None:
        await self.emit_update(StateUpdate(events=Event.from_event_type(list(events))), self.sid_to_token[sid])

    def _forget(self, sid: str) -> None:
        self._opened_by.pop(sid, None)
        self._reports.pop(sid, None)


def _parse_opening(auth: Any) -> dict[str, Any] | None:
    try:
        return ConnectMessage.model_validate(auth).model_dump(exclude_none=True)
    except ValidationError:
        return None


def guard_events(app: rx.App) -> None:
    """Install the validation in ``app``, before it serves."""
    if app.sio is None or app.event_namespace is None:
        raise RuntimeError("the app has no websocket")
    app._event_namespace = GuardedEventNamespace(app.event_namespace.namespace, app)
    app.sio.register_namespace(app.event_namespace)
