"""The one door of the event handlers: every event looks the session up again, whatever the socket was opened with."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, get_type_hints
from urllib.parse import quote

import reflex as rx
from pydantic import ConfigDict, TypeAdapter, ValidationError

from clipviewer.domain.permissions import Action
from clipviewer.errors import ClipviewerError, Invalid, Unauthorized
from clipviewer.services.container import installed
from clipviewer.services.principal import Principal

P = ParamSpec("P")
S = TypeVar("S", bound=rx.State)
_LOG = logging.getLogger(__name__)
_STRICT = ConfigDict(strict=True)


def allow(
    action: Action,
) -> Callable[[Callable[Concatenate[S, P], Awaitable[Any]]], Callable[Concatenate[S, P], Awaitable[Any]]]:
    """Let an event handler run only for a signed-in person whose role allows ``action``.

    Stands below ``@rx.event``. Arguments are held to their annotations, since a browser may send anything. Expected errors become a
    toast; a missing session leads to the sign-in page and back.
    """

    def decorate(handler: Callable[Concatenate[S, P], Awaitable[Any]]) -> Callable[Concatenate[S, P], Awaitable[Any]]:
        hints = get_type_hints(handler)
        names = list(inspect.signature(handler).parameters)[1:]
        adapters = [TypeAdapter(hints[name], config=_STRICT if hints[name] in (str, int, bool) else None) for name in names]

        @wraps(handler)
        async def through_the_door(self: S, *args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                principal = await asyncio.to_thread(authenticate, self.router.headers.cookie, secure=origin_of(self).startswith("https:"))
                principal.require(action)
                given = [*args, *(kwargs[name] for name in names[len(args) :] if name in kwargs)]
                checked = [_checked(adapter, value) for adapter, value in zip(adapters, given, strict=False)]
                return await handler(self, *checked)  # type: ignore[call-arg]
            except Unauthorized as error:
                return [rx.toast.error(error.title, id=error.code), rx.redirect(sign_in_path(self.router.url))]
            except ClipviewerError as error:
                return rx.toast.error(error.title)

        through_the_door.__policy__ = action  # type: ignore[attr-defined]
        return through_the_door

    return decorate


def authenticate(cookie_header: str, *, secure: bool) -> Principal:
    """Who holds this cookie; raises ``Unauthorized``. Blocks: call it from a thread."""
    services = installed()
    with services.database.read() as db:
        return services.sessions.authenticate(db, cookie_header, secure=secure)


def origin_of(state: rx.State) -> str:
    """``scheme://host`` by which the browser came; the guard has already held the Origin header to the Host header."""
    headers = state.router.headers
    return headers.origin or f"http://{headers.host}"


def sign_in_path(url: Any) -> str:
    """The sign-in page that leads back to the present one."""
    here = url.path + (f"?{url.query}" if url.query else "")
    return f"/sign-in?next={quote(here, safe='')}"


def _checked(adapter: TypeAdapter[Any], value: Any) -> Any:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        _LOG.warning("an event had arguments of the wrong shape")
        raise Invalid from error
