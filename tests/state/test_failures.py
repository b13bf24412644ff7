"""An unexpected exception: the person gets a sentence and an id; the log has the same id with the traceback."""

from __future__ import annotations

import asyncio
import errno
import gc
import re
from collections.abc import Iterator

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import text

from clipviewer.errors import DiskFull
from clipviewer.state.failures import handler_failed, task_failed
from clipviewer.state.library import LibraryState
from clipviewer.state.preferences import PreferencesState
from clipviewer.state.room import RoomState
from tests.state.handlers import name_of
from tests.state.serving import Running, running_app
from tests.state.tab import Tab, open_tab
from tests.state.video_rows import add_footage

CANARY = "c4narY-of-the-failures"
LOAD_ACCOUNT = name_of(PreferencesState, "open_page")


@pytest.fixture(scope="module")
def broken_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An app whose database has lost the table of videos."""
    with running_app(tmp_path_factory.mktemp("broken")) as app:
        app.person()
        with app.services.database.write() as db:
            add_footage(db)
            db.connection().execute(text("ALTER TABLE video RENAME TO video_elsewhere"))
        yield app


def failure_id(tab: Tab, handler: str, **payload: str) -> str:
    """Trigger the failure and return the id in the message that the person gets."""
    tab.send(handler, **payload)
    update = tab.wait_for("The server log has details under")
    found = re.findall(r"error_\w+", str(update.events))
    assert len(found) == 1
    for word in ("sqlite", "video_elsewhere", "no such table", "Traceback", "clipviewer/", CANARY):
        assert word not in str(update)
    return str(found[0])


def test_the_person_gets_an_id_and_the_log_has_it_with_the_traceback(broken_app: Running) -> None:
    with open_tab(broken_app.address, cookie=broken_app.person().cookie, path="/") as tab:
        error_id = failure_id(tab, name_of(LibraryState, "set_search"), text=CANARY)
        tab.send(LOAD_ACCOUNT)
        tab.wait_for("Kim viewer")
        assert '"phase_rx_state_":"failed"' in "".join(tab.frames)
    logged = broken_app.log()
    assert logged.count(error_id) == 1
    entry = logged[logged.index(error_id) :]
    assert "Traceback" in entry
    assert "no such table" in entry
    assert CANARY not in logged


def test_every_failure_has_an_id_of_its_own(broken_app: Running) -> None:
    with open_tab(broken_app.address, cookie=broken_app.person().cookie, path="/videos/video_1") as tab:
        handler = name_of(RoomState, "open")
        assert failure_id(tab, handler) != failure_id(tab, handler)


def test_anonymous_cannot_make_a_handler_fail(broken_app: Running) -> None:
    logged = len(broken_app.log())
    with open_tab(broken_app.address, path="/") as tab:
        tab.send(name_of(LibraryState, "load"))
        tab.wait_for('"_redirect"')
    assert "handler failed" not in broken_app.log()[logged:]


def test_a_task_that_fails_because_redis_is_away_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def subscribe(error: Exception) -> None:
        raise error

    async def lose(error: Exception) -> None:
        asyncio.get_running_loop().set_exception_handler(task_failed)
        asyncio.get_running_loop().create_task(subscribe(error))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()

    for error in (RedisConnectionError("Connection refused"), ZeroDivisionError()):
        asyncio.run(lose(error))
    told, other = caplog.records
    assert (told.name, told.getMessage(), told.exc_info) == (
        "clipviewer.state.failures",
        "a background task ended: Redis does not answer (ConnectionError)",
        None,
    )
    assert (other.name, other.exc_info is not None) == ("asyncio", True)


def test_a_full_disk_that_a_page_meets_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    shown = handler_failed(OSError(errno.ENOSPC, "No space left on device"))
    assert DiskFull.title in str(shown)
    assert [(record.getMessage(), record.exc_info) for record in caplog.records] == [
        ("an event handler failed: the disk is full (OSError)", None)
    ]
