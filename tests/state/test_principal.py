"""The principal of an event: looked up once per event and visible only to its handler."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import reflex as rx
from sqlmodel import Session, select

from clipviewer.db.models import AuditEntry, User, Video
from clipviewer.db.session import Database
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.services.container import Services
from clipviewer.services.people.sessions import Sessions, VerifiedSession
from clipviewer.services.room.captions import attach
from clipviewer.state.access import principal
from clipviewer.state.account import AccountState
from clipviewer.state.captions import CaptionsState
from clipviewer.state.export_dialog import ExportDialogState
from clipviewer.state.exports import ExportState
from clipviewer.state.finding import FindingState
from clipviewer.state.framing import FramingState
from clipviewer.state.library_changes import LibraryChangesState
from clipviewer.state.library_page import LibraryPageState
from clipviewer.state.library_strip import LibraryStripState
from clipviewer.state.matrix import MatrixState
from clipviewer.state.preferences import PreferencesState
from clipviewer.state.quick_start import QuickStartState
from clipviewer.state.room import RoomState
from clipviewer.state.timeline import TimelineState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.page import Page
from tests.state.video_rows import Footage, add_footage

T = TypeVar("T")
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts of session look-ups and of transactions of each kind."""
    seen: Counter[str] = Counter()
    verify, run_read, run_write = Sessions.verify, Database.run_read, Database.run_write

    def counting_verify(self: Sessions, db: Session, cookie: str | None, *, secure: bool = False) -> VerifiedSession:
        seen["look-ups"] += 1
        return verify(self, db, cookie, secure=secure)

    async def counting_read(self: Database, work: Callable[[Session], T]) -> T:
        seen["reads"] += 1
        return await run_read(self, work)

    async def counting_write(self: Database, work: Callable[[Session], T]) -> T:
        seen["writes"] += 1
        return await run_write(self, work)

    monkeypatch.setattr(Sessions, "verify", counting_verify)
    monkeypatch.setattr(Database, "run_read", counting_read)
    monkeypatch.setattr(Database, "run_write", counting_write)
    return seen


@pytest.fixture
def footage(services: Services) -> Footage:
    with services.database.write() as db:
        footage = add_footage(db, ordered=True)
        db.get_one(Video, footage.video_id).media = {"slowToStart": True}
        attach(db, footage.video_id, "fr", b"WEBVTT\n\n00:01.000 --> 00:03.000\nMoin\n", "harbour.fr.vtt")
    return footage


@pytest.fixture
def room(page: Page, footage: Footage) -> Page:
    """An open room with one ticked candidate and an open export dialog; its exports are shown as a matrix."""
    page.go(f"{footage.path}?tab=exported&view=matrix")
    page.call(RoomState, "open")
    page.call(VideoDetailState, "toggle_clip_selection", footage.identified[0])
    page.call(ExportDialogState, "plan")
    return page


def test_an_event_in_a_room_looks_the_session_up_once(room: Page, footage: Footage, counted: Counter[str]) -> None:
    events: list[tuple[type[rx.State], str, tuple[Any, ...]]] = [
        (RoomState, "open", ()),
        (RoomState, "follow", ()),
        (VideoDetailState, "select_clip", (footage.exported[1],)),
        (VideoDetailState, "set_tab", ("identified",)),
        (ExportDialogState, "plan", ()),
        (ExportDialogState, "toggle_ratio", ("1:1",)),
        (ExportDialogState, "handle_export_clips", ()),
        (ExportState, "cancel_export", (footage.jobs[0],)),
        (MatrixState, "open_cell", (f"{footage.identified[2]} 16:9 original",)),
        (MatrixState, "export_cell", (f"{footage.identified[2]} 16:9 original",)),
        (CaptionsState, "set_opened", (True,)),
        (CaptionsState, "remove", ("fr",)),
        (CaptionsState, "put_back", ()),
        (FindingState, "find", ()),
        (FindingState, "call_off", ()),
        (TimelineState, "make_previews", ()),
        (TimelineState, "save_clip", ("", 10_000, 20_000, "Gulls")),
        (TimelineState, "remove_clip", (footage.identified[1],)),
        (TimelineState, "put_back", ()),
        (QuickStartState, "mend", ()),
        (QuickStartState, "call_off", ()),
        (FramingState, "save_framing", (footage.identified[2], "9:16", 0.4, 0.5)),
        (LibraryChangesState, "ask_title", (footage.video_id,)),
        (LibraryChangesState, "save_title", ({"title": "Quay"},)),
        (LibraryChangesState, "undo", ()),
    ]
    for kind, handler, given in events:
        counted.clear()
        room.call(kind, handler, *given)
        assert (handler, counted["look-ups"]) == (handler, 1)


def test_an_event_of_the_library_looks_the_session_up_once(page: Page, footage: Footage, counted: Counter[str]) -> None:
    for kind, handler, given in [
        (LibraryPageState, "open", ()),
        (LibraryPageState, "follow", ()),
        (LibraryStripState, "cancel", (footage.jobs[1],)),
        (LibraryChangesState, "archive", ([footage.video_id], True)),
        (PreferencesState, "open_page", ()),
    ]:
        counted.clear()
        page.call(kind, handler, *given)
        assert (handler, counted["look-ups"]) == (handler, 1)


def test_opening_and_refreshing_take_one_read_each_beside_the_session_look_up(page: Page, footage: Footage, counted: Counter[str]) -> None:
    """Only the second refresh of the room can tell the status of its jobs."""
    for kind, path in ((RoomState, f"{footage.path}?tab=exported&view=matrix"), (LibraryPageState, "/")):
        page.go(path)
        for handler in ("open", "follow", "follow"):
            counted.clear()
            page.call(kind, handler)
            assert (handler, counted["reads"], counted["writes"]) == (handler, 2, 0)


def test_a_write_records_who_made_it(room: Page, footage: Footage, services: Services) -> None:
    room.call(ExportDialogState, "toggle_ratio", "1:1")
    room.call(ExportDialogState, "handle_export_clips")
    with services.database.read() as db:
        kim = db.exec(select(User)).one().id
        (entry,) = db.exec(select(AuditEntry).where(AuditEntry.action == "export"))
    assert (entry.actor, entry.subject) == (kim, footage.video_id)


def test_there_is_no_principal_outside_an_event(room: Page) -> None:
    with pytest.raises(LookupError):
        principal()


def test_concurrent_events_of_two_people_have_their_own_principals(page: Page, services: Services) -> None:
    with services.database.write() as db:
        user = User(email=f"{new_id('mail')}@example.org", name="Lee", role=Role.ADMIN, password_hash="none")
        db.add(user)
        db.flush()
        other = Page(services.sessions.start(db, user.id).token, "/")

    async def open_both() -> None:
        states = [await tab.root.get_state(LibraryPageState) for tab in (page, other)]
        await asyncio.gather(*(asyncio.create_task(state.open()) for state in states for _ in range(5)))

    asyncio.run(open_both())
    assert [tab.state(AccountState).name for tab in (page, other)] == ["Kim", "Lee"]
    rights = [tab.state(LibraryChangesState) for tab in (page, other)]
    assert [(state.may_change, state.may_delete) for state in rights] == [(True, False), (True, True)]
