"""The one door of the API: every route states one policy, and the policy looks up anew who is asking.

``Depends(allow(Action.VIEW))`` gives the ``Principal``; ``Depends(pipeline_or(Action.REGISTER))`` a ``Pipeline`` or a ``Principal``;
``Depends(public())`` lets everybody in. A route in a hurry states ``@inside(Action.VIEW)`` and calls ``principal_of`` itself, in the one
thread hop and transaction that it makes anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlmodel import Session

from clipviewer.domain.permissions import Action
from clipviewer.errors import Forbidden
from clipviewer.services import audit
from clipviewer.services.people.principal import Pipeline, Principal

if TYPE_CHECKING:
    from clipviewer.services.container import Services

_MARK = "__policy__"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may come in: everybody without an ``action``, else the roles that allow it, and pipelines where it says so."""

    action: Action | None = None
    pipelines: bool = False


PUBLIC = Policy()


def services_of(request: Request) -> Services:
    return cast("Services", request.app.state.services)


def is_secure(request: Request) -> bool:
    """Whether the browser came by HTTPS, as far as the server knows."""
    return request.url.scheme == "https"


def peer_address(request: Request) -> str:
    """The peer's address; what a header claims counts only where the server was told to trust its proxy."""
    return request.client.host if request.client else ""


def origin_of(request: Request) -> str | None:
    """``scheme://host`` by which the browser came."""
    host = request.headers.get("host")
    return f"{request.scope['scheme']}://{host}" if host else None


def principal_of(db: Session, request: Request, action: Action) -> Principal:
    """Who is asking, if their role allows ``action``. One query. Blocks: call it from a thread.

    ``db`` only reads, and this comes first: what the door has to write goes into a transaction of its own. Raises ``Unauthorized``, or
    ``Forbidden`` after writing the denial down.
    """
    services = services_of(request)
    verified = services.sessions.verify(db, request.headers.get("cookie"), secure=is_secure(request))
    if verified.stale:
        with _writing(services, db) as writing:
            services.sessions.touch(writing, verified.principal)
    try:
        verified.principal.require(action)
    except Forbidden:
        with _writing(services, db) as writing:
            _write_down_denial(writing, request, verified.principal, action)
        raise
    return verified.principal


def pipeline_or_principal_of(db: Session, request: Request, action: Action) -> Pipeline | Principal:
    """The pipeline behind ``Authorization``, else as ``principal_of``. A wrong token is refused even if there is a good cookie."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        return principal_of(db, request, action)
    services = services_of(request)
    verified = services.api_tokens.verify(db, authorization)
    if verified.stale:
        with _writing(services, db) as writing:
            services.api_tokens.touch(writing, verified.pipeline)
    return verified.pipeline


def allow(action: Action) -> Callable[[Request], Principal]:
    """A dependency: the signed-in person, whose role allows the action."""

    def signed_in(request: Request) -> Principal:
        with services_of(request).database.read() as db:
            return principal_of(db, request, action)

    return _marked(signed_in, Policy(action))


def pipeline_or(action: Action) -> Callable[[Request], Pipeline | Principal]:
    """A dependency: an API token's pipeline, or a signed-in person whose role allows the action."""

    def pipeline_or_signed_in(request: Request) -> Pipeline | Principal:
        with services_of(request).database.read() as db:
            return pipeline_or_principal_of(db, request, action)

    return _marked(pipeline_or_signed_in, Policy(action, pipelines=True))


def public() -> Callable[[], Any]:
    """A dependency that states: everybody may."""

    async def everybody() -> None:
        return

    return _marked(everybody, PUBLIC)


def inside(action: Action, *, pipelines: bool = False) -> Callable[[_Endpoint], _Endpoint]:
    """States the policy of an endpoint that calls ``principal_of`` or ``pipeline_or_principal_of`` itself."""
    return lambda endpoint: _marked(endpoint, Policy(action, pipelines))


def policies_of(route: APIRoute) -> list[Policy]:
    """Every policy that a route states; it should be exactly one."""
    return [policy for call in (route.endpoint, *_calls(route.dependant)) if (policy := getattr(call, _MARK, None)) is not None]


def _calls(dependant: Dependant) -> list[Any]:
    return [call for inner in dependant.dependencies for call in (inner.call, *_calls(inner))]


def _marked(endpoint: _Endpoint, policy: Policy) -> _Endpoint:
    setattr(endpoint, _MARK, policy)
    return endpoint


@contextmanager
def _writing(services: Services, db: Session) -> Iterator[Session]:
    """A transaction beside the reading ``db``, whose connection goes back first.

    Requests that each hold one connection and wait for a second would starve each other once there are as many as connections.
    """
    db.rollback()
    with services.database.write() as writing:
        yield writing


def _write_down_denial(db: Session, request: Request, who: Principal, action: Action) -> None:
    path = f"{request.method} {request.url.path}"
    audit.record(db, "denied", actor=who.user_id, subject=path, address=peer_address(request), wanted=str(action), role=str(who.role))
