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
from clipviewer.services.container import Services
from clipviewer.services.signing import signer_for
from tests.api.conftest import Person
from tests.api.stores import running_bucket

PROBE = "/api/settings/storage/probe"


@pytest.fixture
def over_a_bucket(services: Services, tmp_path: Path) -> Iterator[Services]:
    """The services over a store that answers."""
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        port = urlsplit(store._client.meta.endpoint_url).port
        assert port is not None
        settings = dataclasses.replace(services.settings, port=port, s3_prefix="team/")
        yield dataclasses.replace(services, settings=settings, store=store, signer=signer_for(settings, store))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_probe_can_be_read_by_range_and_is_gone_afterwards(over_a_bucket: Services, person: Callable[..., Person]) -> None:
    admin, store = person(Role.ADMIN), over_a_bucket.store
    host = f"127.0.0.1:{over_a_bucket.settings.port}"
    with TestClient(create_api(over_a_bucket), base_url=f"http://{host}", headers=admin.cookie) as client:
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
def test_a_store_that_does_not_answer_is_told_as_such(client: TestClient, person: Callable[..., Person]) -> None:
    answer = client.post(PROBE, headers=person(Role.ADMIN).cookie)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unreachable")
