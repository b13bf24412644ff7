"""The health checks are public and cheap, name the part that does not work, and disclose nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import utc_now
from clipviewer.db.session import Database
from clipviewer.services import workers
from clipviewer.services.container import Services
from tests.api.stores import running_bucket

FINE = {"status": "ok", "database": "ok", "workers": "ok", "storage": "ok", "disk": "ok", "pages": "ok"}
LATE = timedelta(minutes=3)


@pytest.fixture
def whole(services: Services, tmp_path: Path) -> Iterator[Services]:
    """Services of which every part works."""
    services.settings.data_dir.mkdir()
    with services.database.write() as db:
        workers.beat(db, "app", utc_now())
    with running_bucket("a secret key that only this bucket has", tmp_path / "store") as store:
        yield replace(services, store=store, started_at=utc_now() - LATE)


def ask(services: Services, path: str = "/api/health/ready") -> tuple[int, dict[str, str]]:
    response = TestClient(create_api(services)).get(path)
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, response.json()


@pytest.mark.parametrize("path", ["/api/health", "/api/health/ready"])
def test_health_is_ok_while_every_part_works(whole: Services, path: str) -> None:
    assert ask(whole, path) == (200, FINE)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_is_gone_is_named(whole: Services, tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'no such folder' / 'clipviewer.db'}")
    found = ask(replace(whole, database=gone))
    assert ask(replace(whole, database=gone), "/api/health/live") == (200, {"status": "ok"})
    gone.dispose()
    assert found == (503, FINE | {"status": "unavailable", "database": "unavailable", "workers": "unavailable"})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_storage_that_does_not_answer_is_named(whole: Services, services: Services) -> None:
    assert ask(replace(whole, store=services.store)) == (503, FINE | {"status": "unavailable", "storage": "unavailable"})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_full_disk_is_named(whole: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    assert ask(whole) == (503, FINE | {"status": "unavailable", "disk": "unavailable"})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_redis_that_does_not_answer_is_named(whole: Services) -> None:
    without = replace(whole, settings=replace(whole.settings, redis_url="redis://127.0.0.1:9"))
    assert ask(without) == (503, FINE | {"status": "unavailable", "pages": "unavailable"})


def test_workers_that_are_silent_or_cannot_work_are_named(whole: Services) -> None:
    without = (503, FINE | {"status": "unavailable", "workers": "unavailable"})
    with whole.database.write() as db:
        workers.beat(db, "app", utc_now(), "the job queues cannot be used.")
    assert ask(whole) == without
    with whole.database.write() as db:
        workers.beat(db, "app", utc_now() - LATE)
    assert ask(whole) == without
    with whole.database.read() as db:
        assert workers.trouble(db, utc_now(), whole.started_at) == "no worker has answered for 3 minutes."
    assert ask(replace(whole, started_at=utc_now())) == (200, FINE)
    with whole.database.write() as db:
        workers.leave(db, "app")
    assert ask(whole) == without
