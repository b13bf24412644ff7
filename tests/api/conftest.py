"""The API in process, and signed-in people of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from clipviewer.api.app import create_api
from clipviewer.db.models import User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import COOKIE

PASSWORD = "seven brown otters"


@dataclass(frozen=True)
class Person:
    """A person with an account and a session; ``cookie`` is a ``Cookie`` header."""

    id: str
    email: str
    session_id: str
    cookie: dict[str, str]


@pytest.fixture
def api(services: Services) -> FastAPI:
    return create_api(services)


@pytest.fixture
def client(api: FastAPI) -> Iterator[TestClient]:
    """A client without a cookie that does not follow redirects."""
    with TestClient(api, follow_redirects=False) as client:
        yield client


@pytest.fixture
def person(services: Services) -> Callable[..., Person]:
    """``person(Role.VIEWER)`` creates a person and signs them in; with ``password`` they can also sign in with it."""

    def make(role: Role = Role.VIEWER, password: str | None = None) -> Person:
        hashed = services.accounts.passwords.hash(password) if password else "no password"
        user = User(id=new_id("user"), email=f"{new_id('mail')}@example.org", name="Somebody", role=role, password_hash=hashed)
        with services.database.write() as db:
            db.add(user)
            db.flush()
            session = services.sessions.start(db, user.id)
        return Person(user.id, user.email, session.id, {"Cookie": f"{COOKIE}={session.token}"})

    return make


@pytest.fixture
def token(services: Services) -> dict[str, str]:
    """A pipeline's ``Authorization`` header."""
    with services.database.write() as db:
        return {"Authorization": f"Bearer {services.api_tokens.create(db, 'pipeline')}"}
