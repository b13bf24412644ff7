"""Routes whose synchronous endpoints run in the database's threads, each in one transaction.

Such an endpoint takes its session as ``db: Reading`` or ``db: Writing``. For a reading one, access is checked in the same transaction, so
that a request needs a thread only once; for a writing one it is checked before, so that nobody without permission holds the write lock.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import Parameter, iscoroutinefunction, signature
from typing import Annotated, Any, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlmodel import Session

from clipviewer.api.access import Policy, admit, marked, policy_of, services_of
from clipviewer.api.json_bodies import answer, refuse_unread_fields

Endpoint = Callable[..., Any]
Reading = Annotated[Session, "reads"]
Writing = Annotated[Session, "writes"]
_REQUEST = "request"


class DatabaseRoute(APIRoute):
    """Raises ``TypeError`` for a synchronous endpoint without exactly one session, and for a reading one without exactly one policy."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        if iscoroutinefunction(endpoint):
            _take_inside_policy(endpoint, options)
        else:
            hints = get_type_hints(endpoint, include_extras=True)
            sessions = [name for name, hint in hints.items() if hint in (Reading, Writing)]
            if len(sessions) != 1:
                raise TypeError(
                    f"{endpoint.__qualname__} is synchronous: it needs one parameter of type Reading or Writing, or to be async"
                )
            status = options.get("status_code") or 200
            if hints[sessions[0]] == Reading:
                endpoint = _wrap_reading(endpoint, hints, sessions[0], status, options)
            else:
                endpoint = _wrap_writing(endpoint, hints, sessions[0], status)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, policy = super().get_route_handler(), policy_of(self.endpoint)
        if policy is None or policy.inside:
            return handle

        async def handle_or_refuse(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError:
                await admit(request, policy, lambda _db, _visitor: None)  # unauthorized callers learn nothing about their body
                raise

        return handle_or_refuse


def _take_inside_policy(endpoint: Endpoint, options: dict[str, Any]) -> None:
    """Move the policy of an endpoint that checks it itself from the dependencies, which cost 45 µs each, to the endpoint."""
    dependencies = list(options.get("dependencies") or ())
    inside = [policy for depends in dependencies if (policy := policy_of(depends.dependency)) is not None and policy.inside]
    if len(inside) == len(dependencies) == 1:
        marked(endpoint, inside[0])
        options["dependencies"] = []


def _wrap_reading(endpoint: Endpoint, hints: dict[str, Any], session: str, status: int, options: dict[str, Any]) -> Endpoint:
    """Remove the policy from the dependencies, and check it in the endpoint's own transaction."""
    dependencies = list(options.get("dependencies") or ())
    stated = [policy for depends in dependencies if (policy := policy_of(depends.dependency)) is not None]
    visitors = {name: policy for name, hint in hints.items() if (policy := _policy_of_parameter(hint)) is not None}
    policies = [*stated, *visitors.values()]
    if len(policies) != 1:
        raise TypeError(f"{endpoint.__qualname__} states {len(policies)} policies")
    (policy,) = policies
    options["dependencies"] = [depends for depends in dependencies if policy_of(depends.dependency) is None]
    wants_request = _REQUEST in hints

    @wraps(endpoint)
    async def run(request: Request, **values: Any) -> Any:
        if wants_request:
            values[_REQUEST] = request
        await refuse_unread_fields(request)
        return await admit(
            request,
            policy,
            lambda db, visitor: _serialize(endpoint(**values, **{session: db}, **dict.fromkeys(visitors, visitor)), status),
        )

    return marked(_with_signature(run, endpoint, hints, {session, *visitors}), policy)


def _wrap_writing(endpoint: Endpoint, hints: dict[str, Any], session: str, status: int) -> Endpoint:
    wants_request = _REQUEST in hints

    @wraps(endpoint)
    async def run(request: Request, **values: Any) -> Any:
        if wants_request:
            values[_REQUEST] = request
        return await services_of(request).database.run_write(lambda db: _serialize(endpoint(**values, **{session: db}), status))

    return _with_signature(run, endpoint, hints, {session})


def _policy_of_parameter(hint: Any) -> Policy | None:
    """Return the policy of a parameter that is declared as ``Annotated[…, Depends(allow(…))]``."""
    depends = (part.dependency for part in getattr(hint, "__metadata__", ()) if isinstance(part, Depends))
    return next((policy for call in depends if (policy := policy_of(call)) is not None), None)


def _with_signature(run: Endpoint, endpoint: Endpoint, hints: dict[str, Any], left_out: set[str]) -> Endpoint:
    """Give FastAPI the signature that it has to fill: the parameters of ``endpoint``, and the request."""
    known = signature(endpoint)
    kept = [one.replace(annotation=hints[name]) for name, one in known.parameters.items() if name not in left_out | {_REQUEST}]
    request = Parameter(_REQUEST, Parameter.KEYWORD_ONLY, annotation=Request)
    parameters = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in kept]
    setattr(run, "__signature__", known.replace(parameters=[*parameters, request], return_annotation=hints["return"]))  # noqa: B010
    return run


def _serialize(result: Any, status: int) -> Any:
    """Serialize in the thread: a list of thousands would block the event loop."""
    return answer(result, status) if isinstance(result, BaseModel) else result
