"""Every route × every kind of caller; generated from the registered routes, so that no new one is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlmodel import select

from clipviewer.api.access import PUBLIC, Policy, allow, policies_of, public
from clipviewer.api.security_schemes import api_routes
from clipviewer.db.models import AuditEntry, UserSession
from clipviewer.domain.permissions import Action, Role, allows
from clipviewer.services.container import Services
from clipviewer.services.people.principal import Principal
from tests.api.conftest import Person

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
REFUSALS = {401, 403}


def problems_of_policy(route: APIRoute) -> str | None:
    policies = policies_of(route)
    return None if len(policies) == 1 else f"{sorted(route.methods)} {route.path} states {len(policies)} policies"


def status_of(client: TestClient, route: APIRoute, method: str, headers: dict[str, str]) -> int:
    filled = {
        "{video_id}": "video_none",
        "{job_id}": "job_none",
        "{clip_id}": "clip_none",
        "{language}": "de",
        "{upload_id}": "upload_none",
        "{work_id}": "work_none",
    }
    path = route.path
    for name, value in filled.items():
        path = path.replace(name, value)
    assert "{" not in path, f"the matrix does not know how to fill {path}"
    return client.request(method, path, headers=headers, json={}).status_code


def expected(policy: Policy, role: Role | None, *, pipeline: bool = False) -> bool:
    """Return whether the policy admits this caller."""
    if policy == PUBLIC:
        return True
    if pipeline:
        return policy.pipelines
    return role is not None and policy.action is not None and allows(role, policy.action)


def test_the_description_says_who_may_call_what(api: FastAPI) -> None:
    description = api.openapi()
    schemes = description["components"]["securitySchemes"]
    assert (schemes["session"]["in"], schemes["token"]["scheme"]) == ("cookie", "bearer")
    for route in api_routes(api.routes):
        (policy,) = policies_of(route)
        people = [{"session": []}, {"secureSession": []}]
        wanted = [] if policy == PUBLIC else [*people, {"token": []}] if policy.pipelines else people
        for method in route.methods if route.include_in_schema else ():
            operation = description["paths"][route.path][method.lower()]
            assert operation["security"] == wanted
            assert ("401" in operation["responses"]) or not wanted


def test_every_route_states_exactly_one_policy(api: FastAPI) -> None:
    routes = api_routes(list(api.routes))
    assert len(routes) >= 8
    assert [problem for route in routes if (problem := problems_of_policy(route))] == []


def test_a_route_without_a_policy_or_with_two_is_caught(api: FastAPI) -> None:
    @api.get("/api/forgotten")
    def forgotten() -> None: ...

    @api.get("/api/torn", dependencies=[Depends(public()), Depends(allow(Action.VIEW))])
    def torn() -> None: ...

    caught = [route.path for route in api_routes(list(api.routes)) if problems_of_policy(route)]
    assert caught == ["/api/forgotten", "/api/torn"]


def test_the_policy_alone_decides_who_is_admitted(
    api: FastAPI, client: TestClient, services: Services, person: Callable[..., Person], token: dict[str, str]
) -> None:
    disabled = person(Role.ADMIN)
    person(Role.ADMIN)
    with services.database.write() as db:
        services.accounts.disable(db, disabled.id)
    wrong = []
    for route in api_routes(list(api.routes)):
        (policy,) = policies_of(route)
        askers: list[tuple[str, dict[str, str], bool]] = [
            ("anonymous", {}, expected(policy, None)),
            ("disabled", disabled.cookie, expected(policy, None)),
            ("wrong token", {"Authorization": "Bearer cv_" + "x" * 43}, expected(policy, None)),
            ("pipeline", token, expected(policy, None, pipeline=True)),
            *((role, person(role).cookie, expected(policy, role)) for role in Role),
        ]
        for method in route.methods:
            for name, headers, welcome in askers:
                status = status_of(client, route, method, headers)
                public_refusal = policy == PUBLIC and status in REFUSALS
                assert not public_refusal, f"{method} {route.path} is public and refuses {name}"
                if (status not in REFUSALS) != welcome:
                    wrong.append(f"{method} {route.path}: {name} got {status}")
    assert wrong == []


def test_anonymous_gets_401_and_a_low_role_403(client: TestClient, person: Callable[..., Person]) -> None:
    path = "/api/clips/videos"
    assert client.post(path, json={}).status_code == 401
    assert client.post(path, json={}, headers=person(Role.REVIEWER).cookie).status_code == 403


def test_a_denial_is_an_audit_row(client: TestClient, services: Services, person: Callable[..., Person]) -> None:
    viewer = person(Role.VIEWER)
    client.post("/api/clips/videos", json={}, headers=viewer.cookie)
    with services.database.read() as db:
        (entry,) = db.exec(select(AuditEntry).where(AuditEntry.action == "denied"))
    assert (entry.actor, entry.subject) == (viewer.id, "POST /api/clips/videos")


def test_a_new_role_applies_from_the_next_request(client: TestClient, services: Services, person: Callable[..., Person]) -> None:
    person(Role.ADMIN)
    admin = person(Role.ADMIN)
    assert client.post("/api/clips/videos", json={}, headers=admin.cookie).status_code == 422
    with services.database.write() as db:
        services.accounts.set_role(db, admin.id, Role.VIEWER)
    assert client.post("/api/clips/videos", json={}, headers=admin.cookie).status_code == 403


def test_a_disabled_or_deleted_user_is_out_at_the_next_request(
    client: TestClient, services: Services, person: Callable[..., Person]
) -> None:
    disabled, deleted = person(), person()
    assert client.get("/api/auth/session", headers=disabled.cookie).status_code == 200
    with services.database.write() as db:
        services.accounts.disable(db, disabled.id)
        services.accounts.delete(db, deleted.id)
    assert client.get("/api/auth/session", headers=disabled.cookie).status_code == 401
    assert client.get("/api/auth/session", headers=deleted.cookie).status_code == 401


def test_an_api_token_opens_nothing_but_registration_even_beside_a_cookie(
    client: TestClient, person: Callable[..., Person], token: dict[str, str]
) -> None:
    assert client.get("/api/auth/session", headers=token).status_code == 401
    admin = person(Role.ADMIN)
    spoiled = {**admin.cookie, "Authorization": "Bearer cv_" + "x" * 43}
    assert client.post("/api/clips/videos", json={}, headers=spoiled).status_code == 401


def test_many_requests_of_stale_sessions_at_once_do_not_starve_each_other(
    api: FastAPI, services: Services, person: Callable[..., Person]
) -> None:
    ada = person()
    with services.database.write() as db:
        db.get_one(UserSession, ada.session_id).last_seen_at -= timedelta(minutes=5)
    headers = [(b"cookie", ada.cookie["Cookie"].encode())]
    scope = {"type": "http", "app": api, "method": "GET", "path": "/", "query_string": b"", "headers": headers, "server": ("t", 80)}
    check = allow(Action.VIEW)

    async def ask_all() -> list[Principal]:
        return await asyncio.wait_for(asyncio.gather(*(check(Request(dict(scope))) for _ in range(40))), 30)

    assert {principal.user_id for principal in asyncio.run(ask_all())} == {ada.id}


def test_the_session_is_looked_up_once_for_each_request(client: TestClient, services: Services, person: Callable[..., Person]) -> None:
    headers = person(Role.ADMIN).cookie
    statements: list[str] = []
    event.listen(services.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for method, path in (("GET", "/api/clips/videos"), ("DELETE", "/api/clips/videos/video_1?objects=keep"), ("GET", "/api/auth/session")):
        statements.clear()
        client.request(method, path, headers=headers)
        assert sum("user_session" in statement for statement in statements) == 1


def test_authorization_is_checked_before_validation(client: TestClient, person: Callable[..., Person]) -> None:
    path = "/api/clips/videos?limit=none"
    assert client.get(path).status_code == 401
    assert client.get(path, headers=person().cookie).status_code == 422
    assert client.post("/api/clips/videos/video_1/export", content=b"{", headers=person().cookie).status_code == 403
