"""Access policies of routes: each route declares one as a dependency, and the session is looked up once per request.

``Depends(allow(Action.VIEW))`` gives the ``Principal``; ``Depends(pipeline_or(Action.REGISTER))`` a ``Pipeline`` or a ``Principal``;
``Depends(public())`` lets everybody in. ``Depends(inside(Action.VIEW))`` is for an endpoint that calls ``admit`` itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlmodel import Session

from clipviewer.api.json_bodies import refuse_unread_fields
from clipviewer.domain.permissions import Action
from clipviewer.errors import Forbidden
from clipviewer.services import audit
from clipviewer.services.people.principal import Pipeline, Principal

if TYPE_CHECKING:
    from clipviewer.services.container import Services

T = TypeVar("T")
_MARK = "__policy__"
_Call = TypeVar("_Call", bound=Callable[..., Any])
Visitor = Principal | Pipeline | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The access policy of a route: open to everybody without an ``action``, else to roles that allow it, and to ``pipelines`` if set.

    ``inside``: the endpoint checks it itself.
    """

    action: Action | None = None
    pipelines: bool = False
    inside: bool = False


PUBLIC = Policy()


def services_of(request: Request) -> Services:
    return cast("Services", request.app.state.services)


def is_secure(request: Request) -> bool:
    """Return whether the browser came by HTTPS, as far as the server knows."""
    return request.url.scheme == "https"


def peer_address(request: Request) -> str:
    """Return the peer's address; forwarding headers count only if the server is configured to trust its proxy."""
    return request.client.host if request.client else ""


def origin_of(request: Request) -> str | None:
    """Return the ``scheme://host`` by which the browser came."""
    host = request.headers.get("host")
    return f"{request.scope['scheme']}://{host}" if host else None


async def admit(request: Request, policy: Policy, work: Callable[[Session, Visitor], T]) -> T:
    """Authorize the caller and run ``work(session, visitor)`` in one reading transaction; return its result.

    A wrong token is refused even with a good cookie. Raises ``Unauthorized``, or ``Forbidden`` after recording the denial.
    """
    database = services_of(request).database
    to_record: list[Callable[[Session], None]] = []
    try:
        return await database.run_read(lambda db: work(db, _check(db, request, policy, to_record)))
    finally:
        for record in to_record:
            await database.run_write(record)


def _check(db: Session, request: Request, policy: Policy, to_record: list[Callable[[Session], None]]) -> Visitor:
    """Return the caller, with one query. Writes that result from it are added to ``to_record``, since ``db`` only reads."""
    if policy.action is None:
        return None
    services = services_of(request)
    authorization = request.headers.get("authorization") if policy.pipelines else None
    if authorization is not None:
        token = services.api_tokens.verify(db, authorization)
        if token.stale:
            to_record.append(lambda db: services.api_tokens.touch(db, token.pipeline))
        return token.pipeline
    session = services.sessions.verify(db, request.headers.get("cookie"), secure=is_secure(request))
    principal, action = session.principal, policy.action
    if session.stale:
        to_record.append(lambda db: services.sessions.touch(db, principal))
    try:
        principal.require(action)
    except Forbidden:
        to_record.append(lambda db: _record_denial(db, request, principal, action))
        raise
    return principal


def allow(action: Action) -> Callable[[Request], Awaitable[Principal]]:
    """Return a dependency: the signed-in person, whose role allows the action."""
    policy = Policy(action)

    async def signed_in(request: Request) -> Principal:
        visitor = cast("Principal", await admit(request, policy, _visitor))
        await refuse_unread_fields(request)
        return visitor

    return marked(signed_in, policy)


def pipeline_or(action: Action) -> Callable[[Request], Awaitable[Pipeline | Principal]]:
    """Return a dependency: an API token's pipeline, or a signed-in person whose role allows the action."""
    policy = Policy(action, pipelines=True)

    async def pipeline_or_signed_in(request: Request) -> Pipeline | Principal:
        visitor = cast("Pipeline | Principal", await admit(request, policy, _visitor))
        await refuse_unread_fields(request)
        return visitor

    return marked(pipeline_or_signed_in, policy)


def public() -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that lets everybody in."""

    async def everybody(request: Request) -> None:
        await refuse_unread_fields(request)

    return marked(everybody, PUBLIC)


def inside(action: Action) -> Callable[[], Awaitable[None]]:
    """Return a dependency that states the policy of an endpoint that checks it itself."""

    async def checked_by_the_endpoint() -> None:
        return

    return marked(checked_by_the_endpoint, Policy(action, inside=True))


def policies_of(route: APIRoute) -> list[Policy]:
    """Return every policy that a route states; there should be exactly one."""
    return [policy for call in (route.endpoint, *_calls(route.dependant)) if (policy := policy_of(call)) is not None]


def policy_of(call: Any) -> Policy | None:
    """Return the policy that ``marked`` attached to a dependency or an endpoint."""
    policy: Policy | None = getattr(call, _MARK, None)
    return policy


def marked(call: _Call, policy: Policy) -> _Call:
    """Attach ``policy`` to a dependency or an endpoint that checks it, for ``policy_of``."""
    setattr(call, _MARK, policy)
    return call


def _calls(dependant: Dependant) -> list[Any]:
    return [call for inner in dependant.dependencies for call in (inner.call, *_calls(inner))]


def _visitor(_db: Session, visitor: Visitor) -> Visitor:
    return visitor


def _record_denial(db: Session, request: Request, who: Principal, action: Action) -> None:
    path = f"{request.method} {request.url.path}"
    audit.record(db, "denied", actor=who.user_id, subject=path, address=peer_address(request), wanted=str(action), role=str(who.role))
