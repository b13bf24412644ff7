"""Access control of event handlers: every event validates the session again, whatever session opened the websocket."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_type_hints

import reflex as rx
from pydantic import ConfigDict, Strict, StringConstraints, TypeAdapter, ValidationError
from reflex.istate.data import HeaderData, RouterData

from clipviewer.domain.permissions import Action
from clipviewer.errors import ClipviewerError, Forbidden, Invalid, Unauthorized
from clipviewer.services import audit
from clipviewer.services.container import installed
from clipviewer.services.people.principal import Principal
from clipviewer.state.page_address import sign_in_path
from clipviewer.state.transactions import read, write

P = ParamSpec("P")
S = TypeVar("S", bound=rx.State)
_LOG = logging.getLogger(__name__)
_TEXT = Annotated[str, Strict(), StringConstraints(max_length=2000, pattern=r"\A[^\x00]*\z")]
_PRINCIPAL: ContextVar[Principal] = ContextVar("principal")


def allow(
    action: Action,
) -> Callable[[Callable[Concatenate[S, P], Awaitable[Any]]], Callable[Concatenate[S, P], Awaitable[Any]]]:
    """Let an event handler run only for a signed-in person whose role allows ``action``.

    Goes below ``@rx.event``. Inside the handler ``principal()`` is that person. Arguments are validated against the annotations, since a
    browser may send anything. Expected errors become a toast; without a session the browser goes to the sign-in page and back.
    """

    def decorate(handler: Callable[Concatenate[S, P], Awaitable[Any]]) -> Callable[Concatenate[S, P], Awaitable[Any]]:
        adapters = argument_adapters(handler)

        @wraps(handler)
        async def guarded_handler(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                admitted = _PRINCIPAL.set(await _admit(self.router, action, handler.__qualname__))
                try:
                    given = dict(zip(adapters, args, strict=False)) | kwargs
                    return await handler(self, **checked_arguments(adapters, given))  # type: ignore[call-arg]
                finally:
                    _PRINCIPAL.reset(admitted)
            except Unauthorized as error:
                return [rx.toast.error(error.title), rx.redirect(sign_in_path(self.router.url))]
            except ClipviewerError as error:
                if error.status >= 500:
                    _LOG.warning("%s: %s", handler.__qualname__, error.code)
                return rx.toast.error(error.detail)

        # Reflex would convert arguments by these and log verbatim what does not fit; the adapters validate them instead.
        guarded_handler.__annotations__ = {}
        guarded_handler.__policy__ = action  # type: ignore[attr-defined]
        return guarded_handler

    return decorate


def argument_adapters(handler: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """Return a strict validator for each argument of ``handler`` after ``self``; texts are short and contain no NUL."""
    hints = get_type_hints(handler)
    adapters: dict[str, TypeAdapter[Any]] = {}
    for name in list(inspect.signature(handler).parameters)[1:]:
        if hints[name] is str:
            adapters[name] = TypeAdapter(_TEXT)
        else:
            adapters[name] = TypeAdapter(hints[name], config=ConfigDict(strict=True))
    return adapters


def checked_arguments(adapters: Mapping[str, TypeAdapter[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``given`` if it matches the handler's arguments exactly. Raises ``Invalid``, which reveals no value."""
    try:
        if given.keys() == adapters.keys():
            return {name: adapter.validate_python(given[name]) for name, adapter in adapters.items()}
    except ValidationError:
        pass
    raise Invalid


def principal() -> Principal:
    """Return who sent the event that is being handled. Raises ``LookupError`` outside of a handler.

    The principal belongs to the task of that event alone: no state holds it, so it can neither reach a page nor outlive the event.
    """
    return _PRINCIPAL.get()


async def authenticate(headers: HeaderData) -> Principal:
    """Return who opened the websocket, validated now, and record the use of the session. Raises ``Unauthorized``."""
    sessions = installed().sessions
    verified = await read(lambda db: sessions.verify(db, headers.cookie, secure=headers.origin.startswith("https:")))
    if verified.stale:
        await write(lambda db: sessions.touch(db, verified.principal))
    return verified.principal


async def _admit(router: RouterData, action: Action, subject: str) -> Principal:
    """Return who sent the event; record a denied one in the audit log. Raises ``Unauthorized``, ``Forbidden``."""
    found = await authenticate(router.headers)
    try:
        found.require(action)
    except Forbidden:
        where = router.session.client_ip
        wanted, role = str(action), str(found.role)
        await write(lambda db: audit.record(db, "denied", actor=found.user_id, subject=subject, address=where, wanted=wanted, role=role))
        raise
    return found
