"""Every event handler × every kind of caller, over a real websocket; generated from the registered handlers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from clipviewer.domain.permissions import Action, Role, allows
from clipviewer.state.adopt import AdoptState
from clipviewer.state.captions import CaptionsState
from clipviewer.state.event_door import FRAMEWORK
from clipviewer.state.export_dialog import ExportDialogState
from clipviewer.state.exports import ExportState
from clipviewer.state.finding import FindingState
from clipviewer.state.framing import FramingState
from clipviewer.state.help import HelpState
from clipviewer.state.library import LibraryState
from clipviewer.state.library_changes import LibraryChangesState
from clipviewer.state.library_page import LibraryPageState
from clipviewer.state.library_strip import LibraryStripState
from clipviewer.state.matrix import MatrixState
from clipviewer.state.missing_files import MissingFileState
from clipviewer.state.preferences import PreferencesState
from clipviewer.state.quick_start import QuickStartState
from clipviewer.state.room import RoomState
from clipviewer.state.storage_doctor import StorageDoctorState
from clipviewer.state.timeline import TimelineState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.handlers import name_of, policy_of, registered
from tests.state.serving import Person, Running
from tests.state.tab import Tab, open_tab
from tests.state.video_rows import Footage, add_footage

OPEN = {
    "State.hydrate_and_load": "a page asks for its own state when it opens",
    "OnLoadInternalState.on_load_internal": "a page's address starts the handlers that are bound to it, each of which has its policy",
    "FrontendEventExceptionState.handle_frontend_exception": "a page reports an error of its own",
}
SHUT = {
    "EventHandlerSetVar.setvar": "sets any var by name",
    "State.hydrate": "hydrate_and_load is the one that pages use",
    "State.set_is_hydrated": "only Reflex itself chains it",
    "OnLoadInternalState.set_is_hydrated": "only Reflex itself chains it",
    "UpdateVarsInternalState.update_vars_internal": "sets what the browser stores; nothing is stored there",
}
REFUSED = "Your role does not allow this"


@dataclass(frozen=True)
class Call:
    """How a page calls a handler, and the text in the response that shows it ran; "" if there is nothing to do."""

    payload: Callable[[Footage], dict[str, Any]]
    effect: Callable[[Footage], str]
    before: tuple[str, ...] = ()


def call(effect: str | Callable[[Footage], str], *before: str, **payload: Any) -> Call:
    def filled(footage: Footage) -> dict[str, Any]:
        return {name: value(footage) if callable(value) else value for name, value in payload.items()}

    return Call(filled, effect if callable(effect) else lambda _: effect, before)


ROOM = name_of(RoomState, "open")
TICK = "toggle_clip_selection"
GRID = name_of(MatrixState, "set_view")
USUAL = {"ratio 9:16": "on", "original": "on", "captions": "off", "framing": "centre", "shortest_s": "15", "longest_s": "60"}
USUAL |= {"keep_failed_days": "30"}
CALLS: dict[str, Call] = {
    name_of(LibraryState, "load"): call('"phase_rx_state_":"ready"'),
    name_of(LibraryState, "set_search"): call('"search_rx_state_":"Harb"', text="Harb"),
    name_of(LibraryState, "set_sort"): call('"sort_rx_state_":"title"', sort="title"),
    name_of(LibraryState, "set_filter"): call('"shown_rx_state_":"running"', shown="running"),
    name_of(LibraryState, "set_tag"): call('"tag_rx_state_":"boats"', tag="boats"),
    name_of(LibraryState, "set_view"): call('"view_rx_state_":"table"', view="table"),
    name_of(LibraryState, "clear"): call('"entered_rx_state_":1'),
    name_of(LibraryState, "show_from"): call('"phase_rx_state_":"ready"', first=0),
    name_of(LibraryState, "show_more"): call('"phase_rx_state_":"ready"'),
    name_of(LibraryChangesState, "ask_title"): call('"dialog_rx_state_":{"kind":"rename"', video_id=lambda f: f.video_id),
    name_of(LibraryChangesState, "ask_tags"): call('"dialog_rx_state_":{"kind":"tags"', video_ids=lambda f: [f.video_id]),
    name_of(LibraryChangesState, "ask_objects"): call('"dialog_rx_state_":{"kind":"delete"', video_ids=lambda f: [f.video_id]),
    name_of(LibraryChangesState, "ask_removal"): call('"dialog_rx_state_":{"kind":"remove"', video_ids=lambda f: [f.video_id]),
    name_of(LibraryChangesState, "close_dialog"): call('"dialog_rx_state_":{"kind":""'),
    name_of(LibraryChangesState, "choose_objects"): call('"objects":"keep"', objects="keep"),
    name_of(LibraryChangesState, "save_title"): call('"dialog_rx_state_":{"kind":""', form={"title": "Quay"}),
    name_of(LibraryChangesState, "save_tags"): call('"dialog_rx_state_":{"kind":""', form={"tags": "boats"}),
    name_of(LibraryChangesState, "delete"): call('"dialog_rx_state_":{"kind":""'),
    name_of(LibraryChangesState, "remove"): call('"dialog_rx_state_":{"kind":""'),
    name_of(LibraryChangesState, "archive"): call('"done_rx_state_":"Restored', video_ids=lambda f: [f.video_id], archived=False),
    name_of(LibraryChangesState, "restore"): call('"done_rx_state_":"Restored', video_ids=lambda f: [f.video_id]),
    name_of(LibraryChangesState, "undo"): call('"undoable_rx_state_":false'),
    name_of(LibraryChangesState, "dismiss"): call('"done_rx_state_":""'),
    name_of(LibraryPageState, "open"): call('"name_rx_state_":"Kim '),
    name_of(LibraryPageState, "follow"): call('"preparing_rx_state_":'),
    name_of(LibraryStripState, "cancel"): call('"failed_rx_state_":', running_id=lambda f: f.jobs[0]),
    name_of(AdoptState, "set_opened"): call('"opened_rx_state_":true', opened=True),
    name_of(AdoptState, "preview"): call('"problem_rx_state_":"This is not a valid prefix', prefix="../"),
    name_of(AdoptState, "adopt"): call('"problem_rx_state_":"This is not a valid prefix', prefix="../"),
    name_of(AdoptState, "follow"): call('"run_rx_state_":{"id":'),
    name_of(AdoptState, "call_off"): call('"run_rx_state_":{"id":'),
    name_of(HelpState, "open_page"): call('"name_rx_state_":"Kim '),
    name_of(PreferencesState, "open_page"): call('"phase_rx_state_":"ready"'),
    name_of(PreferencesState, "save"): call('"shown_rx_state_":{"ratios":["9:16"]', form=USUAL),
    name_of(StorageDoctorState, "open_page"): call('"phase_rx_state_":"c'),
    name_of(StorageDoctorState, "look"): call('"phase_rx_state_":"checking"'),
    ROOM: call('"phase_rx_state_":"ready"'),
    name_of(RoomState, "follow"): call(""),
    name_of(VideoDetailState, "select_clip"): call(
        lambda f: f'"selected_exported_clip_rx_state_":{{"id":"{f.exported[1]}"', ROOM, clip_id=lambda f: f.exported[1]
    ),
    name_of(VideoDetailState, "show_range"): call('"exported_offset_rx_state_":20', ROOM, first=70, last=79),
    name_of(VideoDetailState, "set_tab"): call('"tab_rx_state_":"identified"', ROOM, tab="identified"),
    name_of(VideoDetailState, TICK): call(lambda f: f'"ticked_rx_state_":["{f.identified[0]}"]', ROOM, clip_id=lambda f: f.identified[0]),
    name_of(VideoDetailState, "handle_generate_shorts"): call('"export_open_rx_state_":true', ROOM, TICK),
    name_of(VideoDetailState, "set_export_open"): call('"export_open_rx_state_":true', ROOM, TICK, is_open=True),
    name_of(ExportDialogState, "plan"): call("1 clip × 1 aspect ratio × 1 language: 0 new, 1 already there.", ROOM, TICK),
    name_of(ExportDialogState, "toggle_ratio"): call('"ratios_rx_state_":["9:16","1:1"]', ratio="1:1"),
    name_of(ExportDialogState, "set_framing"): call('"1:1":"fit"', ratio="1:1", framing="fit"),
    name_of(ExportDialogState, "toggle_language"): call("Choose at least one language.", ROOM, TICK, language="original"),
    name_of(ExportDialogState, "set_captions"): call('"captions_rx_state_":"soft"', captions="soft"),
    name_of(ExportDialogState, "handle_export_clips"): call('"export_open_rx_state_":false', ROOM, TICK),
    name_of(CaptionsState, "load"): call('"tag":"de"', ROOM),
    name_of(CaptionsState, "set_opened"): call('"opened_rx_state_":true', ROOM, opened=True),
    name_of(CaptionsState, "remove"): call('"tracks_rx_state_":[', ROOM, language="fr"),
    name_of(CaptionsState, "find_in_file"): call("Reading the video file", ROOM),
    name_of(CaptionsState, "translate"): call("Translating into French", ROOM, source="de", target="fr"),
    name_of(CaptionsState, "put_back"): call('"tracks_rx_state_":[', ROOM),
    name_of(ExportState, "cancel_export"): call('"jobs_rx_state_":[', ROOM, job_id=lambda f: f.jobs[0]),
    name_of(ExportState, "retry_export"): call('"jobs_rx_state_":[', ROOM, job_id=lambda f: f.jobs[1]),
    name_of(FramingState, "open_clip"): call(
        lambda f: f'"shown_rx_state_":{{"clip_id":"{f.identified[2]}"', ROOM, clip_id=lambda f: f.identified[2]
    ),
    name_of(FramingState, "look"): call('"looking":true', ROOM, clip_id=lambda f: f.identified[2]),
    name_of(FramingState, "save_framing"): call('"answers":1', ROOM, clip_id=lambda f: f.identified[2], ratio="9:16", x=0.4, y=0.5),
    name_of(FramingState, "forget_framing"): call('"answers":1', ROOM, clip_id=lambda f: f.identified[2], ratio="1:1"),
    name_of(FindingState, "find"): call('"may_find":true'),
    name_of(FindingState, "call_off"): call(lambda f: f'"video_id":"{f.video_id}","state":'),
    name_of(MissingFileState, "report"): call('"gone_rx_state_":"video_', ROOM, clip_id=lambda f: f.video_id),
    name_of(MissingFileState, "look"): call('"gone_rx_state_":"video_', ROOM, clip_id=lambda f: f.video_id),
    name_of(TimelineState, "make_previews"): call('"may_mark":true'),
    name_of(TimelineState, "save_clip"): call(
        lambda f: f'"selected_identified_clip_rx_state_":{{"id":"{f.identified[1]}"',
        ROOM,
        clip_id=lambda f: f.identified[1],
        start_ms=2_000,
        end_ms=4_000,
        title="Candidate 1",
    ),
    name_of(TimelineState, "remove_clip"): call('"saved":1', ROOM, clip_id="clip_none"),
    name_of(TimelineState, "put_back"): call('"saved":1', ROOM),
    name_of(QuickStartState, "mend"): call(lambda f: f'"quick_start_rx_state_":{{"video_id":"{f.video_id}"'),
    name_of(QuickStartState, "call_off"): call(lambda f: f'"quick_start_rx_state_":{{"video_id":"{f.video_id}"'),
    GRID: call('"lines_rx_state_":[', ROOM, view="matrix"),
    name_of(MatrixState, "set_filter"): call('"exported_total_rx_state_":27', ROOM, name="ratio", value="1:1"),
    name_of(MatrixState, "clear_filters"): call('"opened_rx_state_":null', ROOM),
    name_of(MatrixState, "show_lines"): call('"offset_rx_state_":20', ROOM, GRID, first=70, last=79),
    name_of(MatrixState, "refresh"): call("", ROOM),
    name_of(MatrixState, "open_cell"): call(
        lambda f: f'"opened_rx_state_":{{"key":"{f.exported[0]}"', ROOM, GRID, key=lambda f: f.exported[0]
    ),
    name_of(MatrixState, "export_cell"): call(
        lambda f: f'"opened_rx_state_":{{"key":"{f.exported[0]}"', ROOM, GRID, key=lambda f: f.exported[0]
    ),
}


@functools.cache
def policies() -> dict[str, Action]:
    """Return the policy of each of our handlers."""
    return {name: policy for name, handler in registered().items() if isinstance(policy := policy_of(handler), Action)}


def short(name: str) -> str:
    return name.rpartition("___")[2]


@pytest.fixture(scope="module")
def footage(app: Running) -> Footage:
    with app.services.database.write() as db:
        return add_footage(db, exported=80, ordered=True)


def prepare(tab: Tab, wanted: Call, footage: Footage) -> None:
    """Bring the room to a state in which the handler has something to do."""
    for handler in wanted.before:
        send_before(tab, handler, footage)


def send_before(tab: Tab, handler: str, footage: Footage) -> None:
    name = handler if handler in CALLS else name_of(VideoDetailState, handler)
    before = CALLS[name]
    tab.send(name, **before.payload(footage))
    tab.wait_for(before.effect(footage))


def assert_only_the_way_to_the_sign_in_page(tab: Tab, footage: Footage, since: int = 0) -> None:
    update = tab.wait_for('"_redirect"')
    assert [event["payload"]["path"] for event in update.events if event["name"] == "_redirect"] == [
        f"/sign-in?next=%2Fvideos%2F{footage.video_id}"
    ]
    assert len(update.events) == 2
    assert "Unauthorized" in str(update.events)
    assert [seen.ours for seen in tab.updates[since:] if seen.ours] == []


def test_every_handler_has_a_policy_or_is_a_justified_framework_handler() -> None:
    unstated = {handler.fn.__qualname__ for handler in registered().values() if policy_of(handler) is None}
    assert unstated == OPEN.keys() | SHUT.keys()
    assert OPEN.keys() == FRAMEWORK.keys()


def test_the_matrix_can_call_every_handler_of_ours() -> None:
    assert CALLS.keys() == policies().keys()


@pytest.mark.parametrize("role", list(Role))
def test_a_role_gets_what_the_policy_says(app: Running, footage: Footage, role: Role, subtests: pytest.Subtests) -> None:
    cookie = app.person(role).cookie
    for name, wanted in CALLS.items():
        effect = wanted.effect(footage)
        if effect and not allows(role, policies()[name]):
            continue
        with subtests.test(short(name)), open_tab(app.address, cookie=cookie, path=footage.path) as tab:
            prepare(tab, wanted, footage)
            before = {} if effect else tab.snapshot()
            tab.send(name, **wanted.payload(footage))
            if effect:
                assert tab.wait_for(effect).ours
            else:
                assert tab.snapshot() == before
                assert not any(word in frame for frame in tab.frames for word in (REFUSED, "Unauthorized"))


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_refused_the_rest_and_nothing_changes(app: Running, footage: Footage, role: Role, subtests: pytest.Subtests) -> None:
    refused = {name: wanted for name, wanted in CALLS.items() if wanted.effect(footage) and not allows(role, policies()[name])}
    with open_tab(app.address, cookie=app.person(role).cookie, path=footage.path) as tab:
        for handler in (ROOM, TICK, GRID):
            send_before(tab, handler, footage)
        before = tab.snapshot()
        for name, wanted in refused.items():
            with subtests.test(short(name)):
                tab.send(name, **wanted.payload(footage))
                tab.wait_for(REFUSED)
                assert tab.snapshot() == before


def test_viewers_cannot_start_exports() -> None:
    for_reviewers = {name.rpartition("___")[2] for name, policy in policies().items() if not allows(Role.VIEWER, policy)}
    assert for_reviewers == {
        "video_detail_state.handle_generate_shorts",
        "finding_state.find",
        "finding_state.call_off",
        *(f"timeline_state.{name}" for name in ("make_previews", "save_clip", "remove_clip", "put_back")),
        "quick_start_state.mend",
        "quick_start_state.call_off",
        "library_strip_state.cancel",
        *(f"library_changes_state.ask_{name}" for name in ("title", "tags", "objects", "removal")),
        *(f"library_changes_state.{name}" for name in ("save_title", "save_tags", "archive", "undo")),
        *(f"library_changes_state.{name}" for name in ("choose_objects", "delete", "restore", "remove")),
        *(f"adopt_state.{name}" for name in ("set_opened", "preview", "adopt", "follow", "call_off")),
        "storage_doctor_state.look",
        "preferences_state.save",
        "framing_state.save_framing",
        "framing_state.forget_framing",
        *(f"export_state.{name}" for name in ("cancel_export", "retry_export")),
        *(f"export_dialog_state.{name}" for name in ("plan", "toggle_ratio", "set_framing", "toggle_language", "set_captions")),
        "export_dialog_state.handle_export_clips",
        *(f"captions_state.{name}" for name in ("remove", "put_back", "find_in_file", "translate")),
        "matrix_state.export_cell",
    }


def test_anonymous_is_only_redirected_to_the_sign_in_page(app: Running, footage: Footage, subtests: pytest.Subtests) -> None:
    with open_tab(app.address, path=footage.path) as tab:
        before = tab.snapshot()
        for name in CALLS:
            with subtests.test(short(name)):
                seen = len(tab.updates)
                tab.send(name, **CALLS[name].payload(footage))
                assert_only_the_way_to_the_sign_in_page(tab, footage, seen)
                assert tab.snapshot() == before


def test_a_disabled_person_gets_no_more_than_anonymous_even_in_an_open_room(
    app: Running, footage: Footage, subtests: pytest.Subtests
) -> None:
    groups: dict[str, list[str]] = {}
    for name in CALLS:
        groups.setdefault(name.rpartition(".")[0], []).append(name)
    for names in groups.values():
        admin = app.person(Role.ADMIN)
        with open_tab(app.address, cookie=admin.cookie, path=footage.path) as tab:
            for handler in {handler: None for name in names for handler in CALLS[name].before}:
                send_before(tab, handler, footage)
            disable(app, admin)
            for name in names:
                with subtests.test(short(name)):
                    seen = len(tab.updates)
                    tab.send(name, **CALLS[name].payload(footage))
                    assert_only_the_way_to_the_sign_in_page(tab, footage, seen)
        with open_tab(app.address, cookie=admin.cookie, path=footage.path) as tab:
            for name in names:
                with subtests.test(f"{short(name)} in a new tab"):
                    seen = len(tab.updates)
                    tab.send(name, **CALLS[name].payload(footage))
                    assert_only_the_way_to_the_sign_in_page(tab, footage, seen)


def disable(app: Running, person: Person) -> None:
    app.person(Role.ADMIN)
    with app.services.database.write() as db:
        app.services.accounts.disable(db, person.id)


@pytest.mark.parametrize("who", ["anonymous", "admin"])
def test_the_frameworks_other_handlers_are_blocked(app: Running, who: str) -> None:
    shut = [name for name, handler in registered().items() if handler.fn.__qualname__ in SHUT]
    assert len(shut) >= len(SHUT)
    payloads: dict[str, dict[str, Any]] = {
        "setvar": {"var_name": "search", "value": "planted"},
        "set_is_hydrated": {"value": False},
        "update_vars_internal": {"vars": {f"{LibraryState.get_full_name()}.search": "planted"}},
    }
    cookie = app.person(Role.ADMIN).cookie if who == "admin" else ""
    with open_tab(app.address, cookie=cookie) as tab:
        before = tab.snapshot()
        for name in shut:
            tab.send(name, **payloads.get(name.rpartition(".")[2], {}))
            update = tab.wait_for(REFUSED)
            assert update.delta == {}
        assert tab.snapshot() == before


def test_an_unregistered_handler_is_refused_like_a_blocked_one(app: Running) -> None:
    with open_tab(app.address, cookie=app.person().cookie) as tab:
        for name in ("", "load", name_of(LibraryState, "_load"), name_of(LibraryState, "reset"), name_of(VideoDetailState, "video")):
            tab.send(name)
            assert tab.wait_for(REFUSED).delta == {}
