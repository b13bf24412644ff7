"""Routes whose synchronous endpoints run in the database's threads, each in one transaction.

Such an endpoint takes its session as ``db: Reading`` or ``db: Writing``. What reads is checked for access in the same transaction, so
that a request takes one turn of a thread; what writes is checked before, so that nobody who may not write ever holds the write lock.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from typing import Annotated, Any, get_type_hints

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlmodel import Session

from clipviewer.api.access import LATE, LateCheck, Visitor, services_of
from clipviewer.api.json_bodies import answer

Endpoint = Callable[..., Any]


async def _late_check(request: Request) -> LateCheck:
    check: LateCheck = request.state.late_check
    return check


async def _request(request: Request) -> Request:
    return request


Reading = Annotated[Session, Depends(_late_check)]
Writing = Annotated[Session, Depends(_request)]


class DatabaseRoute(APIRoute):
    """Raises ``TypeError`` for a synchronous endpoint without exactly one session: it would have no thread to run in."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        self._checks_late = False
        if not iscoroutinefunction(endpoint):
            name, self._checks_late = _session_of(endpoint)
            run = _reading if self._checks_late else _writing
            endpoint = run(endpoint, name, options.get("status_code") or 200)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if not self._checks_late:
            return handle

        async def handle_with_late_check(request: Request) -> Response:
            check = request.state.late_check = LateCheck(request)
            try:
                return await handle(request)
            except RequestValidationError:
                await check.admit(lambda _db, _visitor: None)  # whoever may not come in is told that, and nothing else
                raise

        return handle_with_late_check


def _session_of(endpoint: Endpoint) -> tuple[str, bool]:
    """Return the name of the parameter that is the session, and whether it only reads."""
    hints = get_type_hints(endpoint, include_extras=True)
    found = [(name, hint == Reading) for name, hint in hints.items() if hint in (Reading, Writing)]
    if len(found) != 1:
        raise TypeError(f"{endpoint.__qualname__} is synchronous: it needs one parameter of type Reading or Writing, or to be async")
    return found[0]


def _reading(endpoint: Endpoint, session: str, status: int) -> Endpoint:
    @wraps(endpoint)
    async def run(**values: Any) -> Any:
        def work(db: Session, visitor: Visitor) -> Any:
            known = {name: visitor if value is LATE else value for name, value in values.items()}
            return _finished(endpoint(**{**known, session: db}), status)

        check: LateCheck = values[session]
        return await check.admit(work)

    return run


def _writing(endpoint: Endpoint, session: str, status: int) -> Endpoint:
    @wraps(endpoint)
    async def run(**values: Any) -> Any:
        database = services_of(values[session]).database
        return await database.run_write(lambda db: _finished(endpoint(**{**values, session: db}), status))

    return run


def _finished(result: Any, status: int) -> Any:
    """Serialize in the thread, since the event loop has better to do with a list of thousands."""
    return answer(result, status) if isinstance(result, BaseModel) else result
