"""How much and how often one page may send, and how many pages may be open."""

from __future__ import annotations

import contextlib

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from clipviewer.state.preferences import PreferencesState
from tests.state.handlers import name_of
from tests.state.serving import Running
from tests.state.tab import open_tab

LOAD_ACCOUNT = name_of(PreferencesState, "open_page")
FRAME = 256 * 1024
BURST = 240
PER_SESSION = 100


def test_a_frame_above_the_limit_closes_the_socket_and_one_below_does_not(app: Running) -> None:
    with open_tab(app.address, cookie=app.person().cookie) as tab:
        tab.send(LOAD_ACCOUNT, text="x" * (FRAME - 500))
        tab.wait_for("The input is not valid")
        tab.send(LOAD_ACCOUNT, text="x" * FRAME)
        assert tab.closing() == 1009


def test_a_burst_of_events_above_the_rate_closes_the_socket(app: Running) -> None:
    with open_tab(app.address) as tab:
        for _ in range(BURST // 2):
            tab.emit("ping")
        tab.snapshot()
        for _ in range(BURST * 2):
            with contextlib.suppress(ConnectionClosed):
                tab.emit("ping")
        assert tab.closing() == 1008


def test_a_session_has_so_many_sockets_and_another_one_is_not_hindered(app: Running) -> None:
    crowd, other = app.person(), app.person()
    with contextlib.ExitStack() as tabs:
        for _ in range(PER_SESSION):
            tabs.enter_context(open_tab(app.address, cookie=crowd.cookie))
        with pytest.raises(InvalidStatus) as refused, open_tab(app.address, cookie=crowd.cookie):
            pass
        assert refused.value.response.status_code == 403
        with open_tab(app.address, cookie=other.cookie) as tab:
            tab.send(LOAD_ACCOUNT)
            tab.wait_for("Kim viewer")
    with open_tab(app.address, cookie=crowd.cookie) as tab:
        tab.send(LOAD_ACCOUNT)
        tab.wait_for("Kim viewer")
