"""The API against its own OpenAPI description: no input causes a server error or bypasses authentication."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import cycle
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings

from clipviewer.api.app import create_api
from clipviewer.db.models import ExportedClip, Video
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import COOKIE
from clipviewer.storage.s3 import ObjectStore
from tests.api.people import session_of
from tests.api.stores import running_bucket

if TYPE_CHECKING:
    from schemathesis import Case

FOR_EVERYBODY = {
    *(("GET", path) for path in ("/api/health", "/api/health/live", "/api/health/ready")),
    *(("POST", f"/api/auth/{name}") for name in ("sign-in", "sign-out", "set-up")),
}
"""Operations that declare no security; this list is the one place to widen it."""
MADE_UP = ({}, {"cookie": f"{COOKIE}=eyJhbGciOiJub25lIn0.e30."}, {"authorization": "Bearer cv_made_up"}, {"authorization": "Basic YTpi"})
EXAMPLES = settings(
    max_examples=settings().max_examples // 3,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with running_bucket("a secret key that only this bucket has", tmp_path_factory.mktemp("store")) as store:
        store.put("0", b"0", "video/mp4")
        yield store


@pytest.fixture
def api(services: Services, bucket: ObjectStore) -> FastAPI:
    services.settings.data_dir.mkdir()
    restore_video(services)
    port = urlsplit(bucket._client.meta.endpoint_url).port
    assert port is not None
    return create_api(dataclasses.replace(services, settings=dataclasses.replace(services.settings, port=port), store=bucket))


def security_of(description: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return the security schemes of every operation, by method and path. Every operation states them."""
    return {
        (method.upper(), path): [name for one in operation["security"] for name in one]
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    }


def restore_video(services: Services) -> None:
    """Restore the video with one exported clip, whatever was done to them."""
    with services.database.write() as db:
        db.merge(Video(id="video_0", title="0", s3_key="one.mp4"))
        db.flush()
        clip = {"start_ms": 0, "end_ms": 1, "title": "0", "aspect_ratio": "9:16", "target_language": "en"}
        db.merge(ExportedClip(id="clip_0", video_id="video_0", s3_key="clip.mp4", **clip))


def checks() -> list[Any]:
    """Return the checks. Imports late: Schemathesis takes seconds to import, and every worker collects this file."""
    from schemathesis.checks import not_a_server_error, response_schema_conformance, status_code_conformance

    return [not_a_server_error, response_schema_conformance, status_code_conformance]


def test_no_request_causes_a_server_error_or_bypasses_authentication(api: FastAPI, services: Services, subtests: pytest.Subtests) -> None:
    import schemathesis
    from schemathesis.pytest.lazy import get_all_tests

    how: dict[str, Any] = {"app": api, "base_url": "http://clips.test"}
    wanted, description = checks(), api.openapi()
    assert {operation for operation, security in security_of(description).items() if not security} == FOR_EVERYBODY

    admin, made_up = session_of(services, Role.ADMIN), cycle(MADE_UP)

    def ask(case: Case) -> None:
        nonlocal admin
        stranger = case.call(headers=next(made_up), **how)
        case.validate_response(stranger, checks=wanted)
        if (case.method, case.path) not in FOR_EVERYBODY:
            assert stranger.status_code in (401, 405), stranger.text
        video_ids = {case.path_parameters["video_id"], "video_0"} if "video_id" in case.path_parameters else {None}
        for video_id in video_ids:
            if video_id is not None:
                case.path_parameters["video_id"] = video_id
            case.validate_response(case.call(headers=admin, **how), checks=wanted)
        if (case.method, case.path) in FOR_EVERYBODY:
            admin = session_of(services, Role.ADMIN)  # one of these requests signs out

    asked = 0
    for found in get_all_tests(schema=schemathesis.openapi.from_dict(description), test_func=ask, settings=EXAMPLES, given_kwargs=None):
        operation, ask_all = found.ok()  # type: ignore[union-attr]
        with subtests.test(operation.label):
            restore_video(services)
            admin = session_of(services, Role.ADMIN)
            ask_all()
            if (operation.method.upper(), operation.path) not in FOR_EVERYBODY:
                assert TestClient(api).get("/api/auth/session", headers=admin).status_code == 200
        asked += 1
    assert asked >= 50


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_response_that_does_not_match_the_schema_is_detected(api: FastAPI, services: Services) -> None:
    import schemathesis
    from schemathesis.core.failures import FailureGroup

    description = api.openapi()
    description["components"]["schemas"]["Video"]["properties"]["width"] = {"type": "string"}
    route = schemathesis.openapi.from_dict(description)["/api/clips/videos/{video_id}"]["GET"]
    case = route.Case(path_parameters={"video_id": "video_0"})
    answer = case.call(headers=session_of(services), app=api, base_url="http://clips.test")
    assert answer.status_code == 200
    with pytest.raises(FailureGroup):
        case.validate_response(answer, checks=checks())
