"""The API against its own description: whatever is sent, no answer is a server error, and none forgets to ask who is there."""

import dataclasses
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error, response_schema_conformance, status_code_conformance
from schemathesis.core.failures import FailureGroup

from clipviewer.api.app import create_api
from clipviewer.db.models import ExportedClip, Video
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.storage.s3 import ObjectStore
from tests.api.people import session_of
from tests.api.stores import running_bucket

SCHEMA = schemathesis.openapi.from_dict(create_api(cast(Services, None)).openapi())
FOR_EVERYBODY = {("GET", "/api/health"), ("POST", "/api/auth/sign-in"), ("POST", "/api/auth/sign-out"), ("POST", "/api/auth/set-up")}
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with running_bucket("a secret key that only this bucket has", tmp_path_factory.mktemp("store")) as store:
        store.put("0", b"0", "video/mp4")
        yield store


@pytest.fixture
def api(services: Services, bucket: ObjectStore) -> FastAPI:
    services.settings.data_dir.mkdir()
    with services.database.write() as db:
        db.add(Video(id="video_0", title="0", s3_key="one.mp4"))
        db.flush()
        db.add(
            ExportedClip(video_id="video_0", start_ms=0, end_ms=1, title="0", s3_key="clip.mp4", aspect_ratio="9:16", target_language="en")
        )
    port = urlsplit(bucket._client.meta.endpoint_url).port
    assert port is not None
    return create_api(dataclasses.replace(services, settings=dataclasses.replace(services.settings, port=port), store=bucket))


@SCHEMA.parametrize()
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_makes_the_server_fail_or_forget_to_ask_who_is_there(case: Case, api: FastAPI, services: Services) -> None:
    how: dict[str, Any] = {"app": api, "base_url": "http://clips.test"}
    video_ids = {case.path_parameters["video_id"], "video_0"} if "video_id" in case.path_parameters else {None}
    for video_id in video_ids:
        if video_id is not None:
            case.path_parameters["video_id"] = video_id
        anonymous, admin = case.call(**how), case.call(headers=session_of(services, Role.ADMIN), **how)
        if (case.method, case.path) not in FOR_EVERYBODY:
            assert anonymous.status_code in (401, 405), anonymous.text
        for answer in (anonymous, admin):
            case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_answer_that_does_not_fit_the_description_is_noticed(api: FastAPI, services: Services) -> None:
    description = api.openapi()
    description["components"]["schemas"]["Video"]["properties"]["width"] = {"type": "string"}
    route = schemathesis.openapi.from_dict(description)["/api/clips/videos/{video_id}"]["GET"]
    case = route.Case(path_parameters={"video_id": "video_0"})
    answer = case.call(headers=session_of(services), app=api, base_url="http://clips.test")
    assert answer.status_code == 200
    with pytest.raises(FailureGroup):
        case.validate_response(answer, checks=CHECKS)
