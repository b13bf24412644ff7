"""One running app for all tests of the socket, and a page without one for tests of handlers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clipviewer.db.models import User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.services import container
from clipviewer.services.container import Services
from tests.state.page import Page
from tests.state.serving import PROXY, Running, running_app


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_app(tmp_path_factory.mktemp("app"), CLIPVIEWER_TRUSTED_PROXIES=PROXY) as running:
        yield running


@pytest.fixture
def page(services: Services, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The library page, opened by a reviewer named Kim."""
    monkeypatch.setattr(container, "_installed", services)
    with services.database.write() as db:
        user = User(email=f"{new_id('mail')}@example.org", name="Kim", role=Role.REVIEWER, password_hash="none")
        db.add(user)
        db.flush()
        token = services.sessions.start(db, user.id).token
    return Page(token, "/")
