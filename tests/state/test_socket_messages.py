"""Messages that no page sends: each gets one sentence or nothing, changes nothing, and is not logged."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from clipviewer.domain.permissions import Role
from clipviewer.state.library import LibraryState
from clipviewer.state.preferences import PreferencesState
from clipviewer.state.room import RoomState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.handlers import name_of
from tests.state.serving import Running
from tests.state.tab import HYDRATE, NAMESPACE, ON_LOAD, ROOT, Tab, open_tab
from tests.state.video_rows import Footage, add_footage

LOAD_ACCOUNT = name_of(PreferencesState, "open_page")
SEARCH = name_of(LibraryState, "set_search")
SELECT = name_of(VideoDetailState, "select_clip")
RANGE = name_of(VideoDetailState, "show_range")
DIALOG = name_of(VideoDetailState, "set_export_open")
REPORT = f"{ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception"
CANARY = "c4narY-of-the-messages"
INVALID = "The input is not valid"


@pytest.fixture(scope="module")
def footage(app: Running) -> Footage:
    with app.services.database.write() as db:
        return add_footage(db, "Pier")


@pytest.fixture
def room(app: Running, footage: Footage) -> Iterator[Tab]:
    """An admin's open clip room."""
    with open_tab(app.address, cookie=app.person(Role.ADMIN).cookie, path=footage.path) as tab:
        tab.send(name_of(RoomState, "open"))
        tab.wait_for('"phase_rx_state_":"ready"')
        yield tab


WRONG_ARGUMENTS: list[tuple[str, Any]] = [
    (SEARCH, {}),
    (SEARCH, {"text": 3}),
    (SEARCH, {"text": None}),
    (SEARCH, {"text": {"password": CANARY}}),
    (SEARCH, {"text": [CANARY]}),
    (SEARCH, {"text": f"{CANARY}\0"}),
    (SEARCH, {"text": f"{CANARY}\ud800"}),
    (SEARCH, {"text": CANARY * 200}),
    (SEARCH, {"text": "fine", CANARY: CANARY}),
    (SEARCH, {"text": "fine", "role": "admin"}),
    (SEARCH, {"text": "fine", "owner_id": "user_1"}),
    (SEARCH, {"text": "fine", "self": CANARY}),
    (SEARCH, {"words": CANARY}),
    (SELECT, {"clip_id": {"id": CANARY}}),
    (SELECT, {"clip_id": True}),
    (RANGE, {"first": {"from": CANARY}, "last": 3}),
    (RANGE, {"first": CANARY, "last": 3}),
    (RANGE, {"first": "0", "last": "3"}),
    (RANGE, {"first": 0.5, "last": 3}),
    (RANGE, {"first": True, "last": 3}),
    (RANGE, {"first": None, "last": None}),
    (RANGE, {"last": 3}),
    (DIALOG, {"is_open": 1}),
    (DIALOG, {"is_open": CANARY}),
    (LOAD_ACCOUNT, {"role": "admin", "user_id": CANARY}),
    (HYDRATE, {"hashes": CANARY}),
    (HYDRATE, {"hashes": [1, {"a": CANARY}]}),
    (REPORT, {"info": {"a": CANARY}, "component_stack": 1}),
    (REPORT, {}),
]


@pytest.mark.parametrize(("name", "payload"), WRONG_ARGUMENTS, ids=lambda value: str(value)[-40:])
def test_invalid_arguments_are_refused_with_one_sentence(app: Running, room: Tab, name: str, payload: Any) -> None:
    before, logged = room.snapshot(), len(app.log())
    room.send(name, **payload) if "self" not in payload else room.emit("event", room.event(name, payload))
    update = room.wait_for(INVALID)
    assert update.delta == {}
    assert CANARY not in str(update)
    assert room.snapshot() == before
    assert CANARY not in app.log()[logged:]


NOT_EVENTS: list[Any] = [
    None,
    3,
    CANARY,
    [CANARY],
    json.dumps({"name": SEARCH, "payload": {"text": CANARY}}),
    {},
    {"name": None},
    {"name": 3, "payload": {"password": CANARY}},
    {"name": [CANARY]},
    {"name": {"a": CANARY}},
    {"name": CANARY * 100},
    {"name": SEARCH, "payload": CANARY},
    {"name": SEARCH, "payload": [CANARY]},
    {"name": SEARCH, "payload": {"text": "x"}, "router_data": CANARY},
    {"name": SEARCH, "payload": {"text": "x"}, "router_data": {"asPath": 3}},
    {"name": SEARCH, "payload": {"text": "x"}, "router_data": {"asPath": f"https://evil.example.org/{CANARY}"}},
    {"name": SEARCH, "payload": {"text": "x"}, "router_data": {"asPath": f"/\r\n{CANARY}"}},
    {"name": SEARCH, "payload": {"text": "x"}, "router_data": {"pathname": [CANARY]}},
    {"name": SEARCH, "payload": {"text": "x"}, "router_data": {"query": {"id": {"a": CANARY}}}},
]


@pytest.mark.parametrize("message", NOT_EVENTS, ids=lambda value: str(value)[-40:])
def test_an_invalid_event_is_refused_with_one_sentence(app: Running, room: Tab, message: Any) -> None:
    before, logged = room.snapshot(), len(app.log())
    room.emit("event", message)
    assert room.wait_for(INVALID).delta == {}
    assert room.snapshot() == before
    assert CANARY not in app.log()[logged:]


