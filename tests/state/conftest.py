"""One running app for every test of the socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.state.serving import Running, running_app


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_app(tmp_path_factory.mktemp("app")) as running:
        yield running
