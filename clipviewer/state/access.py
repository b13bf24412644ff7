"""The one door of the event handlers: every event looks the session up again, whatever the socket was opened with."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_type_hints
from urllib.parse import quote

import reflex as rx
from pydantic import ConfigDict, Strict, StringConstraints, TypeAdapter, ValidationError
from reflex.istate.data import HeaderData

from clipviewer.domain.permissions import Action
from clipviewer.errors import ClipviewerError, Forbidden, Invalid, Unauthorized
from clipviewer.services import audit
from clipviewer.services.container import installed
from clipviewer.services.people.principal import Principal

P = ParamSpec("P")
S = TypeVar("S", bound=rx.State)
_LOG = logging.getLogger(__name__)
_TEXT = Annotated[str, Strict(), StringConstraints(max_length=2000, pattern=r"\A[^\x00]*\z")]


def allow(
    action: Action,
) -> Callable[[Callable[Concatenate[S, P], Awaitable[Any]]], Callable[Concatenate[S, P], Awaitable[Any]]]:
    """Let an event handler run only for a signed-in person whose role allows ``action``.

    Stands below ``@rx.event``. Arguments are held to their annotations, since a browser may send anything. Expected errors become a
    toast; a missing session leads to the sign-in page and back.
    """

    def decorate(handler: Callable[Concatenate[S, P], Awaitable[Any]]) -> Callable[Concatenate[S, P], Awaitable[Any]]:
        adapters = argument_adapters(handler)

        @wraps(handler)
        async def through_the_door(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                await asyncio.to_thread(_admit, self.router, action, handler.__qualname__)
                given = dict(zip(adapters, args, strict=False)) | kwargs
                return await handler(self, **checked_arguments(adapters, given))  # type: ignore[call-arg]
            except Unauthorized as error:
                return [rx.toast.error(error.title), rx.redirect(sign_in_path(self.router.url))]
            except ClipviewerError as error:
                if error.status >= 500:
                    _LOG.warning("%s: %s", handler.__qualname__, error.code)
                return rx.toast.error(error.detail)

        # Reflex converts arguments by these and logs whatever does not fit, word for word; the adapters have them already.
        through_the_door.__annotations__ = {}
        through_the_door.__policy__ = action  # type: ignore[attr-defined]
        return through_the_door

    return decorate


def argument_adapters(handler: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """What each argument of ``handler`` (after ``self``) must be: nothing is converted, texts are short and hold no NUL."""
    hints = get_type_hints(handler)
    adapters: dict[str, TypeAdapter[Any]] = {}
    for name in list(inspect.signature(handler).parameters)[1:]:
        if hints[name] is str:
            adapters[name] = TypeAdapter(_TEXT)
        else:
            adapters[name] = TypeAdapter(hints[name], config=ConfigDict(strict=True))
    return adapters


def checked_arguments(adapters: Mapping[str, TypeAdapter[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """``given``, if it is exactly what the handler takes; else ``Invalid``, which names no value."""
    try:
        if given.keys() == adapters.keys():
            return {name: adapter.validate_python(given[name]) for name, adapter in adapters.items()}
    except ValidationError:
        pass
    raise Invalid


def authenticate(headers: HeaderData) -> Principal:
    """Who opened the websocket, now; raises ``Unauthorized``. The use of the session is written down. Blocks: call it from a thread."""
    services = installed()
    with services.database.read() as db:
        verified = services.sessions.verify(db, headers.cookie, secure=headers.origin.startswith("https:"))
    if verified.stale:
        with services.database.write() as db:
            services.sessions.touch(db, verified.principal)
    return verified.principal


def origin_of(state: rx.State) -> str:
    """``scheme://host`` by which the browser came; the guard has already held the Origin header to the Host header."""
    headers = state.router.headers
    return headers.origin or f"http://{headers.host}"


def sign_in_path(url: Any) -> str:
    """The sign-in page that leads back to the present one."""
    here = url.path + (f"?{url.query}" if url.query else "")
    return f"/sign-in?next={quote(here, safe='')}"


def _admit(router: Any, action: Action, subject: str) -> Principal:
    principal = authenticate(router.headers)
    try:
        principal.require(action)
    except Forbidden:
        with installed().database.write() as db:
            where = router.session.client_ip
            audit.record(
                db, "denied", actor=principal.user_id, subject=subject, address=where, wanted=str(action), role=str(principal.role)
            )
        raise
    return principal