@pytest.mark.parametrize(
    "message",
    [
        ("event",),
        ("event", {"name": SEARCH, "payload": {"text": CANARY}}, CANARY),
        ("ping", CANARY),
        ("client_error",),
        ("client_error", CANARY),
        ("connect", CANARY),
        ("connect_error", CANARY),
        ("update", CANARY),
        ("link_token_to_sid", CANARY, CANARY),
        ("emit_update", CANARY),
        ("__class__", CANARY),
        (CANARY, CANARY),
        (3, CANARY),
        (None, CANARY),
        ({"a": CANARY}, CANARY),
    ],
    ids=lambda value: str(value)[:40],
)
def test_other_messages_change_nothing_and_log_nothing(app: Running, room: Tab, message: tuple[Any, ...]) -> None:
    before, logged = room.snapshot(), len(app.log())
    room.emit(*message)
    assert room.snapshot() == before
    assert app.log()[logged:] == ""


MALFORMED = {
    "cut off": f'42{NAMESPACE},["event",{{',
    "null": f"42{NAMESPACE},null",
    "no number": f"9zz{CANARY}",
    "empty": "",
    "nothing": f"42{NAMESPACE},",
    "empty list": f"42{NAMESPACE},[]",
    "object": f"42{NAMESPACE},{{}}",
    "text": f"42{NAMESPACE},[{CANARY}",
    "type": f"4x{CANARY}",
    "binary event": f"45{NAMESPACE},1",
    "attachments": f'451-{NAMESPACE},["event",{{"_placeholder":true,"num":0}}]',
    "error": f"44{NAMESPACE}",
    "words": CANARY,
    "deep": f"42{NAMESPACE}," + "[" * 100_000 + "]" * 100_000,
    "deep payload": f'42{NAMESPACE},["event",' + "[" * 300 + "]" * 300 + "]",
    "deep opening": f'40{NAMESPACE},{{"event":' + "[" * 300 + "]" * 300 + "}",
    "integer": f"42{NAMESPACE},[{'1' * 5_000}]",
    "acknowledgement": f'42{NAMESPACE},{"1" * 5_000}["event"]',
}


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_frame_closes_its_own_socket_without_a_traceback(app: Running, room: Tab, frame: str) -> None:
    logged = len(app.log())
    with open_tab(app.address, cookie=app.person().cookie) as tab:
        tab.send_frame(frame)
        assert tab.closing() == 1007
    assert "Kim admin" in str(room.snapshot())
    written = app.log()[logged:]
    assert CANARY not in written
    assert len(written.splitlines()) <= 1
    assert "Traceback" not in written


def test_a_binary_frame_closes_its_own_socket_without_a_traceback(app: Running) -> None:
    logged = len(app.log())
    with open_tab(app.address) as tab:
        tab.send_frame(CANARY.encode())
        assert tab.closing() == 1007
    assert CANARY not in app.log()[logged:]


def test_a_client_that_hangs_up_in_the_middle_of_a_body_is_no_error(app: Running) -> None:
    logged = len(app.log())
    port = urlsplit(app.address).port
    for path in ("/api/auth/sign-in", "/api/clips/videos/v/download", "/s3/clipviewer/key", "/sign-in"):
        request = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{{"
        with socket.create_connection(("127.0.0.1", port or 0)) as connection:
            connection.sendall(request.encode())
    with open_tab(app.address) as tab:
        tab.snapshot()
    assert app.log()[logged:] == ""


def test_what_a_browser_claims_about_itself_is_overwritten(app: Running) -> None:
    with open_tab(app.address) as tab:
        admin = app.person(Role.ADMIN)
        claimed = {
            "pathname": "/",
            "asPath": "/",
            "headers": {"cookie": admin.cookie, "host": "evil.example.org", "origin": "https://evil.example.org"},
            "ip": "192.0.2.1",
            "token": "00000000-0000",
            "sid": "another",
        }
        event = {"name": LOAD_ACCOUNT, "payload": {}, "router_data": claimed, "token": "00000000-0000", "user_id": admin.id}
        tab.emit("event", event)
        assert tab.wait_for('"_redirect"').ours == {}
        tab.snapshot()
    assert not any(word in frame for frame in tab.frames for word in ("evil.example.org", "192.0.2.1", "00000000-0000"))


def test_a_hydrate_sent_with_the_connection_obeys_the_same_rules(app: Running) -> None:
    logged = len(app.log())
    for auth in (
        {"event": {"name": SEARCH, "payload": {"text": {"password": CANARY}}}, "state_schema": CANARY},
        [CANARY],
        {"event": CANARY},
    ):
        with open_tab(app.address, cookie=app.person().cookie, auth=auth) as tab:
            tab.send(LOAD_ACCOUNT)
            tab.wait_for("Kim viewer")
    assert CANARY not in app.log()[logged:]


def test_the_path_selects_the_load_handlers_and_they_check_the_principal(app: Running, footage: Footage) -> None:
    with open_tab(app.address, path=footage.path) as tab:
        tab.send(ON_LOAD)
        assert tab.wait_for('"_redirect"').ours == {}
    with open_tab(app.address, path=footage.path, cookie=app.person().cookie) as tab:
        tab.send(ON_LOAD)
        tab.wait_for('"phase_rx_state_":"ready"')


def test_a_page_reports_its_errors_without_secrets_and_up_to_a_limit(app: Running) -> None:
    logged = len(app.log())
    with open_tab(app.address) as tab:
        for number in range(30):
            info = f"TypeError {number}: https://b.s3.amazonaws.com/k?X-Amz-Signature={CANARY}\nsecond line"
            tab.send(REPORT, info=info, component_stack="")
        tab.wait_for("Your role does not allow this")
        tab.snapshot()
        tab.emit("client_error", {"error_type": "other", "message": f"password={CANARY}"})
        tab.snapshot()
    lines = app.log()[logged:].splitlines()
    assert 0 < len([line for line in lines if "TypeError" in line]) <= 20
    assert all("second line" not in line or "TypeError" in line for line in lines)
    assert CANARY not in "".join(lines)
