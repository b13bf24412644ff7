"""The page that checks the storage, over a real websocket."""

from __future__ import annotations

from typing import Any

from clipviewer.domain.permissions import Role
from clipviewer.services.bucket.diagnosis import CHECKS
from clipviewer.state.storage_doctor import StorageDoctorState
from tests.state.handlers import name_of
from tests.state.serving import Running
from tests.state.tab import Tab, open_tab

OPEN = name_of(StorageDoctorState, "open_page")
LOOK = name_of(StorageDoctorState, "look")


def findings(tab: Tab) -> list[dict[str, Any]]:
    seen = [values["findings_rx_state_"] for update in tab.updates for values in update.ours.values() if "findings_rx_state_" in values]
    return list(seen[-1])


def test_an_admin_sees_one_finding_after_another(app: Running) -> None:
    with open_tab(app.address, cookie=app.person(Role.ADMIN).cookie, path="/settings/storage") as tab:
        tab.send(OPEN)
        tab.wait_for('"phase_rx_state_":"checking"')
        assert [row["verdict"] for row in findings(tab)] == ["waiting"] * len(CHECKS)
        tab.wait_for('"phase_rx_state_":"ready"')
        assert "waiting" not in {row["verdict"] for row in findings(tab)}
        assert all(row["text"] for row in findings(tab))
        stages = [text for text in tab.frames if "findings_rx_state_" in text]
        assert len(stages) > 5


def test_a_second_check_from_the_same_page_waits_for_the_first(app: Running) -> None:
    with open_tab(app.address, cookie=app.person(Role.ADMIN).cookie, path="/settings/storage") as tab:
        tab.send(LOOK)
        tab.wait_for('"phase_rx_state_":"checking"')
        tab.send(LOOK)
        tab.wait_for('"phase_rx_state_":"ready"')
        tab.snapshot()
        assert sum('"phase_rx_state_":"checking"' in text for text in tab.frames) == 1


def test_a_non_admin_is_refused_and_learns_nothing_of_the_storage(app: Running) -> None:
    for role in (Role.REVIEWER, Role.VIEWER):
        with open_tab(app.address, cookie=app.person(role).cookie, path="/settings/storage") as tab:
            tab.send(OPEN)
            tab.wait_for('"phase_rx_state_":"closed"')
            tab.send(LOOK)
            tab.wait_for("Your role does not allow this")
            assert tab.snapshot()[StorageDoctorState.get_full_name()]["findings_rx_state_"] == []
