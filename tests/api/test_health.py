"""The health check is public, cheap and correct, and discloses nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.session import Database
from clipviewer.services.container import Services


def test_health_is_ok_while_the_database_answers(client: TestClient) -> None:
    response = client.get("/api/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": "ok"})
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_health_is_503_without_a_word_about_why_when_the_database_is_gone(services: Services, tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'no such folder' / 'clipviewer.db'}")
    response = TestClient(create_api(replace(services, database=gone))).get("/api/health")
    gone.dispose()
    assert (response.status_code, response.json()) == (503, {"status": "unavailable", "database": "unavailable"})
