"""Where routes do their work: database work in the database's threads, blocking work in separate threads, nothing elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import BaseModel
from sqlalchemy import text

from clipviewer.api.access import allow, public
from clipviewer.api.database_route import DatabaseRoute, Reading, Writing
from clipviewer.domain.permissions import Action
from clipviewer.services.container import Services
from tests.api.conftest import Person
from tests.api.test_access_matrix import api_routes

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Where(BaseModel):
    thread: str


def calls_of(dependant: Dependant) -> list[Any]:
    return [dependant.call, *(call for inner in dependant.dependencies for call in calls_of(inner))]


def runs_elsewhere(route: APIRoute) -> list[str]:
    """Return every synchronous endpoint and dependency of the route, which the framework would run in its own threads."""
    return [f"{route.path}: {call.__qualname__}" for call in calls_of(route.dependant) if not iscoroutinefunction(call)]


def test_no_route_and_no_dependency_runs_in_threads_of_the_framework(api: FastAPI) -> None:
    routes = api_routes(list(api.routes))
    assert len(routes) > 40
    assert [call for route in routes for call in runs_elsewhere(route)] == []


def test_a_route_in_framework_threads_is_detected(api: FastAPI) -> None:
    def synchronous() -> None: ...

    @api.get("/api/plain", dependencies=[Depends(public())])
    def plain() -> None: ...

    @api.get("/api/depending", dependencies=[Depends(synchronous)])
    async def depending() -> None: ...

    caught = [call for route in api_routes(list(api.routes)) for call in runs_elsewhere(route)]
    assert [call.partition(":")[0] for call in caught] == ["/api/plain", "/api/depending"]


@pytest.mark.usefixtures("database")
def test_a_synchronous_endpoint_without_a_session_is_refused_at_once() -> None:
    router = APIRouter(route_class=DatabaseRoute)
    with pytest.raises(TypeError, match="forgetful"):

        @router.get("/forgetful")
        def forgetful(request: Request) -> None: ...


@pytest.fixture
def where(api: FastAPI, services: Services) -> TestClient:
    router = APIRouter(route_class=DatabaseRoute)

    @router.get("/reading", dependencies=[Depends(allow(Action.VIEW))])
    def reading(db: Reading) -> Where:
        return Where(thread=threading.current_thread().name)

    @router.post("/writing", dependencies=[Depends(allow(Action.VIEW))], status_code=201)
    def writing(db: Writing) -> Where:
        db.connection().execute(text("DELETE FROM video"))
        return Where(thread=threading.current_thread().name)

    api.include_router(router)
    return TestClient(api, raise_server_exceptions=False)


def test_reads_and_writes_run_in_the_databases_threads(where: TestClient, person: Callable[..., Person]) -> None:
    headers = person().cookie
    assert where.get("/reading", headers=headers).json()["thread"].startswith("database-read")
    written = where.post("/writing", headers=headers)
    assert written.status_code == 201
    assert written.json()["thread"].startswith("database-write")


def test_only_those_admitted_by_the_policy_get_in(where: TestClient) -> None:
    assert where.get("/reading").status_code == 401
    assert where.post("/writing").status_code == 401


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("policies", [[], [allow(Action.VIEW), allow(Action.EXPORT)]], ids=["none", "two"])
def test_an_endpoint_that_reads_without_exactly_one_policy_is_refused_at_once(policies: list[Any]) -> None:
    router = APIRouter(route_class=DatabaseRoute)
    with pytest.raises(TypeError, match="policies"):

        @router.get("/open", dependencies=[Depends(policy) for policy in policies])
        def without_policy(db: Reading) -> None: ...


def test_reading_goes_on_while_a_long_write_holds_the_lock(where: TestClient, services: Services, person: Callable[..., Person]) -> None:
    headers = person().cookie
    with services.database.write():
        assert where.get("/reading", headers=headers).status_code == 200
