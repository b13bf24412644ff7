"""Callers for the tests of routes: people with a session, pipelines with a token."""

from __future__ import annotations

from clipviewer.db.models import User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import COOKIE


def session_of(services: Services, role: Role = Role.VIEWER) -> dict[str, str]:
    """Return the headers of a new, signed-in person of that role."""
    with services.database.write() as db:
        user = User(email=f"{new_id('mail')}@example.org", name="Kim", role=role, password_hash="unusable")
        db.add(user)
        db.flush()
        session = services.sessions.start(db, user.id)
    return {"cookie": f"{COOKIE}={session.token}"}


def token_of(services: Services, name: str = "pipeline") -> dict[str, str]:
    """Return the headers of a pipeline with a new API token."""
    with services.database.write() as db:
        return {"authorization": f"Bearer {services.api_tokens.create(db, name)}"}
