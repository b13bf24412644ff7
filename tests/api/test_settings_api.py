"""The routes of the team's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from fastapi.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.domain.permissions import Role
from clipviewer.services.bucket.signing import signer_for
from clipviewer.services.container import Services
from tests.api.conftest import Person
from tests.api.stores import running_bucket

PROBE = "/api/settings/storage/probe"
PREFERENCES = "/api/settings/preferences"


@pytest.fixture
def services_with_bucket(services: Services, tmp_path: Path) -> Iterator[Services]:
    """The services over a running store."""
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        port = urlsplit(store._client.meta.endpoint_url).port
        assert port is not None
        settings = dataclasses.replace(services.settings, port=port, s3_prefix="team/")
        yield dataclasses.replace(services, settings=settings, store=store, signer=signer_for(settings, store))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_probe_can_be_read_by_range_and_is_deleted_afterwards(services_with_bucket: Services, person: Callable[..., Person]) -> None:
    admin, store = person(Role.ADMIN), services_with_bucket.store
    host = f"127.0.0.1:{services_with_bucket.settings.port}"
    with TestClient(create_api(services_with_bucket), base_url=f"http://{host}", headers=admin.cookie) as client:
        told = client.post(PROBE).json()
        assert client.post(PROBE).status_code == 201
        assert [found.key for found in store.list("")] == [f"team/exports/.doctor-{admin.id}"]
        asked = Request(told["url"], headers={"Range": f"bytes={told['first']}-{told['last']}"})
        with urlopen(asked, timeout=10) as answer:
            assert (answer.status, answer.read().decode()) == (206, told["expected"])
        assert client.delete(PROBE).status_code == 204
        assert client.delete(PROBE).status_code == 204
    assert list(store.list("")) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_unreachable_store_is_reported_as_such(client: TestClient, person: Callable[..., Person]) -> None:
    answer = client.post(PROBE, headers=person(Role.ADMIN).cookie)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unreachable")


CHANGED = {
    "aspectRatios": ["1:1"],
    "languages": ["original", "de"],
    "captions": "soft",
    "framing": "fit",
    "shortestSeconds": 20,
    "longestSeconds": 45,
    "findOnUpload": False,
    "keepFailedDays": 7,
}


def test_preferences_are_seen_by_all_and_changed_by_admins(client: TestClient, person: Callable[..., Person]) -> None:
    viewer, admin = person(Role.VIEWER).cookie, person(Role.ADMIN).cookie
    before = client.get(PREFERENCES, headers=viewer).json()
    assert (before["aspectRatios"], before["shortestSeconds"], before["keepFailedDays"]) == (["9:16"], 15, 30)
    assert client.put(PREFERENCES, json=CHANGED, headers=viewer).status_code == 403
    assert client.get(PREFERENCES, headers=viewer).json() == before
    assert client.put(PREFERENCES, json=CHANGED, headers=admin).json() == CHANGED
    assert client.get(PREFERENCES, headers=viewer).json() == CHANGED


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"languages": ["klingon"]}, "languages"),
        ({"captions": "off"}, "captions"),
        ({"longestSeconds": 22}, "longestSeconds"),
        ({"keepFailedDays": -1}, "keepFailedDays"),
        ({"aspectRatios": []}, "aspectRatios"),
    ],
)
def test_preferences_that_do_not_fit_are_refused_by_field(
    client: TestClient, person: Callable[..., Person], change: dict[str, object], location: str
) -> None:
    admin = person(Role.ADMIN).cookie
    answer = client.put(PREFERENCES, json=CHANGED | change, headers=admin)
    assert answer.status_code == 422
    assert [error["location"] for error in answer.json()["errors"]] == [location]
    assert client.get(PREFERENCES, headers=admin).json()["keepFailedDays"] == 30
