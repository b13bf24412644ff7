"""An open websocket has no more rights than its session has now."""

from __future__ import annotations

import urllib.request
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from clipviewer.db.models import AuditEntry, UserSession, utc_now
from clipviewer.domain.permissions import Role
from clipviewer.services.people.sessions import IDLE_TIMEOUT
from clipviewer.state.library import LibraryState
from clipviewer.state.preferences import PreferencesState
from clipviewer.state.room import RoomState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.handlers import name_of
from tests.state.serving import PROXY, Person, Running
from tests.state.tab import HYDRATE, Tab, open_again, open_tab
from tests.state.video_rows import Footage, add_footage

OPEN_ROOM = name_of(RoomState, "open")
TICK = name_of(VideoDetailState, "toggle_clip_selection")
GENERATE = name_of(VideoDetailState, "handle_generate_shorts")
LOAD_LIBRARY = name_of(LibraryState, "load")
LOAD_ACCOUNT = name_of(PreferencesState, "open_page")
REFUSED = "Your role does not allow this"
PASSWORD = "seven brown otters"


@pytest.fixture(scope="module")
def footage(app: Running) -> Footage:
    with app.services.database.write() as db:
        return add_footage(db, "Lighthouse")


@pytest.fixture
def reviewer(app: Running) -> Person:
    return app.person(Role.REVIEWER, password=PASSWORD)


@pytest.fixture
def room(app: Running, footage: Footage, reviewer: Person) -> Iterator[Tab]:
    """A reviewer's open clip room with one clip ticked."""
    with open_tab(app.address, cookie=reviewer.cookie, path=footage.path) as tab:
        tab.send(OPEN_ROOM)
        tab.wait_for('"phase_rx_state_":"ready"')
        tab.send(TICK, clip_id=footage.identified[0])
        tab.wait_for('"ticked_rx_state_":["')
        yield tab


def sign_out(app: Running, person: Person) -> None:
    request = urllib.request.Request(f"{app.address}/api/auth/sign-out", method="POST", headers={"Cookie": person.cookie})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204


def change_password(app: Running, person: Person) -> None:
    with app.services.database.write() as db:
        app.services.accounts.change_password(db, person.id, PASSWORD, "eleven grey herons")


def revoke(app: Running, person: Person) -> None:
    with app.services.database.write() as db:
        app.services.sessions.revoke(db, person.session_id)


def disable(app: Running, person: Person) -> None:
    with app.services.database.write() as db:
        app.services.accounts.disable(db, person.id)


def delete(app: Running, person: Person) -> None:
    with app.services.database.write() as db:
        app.services.accounts.delete(db, person.id)


def set_session(app: Running, person: Person, **values: object) -> None:
    with app.services.database.write() as db:
        db.connection().execute(update(UserSession).where(col(UserSession.id) == person.session_id).values(**values))


def leave_idle(app: Running, person: Person) -> None:
    set_session(app, person, last_seen_at=utc_now() - IDLE_TIMEOUT)


def outlive(app: Running, person: Person) -> None:
    set_session(app, person, expires_at=utc_now())


ENDINGS = [sign_out, change_password, revoke, disable, delete, leave_idle, outlive]
Ending = Callable[[Running, Person], None]


@pytest.mark.parametrize("end", ENDINGS)
def test_an_open_socket_gets_nothing_more_once_its_session_has_ended(app: Running, room: Tab, reviewer: Person, end: Ending) -> None:
    end(app, reviewer)
    seen = len(room.updates)
    for name in (OPEN_ROOM, GENERATE, LOAD_ACCOUNT, HYDRATE):
        room.send(name)
        room.wait_for('"_redirect"')
    assert [update.ours for update in room.updates[seen:] if update.ours] == []


@pytest.mark.parametrize("end", ENDINGS)
def test_a_copied_cookie_opens_no_new_socket_to_the_old_state(app: Running, footage: Footage, reviewer: Person, end: Ending) -> None:
    token = str(uuid.uuid4())
    with open_tab(app.address, cookie=reviewer.cookie, path=footage.path, token=token) as tab:
        tab.send(OPEN_ROOM)
        tab.wait_for('"phase_rx_state_":"ready"')
    end(app, reviewer)
    with open_again(app.address, cookie=reviewer.cookie, path=footage.path, token=token) as tab:
        assert footage.video_id not in str(tab.snapshot())
        tab.send(OPEN_ROOM)
        assert tab.wait_for('"_redirect"').ours == {}


def test_a_session_that_ends_leaves_those_of_others_alone(app: Running, room: Tab) -> None:
    other = app.person(Role.REVIEWER)
    disable(app, other)
    room.send(GENERATE)
    room.wait_for('"export_open_rx_state_":true')


