"""A misspelt field of a request never widens what is done: every body refuses what it does not know, and names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from tests.api.people import session_of, token_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MISSPELT = "prefx"


def bodies(description: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Return method, path, media type and schema of every body that has fields."""
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                if content["schema"].get("type", "object") == "object":
                    yield method, path, media_type, content["schema"]


def objects(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every object with fields in a schema, however deep, and its place."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield place, schema
        for name, part in schema.items():
            yield from objects(part, f"{place}/{name}")
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part, place)


def test_every_object_in_every_body_is_described_without_other_fields(api: FastAPI) -> None:
    open_ended = [
        f"{method} {path}{place}"
        for method, path, _, schema in bodies(api.openapi())
        for place, found in objects(schema)
        if found.get("additionalProperties") is not False
    ]
    assert open_ended == []


def test_an_unknown_field_is_refused_by_its_name_on_every_route(api: FastAPI, client: TestClient, services: Services) -> None:
    asked = 0
    for method, path, media_type, _schema in bodies(api.openapi()):
        if media_type != "application/json":
            continue
        answer = client.request(method, path, json={MISSPELT: "talks/"}, headers=session_of(services, Role.ADMIN))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (method, path, answer.text)
        assert MISSPELT in [place["location"].rpartition(".")[2] for place in answer.json()["errors"]], (method, path)
        asked += 1
    assert asked >= 12


def test_a_field_is_refused_where_a_route_takes_none(api: FastAPI, client: TestClient, services: Services) -> None:
    asked = 0
    for path, operations in api.openapi()["paths"].items():
        for method, operation in operations.items():
            if method == "get" or "requestBody" in operation:
                continue
            answer = client.request(method, path, json={MISSPELT: "talks/"}, headers=session_of(services, Role.ADMIN))
            assert (answer.status_code, answer.json().get("code")) == (422, "invalid"), (method, path, answer.text)
            assert [place["location"] for place in answer.json()["errors"]] == [MISSPELT], (method, path)
            asked += 1
    assert asked >= 10


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("identified", {"start": "1", "end": "2", "titel": "Misspelt"}),
        ("exported", {"s3Key": "a.mp4", "start": "1", "end": "2", "aspectRatio": "9:16", "targetLanguage": "en", "titel": "Misspelt"}),
    ],
)
def test_an_unknown_field_of_an_item_refuses_the_request(client: TestClient, services: Services, path: str, item: dict[str, str]) -> None:
    body = {"items": [{"start": "wrong"}, item]}
    answer = client.post(f"/api/clips/videos/video_0/{path}", json=body, headers=token_of(services))
    assert (answer.status_code, [place["location"] for place in answer.json()["errors"]]) == (422, ["items.1.titel"])


def test_the_name_of_an_unknown_field_is_not_echoed_at_any_length(client: TestClient, services: Services) -> None:
    content = json.dumps({"prefix": "", "x" * 50_000: 1})
    answer = client.post("/api/library/adopt", content=content, headers={**token_of(services), "Content-Type": "application/json"})
    assert answer.status_code == 422
    assert len(answer.content) < 1_000
