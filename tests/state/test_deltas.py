"""What reaches a browser: the fields that the pages show, and no secret."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from clipviewer.db.models import User
from clipviewer.domain.permissions import Role
from clipviewer.state.account import AccountState
from clipviewer.state.adopt import AdoptRun, AdoptState, FoundView, KeyGroup
from clipviewer.state.captions import CaptionsState
from clipviewer.state.export_dialog import ExportDialogState
from clipviewer.state.exports import ExportState
from clipviewer.state.finding import FindingState, SearchView
from clipviewer.state.framing import FramingState
from clipviewer.state.framing_rows import ContentView, FramingView, LookView
from clipviewer.state.help import HelpState
from clipviewer.state.library import LibraryState
from clipviewer.state.library_changes import ChangeDialog, LibraryChangesState
from clipviewer.state.library_page import LibraryPageState
from clipviewer.state.library_rows import VideoCard
from clipviewer.state.library_strip import LibraryStripState, RunningRow
from clipviewer.state.matrix import MatrixState
from clipviewer.state.matrix_rows import MatrixCell, MatrixGroup, MatrixLine, OpenedCell
from clipviewer.state.missing_files import MissingFileState
from clipviewer.state.preferences import PreferencesState, PreferencesView
from clipviewer.state.quick_start import QuickStartState, QuickStartView
from clipviewer.state.room import RoomState
from clipviewer.state.rows import CaptionsRow, ClipRow, JobRow, LanguageRow, UrlEntry, VideoView
from clipviewer.state.storage_doctor import FindingRow, StorageDoctorState
from clipviewer.state.timeline import TimelineState, TimelineView
from clipviewer.state.uploads import UploadState
from clipviewer.state.video_detail import VideoDetailState
from tests.state.handlers import name_of
from tests.state.serving import Running
from tests.state.tab import Tab, open_tab
from tests.state.video_rows import Footage, add_footage

PASSWORD = "seven brown otters"
MARK = "_rx_state_"
FIELDS: dict[type[Any], set[str]] = {
    LibraryState: {"phase", "videos", "total", "search", "sort", "shown", "tag", "tags", "first", "view", "entered", "preparing"},
    HelpState: set(),
    LibraryPageState: set(),
    RoomState: set(),
    LibraryChangesState: {"dialog", "done", "number", "undoable", "may_change", "may_delete"},
    LibraryStripState: {"running", "more", "failed", "stale", "missing", "busy", "paused"},
    AdoptState: {"may_adopt", "opened", "library", "looking", "problem", "look", "run"},
    AccountState: {"name", "email"},
    UploadState: {"may_upload"},
    PreferencesState: {"phase", "shown", "problems", "may_change"},
    StorageDoctorState: {"phase", "findings", "summary", "iam", "cors"},
    FramingState: {"shown"},
    FindingState: {"search"},
    MissingFileState: {"gone"},
    TimelineState: {"timeline", "removed"},
    QuickStartState: {"quick_start"},
    ExportState: {"jobs", "busy", "paused"},
    ExportDialogState: {"ratios", "framings", "framed", "languages", "offered", "captions", "summary", "missing"},
    CaptionsState: {"tracks", "opened", "working", "translates"},
    MatrixState: {
        "view",
        "only_ratio",
        "only_language",
        "only_state",
        "languages",
        "phase",
        "lines",
        "offset",
        "total",
        "progress",
        "opened",
    },
    VideoDetailState: {
        "phase",
        "video",
        "deleted",
        "tab",
        "exported_clips",
        "exported_offset",
        "exported_total",
        "exported_count",
        "identified_clips",
        "identified_offset",
        "identified_total",
        "selected_exported_clip",
        "selected_identified_clip",
        "clip_video_urls",
        "ticked",
        "export_open",
    },
}
ROWS: dict[type[Any], set[str]] = {
    ClipRow: {
        "id", "title", "start_ms", "end_ms", "span", "duration", "s3_key", "ratio", "language", "score", "score_parts", "note", "drift",
        "missing", "captions", "origin", "reasons",
    },
    VideoView: {"id", "title", "duration", "frame", "s3_key", "archived", "missing"},
    ChangeDialog: {"kind", "videos", "title", "text", "known", "exports", "everything", "objects", "problem"},
    LanguageRow: {"tag", "name"},
    CaptionsRow: {"tag", "language", "note"},
    JobRow: {"id", "title", "ratio", "making", "state", "percent", "reason", "log"},
    KeyGroup: {"name", "objects"},
    FoundView: {"head", "lines", "groups", "left_out"},
    AdoptRun: {"id", "state", "words", "found"},
    RunningRow: {"id", "what", "title", "waits", "percent", "note"},
    VideoCard: {
        "id", "title", "duration", "identified", "exported", "running", "poster", "state", "trouble", "active", "moment", "tags",
        "archived", "deleted", "strip",
    },
    UrlEntry: {"url", "expires", "now"},
    FramingView: {"clip_id", "saved", "look", "looking", "problem", "answers", "refused"},
    TimelineView: {
        "video_id", "duration_ms", "frame_rate", "edition", "sheets", "columns", "width", "height", "state", "percent", "note", "may_mark",
        "saved",
    },
    PreferencesView: {"ratios", "original", "others", "captions", "framing", "shortest_s", "longest_s"}
    | {"find_on_upload", "keep_failed_days"},
    FindingRow: {"check", "verdict", "text", "remedy"},
    QuickStartView: {"video_id", "state", "size", "percent", "note", "may_mend"},
    SearchView: {"video_id", "state", "percent", "note", "may_find", "candidates"},
    LookView: {"width", "height", "content", "shots"},
    ContentView: {"x", "y", "width", "height"},
    MatrixLine: {"id", "title", "span", "groups"},
    MatrixGroup: {"language", "cells"},
    MatrixCell: {"key", "ratio", "state", "note", "clip"},
    OpenedCell: {"key", "title", "ratio", "language", "state", "made", "text", "log", "job", "exportable"},
}  # fmt: skip
OF_REFLEX = {
    "id",
    "token",
    "is_hydrated",
    "rx_router_headers",
    "rx_router_page",
    "rx_router_route_id",
    "rx_router_session",
    "rx_router_url",
}


@pytest.fixture
def footage(app: Running) -> Footage:
    with app.services.database.write() as db:
        return add_footage(db, "Ferry")


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every name in a piece of JSON with its value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def use_everything(tab: Tab, footage: Footage) -> None:
    """Call every handler once with realistic arguments; ``footage`` must be new, since an export that is queued already changes nothing."""
    steps: list[tuple[type[Any], str, dict[str, Any], str]] = [
        (LibraryPageState, "open", {}, "Kim admin"),
        (LibraryState, "load", {}, '"phase_rx_state_":"ready"'),
        (PreferencesState, "open_page", {}, '"may_change_rx_state_":true'),
        (PreferencesState, "save", {"form": {"longest_s": "5"}}, '"problems_rx_state_":{"'),
        (StorageDoctorState, "open_page", {}, '"phase_rx_state_":"ready"'),
        (AdoptState, "preview", {"prefix": "../"}, '"problem_rx_state_"'),
        (RoomState, "open", {}, '"phase_rx_state_":"ready"'),
        (VideoDetailState, "select_clip", {"clip_id": footage.exported[2]}, footage.exported[2]),
        (VideoDetailState, "set_tab", {"tab": "identified"}, '"tab_rx_state_"'),
        (VideoDetailState, "toggle_clip_selection", {"clip_id": footage.identified[0]}, '"ticked_rx_state_"'),
        (VideoDetailState, "handle_generate_shorts", {}, '"export_open_rx_state_"'),
        (MissingFileState, "report", {"clip_id": footage.video_id}, '"gone_rx_state_"'),
        (FramingState, "open_clip", {"clip_id": footage.identified[0]}, '"shown_rx_state_":{"clip_id"'),
        (CaptionsState, "set_opened", {"opened": True}, '"opened_rx_state_":true'),
        (ExportDialogState, "plan", {}, '"summary_rx_state_"'),
        (ExportDialogState, "toggle_ratio", {"ratio": "16:9"}, '"ratios_rx_state_"'),
        (ExportDialogState, "set_framing", {"ratio": "16:9", "framing": "fit"}, '"framings_rx_state_"'),
        (ExportDialogState, "set_captions", {"captions": "soft"}, '"captions_rx_state_"'),
        (ExportDialogState, "handle_export_clips", {}, '"jobs_rx_state_"'),
        (LibraryPageState, "follow", {}, '"preparing_rx_state_"'),
    ]
    for state, handler, payload, effect in steps:
        tab.send(name_of(state, handler), **payload)
        tab.wait_for(effect)


def test_a_page_gets_only_the_fields_that_it_shows(app: Running, footage: Footage) -> None:
    with open_tab(app.address, cookie=app.person(Role.ADMIN).cookie, path=footage.path) as tab:
        use_everything(tab, footage)
        tab.snapshot()
    seen: dict[str, set[str]] = {}
    for update in tab.updates:
        for state, values in update.delta.items():
            seen.setdefault(state, set()).update(name.removesuffix(MARK) for name in values)
    assert {name: fields for name, fields in seen.items() if ".clipviewer___" in name} == {
        state.get_full_name(): fields for state, fields in FIELDS.items()
    }
    assert set().union(*(fields for name, fields in seen.items() if ".clipviewer___" not in name)) == OF_REFLEX


def test_rows_have_only_the_columns_that_the_pages_show() -> None:
    assert {row: {field.name for field in dataclasses.fields(row)} for row in ROWS} == ROWS


def test_the_page_gets_no_handshake_header_but_its_own_address(app: Running, footage: Footage) -> None:
    secrets = {"X-Auth-Request-Access-Token": "c4narY-1", "Authorization": "Bearer c4narY-2", "X-Forwarded-For": "192.0.2.7"}
    with open_tab(app.address, cookie=app.person().cookie, headers=secrets) as tab:
        tab.snapshot()
    host = app.address.removeprefix("http://")
    (headers,) = [inner for name, inner in walk(tab.updates[0].delta) if name == "raw_headers"]
    assert headers == {"host": host, "origin": app.address}
    assert not any("c4narY" in frame or "192.0.2.7" in frame for frame in tab.frames)


def test_no_frame_holds_a_secret(app: Running, footage: Footage) -> None:
    admin = app.person(Role.ADMIN, password=PASSWORD)
    with open_tab(app.address, cookie=admin.cookie, path=footage.path) as tab:
        use_everything(tab, footage)
        tab.snapshot()
    with app.services.database.read() as db:
        hashes = list(db.exec(select(User.password_hash).where(User.password_hash != "no password")))
        others = [user.email for user in db.exec(select(User)) if user.id != admin.id]
    key = (app.data_dir / "secret_key").read_text()
    store_secret = hmac.new(key.encode(), b"embedded store", hashlib.sha256).hexdigest()
    token = admin.cookie.partition("=")[2]
    wire = "\n".join(tab.frames)
    assert "X-Amz-Signature=" in wire
    for secret in (token, token.rpartition(".")[2], admin.session_id, admin.id, key, store_secret, str(app.data_dir), *hashes, *others):
        assert secret
        assert secret not in wire
    names = {name.lower() for frame in tab.updates for name, _ in walk(json.loads(json.dumps(frame.delta)))}
    assert not {name for name in names if any(word in name for word in ("cookie", "password", "hash", "secret", "etag", "poster_key"))}
