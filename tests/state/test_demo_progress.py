"""The library fills by itself while the demo footage is rendered."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from clipviewer.state.library import LibraryState
from tests.state.handlers import name_of
from tests.state.serving import Running, running_app
from tests.state.tab import open_tab

LOAD = name_of(LibraryState, "load")


@pytest.fixture
def making(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An app that has started to render its demo footage."""
    with running_app(tmp_path_factory.mktemp("making"), CLIPVIEWER_DEMO="on") as app:
        deadline = time.monotonic() + 60
        while "Demo footage: rendering" not in app.log():
            assert time.monotonic() < deadline, app.log()
            time.sleep(0.05)
        yield app


def test_new_videos_are_shown_until_the_session_ends(making: Running) -> None:
    viewer = making.person()
    with open_tab(making.address, cookie=viewer.cookie, path="/") as tab:
        tab.send(LOAD)
        tab.wait_for('"preparing_rx_state_":"Demo footage')
        tab.send(name_of(LibraryState, "set_search"), text="nothing is called like this")
        tab.wait_for('"total_rx_state_":0')
        with making.services.database.write() as db:
            making.services.sessions.revoke(db, viewer.session_id)
        seen = len(tab.updates)
        tab.send(LOAD)
        tab.wait_for('"_redirect"')
        assert [update.ours for update in tab.updates[seen:] if update.ours] == []