def test_a_lower_role_applies_from_the_next_event(app: Running, room: Tab, reviewer: Person) -> None:
    with app.services.database.write() as db:
        app.services.accounts.set_role(db, reviewer.id, Role.VIEWER)
    room.send(GENERATE)
    assert room.wait_for(REFUSED).ours == {}
    assert '"export_open_rx_state_":true' not in str(room.frames)


def test_a_higher_role_applies_from_the_next_event(app: Running, footage: Footage) -> None:
    viewer = app.person(Role.VIEWER)
    with open_tab(app.address, cookie=viewer.cookie, path=footage.path) as tab:
        tab.send(OPEN_ROOM)
        tab.wait_for('"phase_rx_state_":"ready"')
        tab.send(TICK, clip_id=footage.identified[0])
        tab.send(GENERATE)
        tab.wait_for(REFUSED)
        with app.services.database.write() as db:
            app.services.accounts.set_role(db, viewer.id, Role.REVIEWER)
        tab.send(GENERATE)
        tab.wait_for('"export_open_rx_state_":true')


def test_a_page_keeps_its_state_when_its_socket_reconnects(app: Running, footage: Footage, reviewer: Person) -> None:
    token = str(uuid.uuid4())
    with open_tab(app.address, cookie=reviewer.cookie, path=footage.path, token=token) as tab:
        tab.send(OPEN_ROOM)
        tab.wait_for('"phase_rx_state_":"ready"')
    with open_again(app.address, cookie=reviewer.cookie, path=footage.path, token=token) as tab:
        assert footage.video_id in str(tab.snapshot())


@pytest.mark.parametrize("who", ["somebody else", "nobody"])
def test_a_pages_token_shows_nothing_to_another(app: Running, footage: Footage, reviewer: Person, who: str) -> None:
    token = str(uuid.uuid4())
    with open_tab(app.address, cookie=reviewer.cookie, path=footage.path, token=token) as tab:
        tab.send(OPEN_ROOM)
        tab.wait_for('"phase_rx_state_":"ready"')
        assert footage.video_id in str(tab.snapshot())
    cookie = app.person(Role.ADMIN).cookie if who == "somebody else" else ""
    with open_again(app.address, cookie=cookie, path=footage.path, token=token) as tab:
        assert footage.video_id not in str(tab.snapshot())


def test_a_page_left_open_across_a_new_sign_in_starts_over(app: Running, footage: Footage, reviewer: Person) -> None:
    token = str(uuid.uuid4())
    with open_tab(app.address, cookie=reviewer.cookie, path=footage.path, token=token) as tab:
        tab.send(LOAD_ACCOUNT)
        tab.wait_for("Kim reviewer")
    with app.services.database.write() as db:
        again = app.services.sessions.start(db, reviewer.id)
    name = reviewer.cookie.partition("=")[0]
    with open_again(app.address, cookie=f"{name}={again.token}", path=footage.path, token=token) as tab:
        assert "Kim reviewer" not in str(tab.snapshot())


def test_over_https_only_the_host_prefixed_cookie_counts(app: Running, reviewer: Person) -> None:
    https: Any = {"origin": app.address.replace("http:", "https:"), "source": PROXY, "headers": {"X-Forwarded-Proto": "https"}}
    with open_tab(app.address, cookie=reviewer.cookie, **https) as tab:
        tab.send(LOAD_ACCOUNT)
        assert tab.wait_for('"_redirect"').ours == {}
    with open_tab(app.address, cookie=f"__Host-{reviewer.cookie}", **https) as tab:
        tab.send(LOAD_ACCOUNT)
        tab.wait_for("Kim reviewer")


def test_an_event_counts_as_use_of_the_session(app: Running, room: Tab, reviewer: Person) -> None:
    before = utc_now() - IDLE_TIMEOUT + timedelta(hours=1)
    set_session(app, reviewer, last_seen_at=before)
    room.send(GENERATE)
    room.wait_for('"export_open_rx_state_":true')
    with app.services.database.read() as db:
        (last_seen,) = db.exec(select(UserSession.last_seen_at).where(UserSession.id == reviewer.session_id))
    assert last_seen > before + timedelta(days=6)


def test_a_denial_is_an_audit_row(app: Running, footage: Footage) -> None:
    viewer = app.person(Role.VIEWER)
    with open_tab(app.address, cookie=viewer.cookie, path=footage.path) as tab:
        tab.send(GENERATE)
        tab.wait_for(REFUSED)
    with app.services.database.read() as db:
        (entry,) = db.exec(select(AuditEntry).where(AuditEntry.action == "denied", AuditEntry.actor == viewer.id))
    assert entry.subject == "VideoDetailState.handle_generate_shorts"
    assert (entry.address, entry.details) == ("127.0.0.1", {"wanted": "export", "role": "viewer"})
