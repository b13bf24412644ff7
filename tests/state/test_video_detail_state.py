"""The clip room's state: what it loads, selects, keeps and signs."""

from __future__ import annotations

import dataclasses

import pytest

from clipviewer.db.models import User
from clipviewer.domain.ids import new_id
from clipviewer.domain.permissions import Role
from clipviewer.errors import SigningFailed
from clipviewer.services import container
from clipviewer.services.bucket.signing import SignedUrl, UrlSigner, embedded_addresses
from clipviewer.services.container import Services
from clipviewer.services.room.clip_room import WINDOW
from clipviewer.state import room_urls
from clipviewer.state.room import RoomState
from clipviewer.state.room_urls import SIGN_AHEAD
from clipviewer.state.video_detail import VideoDetailState
from tests.conftest import Clock
from tests.state.page import ORIGIN, Page
from tests.state.video_rows import Footage, add_footage

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class CountingSigner(UrlSigner):
    """The real signer, recording the keys it signs."""

    def __init__(self, services: Services, clock: Clock) -> None:
        super().__init__(services.store.credentials, embedded_addresses(services.settings), clock=clock)
        self.keys: list[str] = []
        self.failing = False

    def sign(self, key: str, *, origin: str | None = None, download_name: str | None = None) -> SignedUrl:
        self.keys.append(key)
        if self.failing:
            raise SigningFailed
        return super().sign(key, origin=origin, download_name=download_name)


@pytest.fixture
def signer(services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> CountingSigner:
    counting = CountingSigner(services, clock)
    monkeypatch.setattr(container, "_installed", dataclasses.replace(services, signer=counting))
    monkeypatch.setattr(room_urls, "_now_ms", lambda: int(clock().timestamp() * 1000))
    return counting


@pytest.fixture
def footage(services: Services) -> Footage:
    with services.database.write() as db:
        return add_footage(db, exported=5, identified=4)


@pytest.fixture
def long_footage(services: Services) -> Footage:
    with services.database.write() as db:
        return add_footage(db, exported=300, identified=200)


@pytest.fixture
def token(services: Services) -> str:
    with services.database.write() as db:
        user = User(email=f"{new_id('mail')}@example.org", name="Kim", role=Role.REVIEWER, password_hash="none")
        db.add(user)
        db.flush()
        return services.sessions.start(db, user.id).token


@pytest.fixture
def room(signer: CountingSigner, token: str, footage: Footage) -> Page:
    """An open room with five exported clips and four candidates."""
    page = Page(token, footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    signer.keys.clear()
    return page


def test_opening_a_room_loads_its_clips_selects_the_first_exported_one_and_signs_it(
    signer: CountingSigner, token: str, footage: Footage
) -> None:
    page = Page(token, footage.path)
    delta, answer = page.call(RoomState, "open", of=VideoDetailState)
    assert answer == ""
    assert (delta["phase"], delta["video"].id) == ("ready", footage.video_id)
    assert [row.id for row in delta["exported_clips"]] == list(footage.exported)
    assert [row.id for row in delta["identified_clips"]] == list(footage.identified)
    assert delta["selected_exported_clip"].id == footage.exported[0]
    assert delta["clip_video_urls"][footage.exported[0]].url.startswith(f"{ORIGIN}/s3/")
    assert delta["clip_video_urls"].keys() == {*footage.exported, footage.video_id}


def test_a_url_states_its_expiry_by_the_servers_clock(signer: CountingSigner, token: str, footage: Footage, clock: Clock) -> None:
    page = Page(token, footage.path)
    entry = page.call(RoomState, "open", of=VideoDetailState)[0]["clip_video_urls"][footage.exported[0]]
    assert entry.now == int(clock().timestamp() * 1000)
    assert 2700 * 1000 <= entry.expires - entry.now <= 3600 * 1000


def test_a_deep_link_selects_its_clip_and_its_tab(signer: CountingSigner, token: str, footage: Footage) -> None:
    exported = Page(token, f"{footage.path}?clip={footage.exported[3]}")
    assert exported.call(RoomState, "open", of=VideoDetailState)[0]["selected_exported_clip"].id == footage.exported[3]
    assert exported.state(VideoDetailState).tab == "exported"
    identified = Page(token, f"{footage.path}?clip={footage.identified[2]}")
    assert identified.call(RoomState, "open", of=VideoDetailState)[0]["selected_identified_clip"].id == footage.identified[2]
    assert identified.state(VideoDetailState).tab == "identified"
    tab = Page(token, f"{footage.path}?tab=identified")
    tab.call(RoomState, "open", of=VideoDetailState)
    assert tab.state(VideoDetailState).tab == "identified"


def test_a_video_that_has_no_exports_yet_opens_at_its_candidates(signer: CountingSigner, services: Services, token: str) -> None:
    with services.database.write() as db:
        bare = add_footage(db, exported=0, identified=0)
    page = Page(token, bare.path)
    page.call(RoomState, "open", of=VideoDetailState)
    assert page.state(VideoDetailState).tab == "identified"
    asked = Page(token, f"{bare.path}?tab=exported")
    asked.call(RoomState, "open", of=VideoDetailState)
    assert asked.state(VideoDetailState).tab == "exported"


def test_a_deep_link_to_an_unknown_clip_says_so_and_shows_the_first(signer: CountingSigner, token: str, footage: Footage) -> None:
    page = Page(token, f"{footage.path}?clip=clip_of_another_video")
    delta, answer = page.call(RoomState, "open", of=VideoDetailState)
    assert "Clip not found" in answer
    assert delta["selected_exported_clip"].id == footage.exported[0]


@pytest.mark.parametrize("path", ["/videos/video_unknown", "/videos/..", "/videos/%00", "/videos/" + "x" * 2000])
def test_an_unknown_video_is_missing_and_nothing_is_signed(signer: CountingSigner, token: str, footage: Footage, path: str) -> None:
    page = Page(token, footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    signer.keys.clear()
    page.go(path)
    delta, _ = page.call(RoomState, "open", of=VideoDetailState)
    assert delta["phase"] == "missing"
    state = page.state(VideoDetailState)
    assert (state.video, state.exported_clips, dict(state.clip_video_urls)) == (None, [], {})
    assert signer.keys == []


def test_selecting_a_clip_whose_url_is_known_signs_nothing_and_sends_the_selection_alone(
    room: Page, signer: CountingSigner, footage: Footage
) -> None:
    for clip in (1, 4, 1, 0):
        delta, answer = room.call(VideoDetailState, "select_clip", footage.exported[clip])
        assert delta.keys() == {"selected_exported_clip"}
        assert (delta["selected_exported_clip"].id, answer) == (footage.exported[clip], "")
    assert signer.keys == []


def test_selecting_the_selected_clip_again_sends_no_list(room: Page, footage: Footage) -> None:
    assert room.call(VideoDetailState, "select_clip", footage.exported[0])[0].keys() <= {"selected_exported_clip"}


def test_selecting_an_unknown_clip_says_so_and_keeps_the_selection(room: Page, signer: CountingSigner, footage: Footage) -> None:
    for clip_id in ("", "clip_unknown", footage.video_id, footage.exported_keys[0]):
        delta, answer = room.call(VideoDetailState, "select_clip", clip_id)
        assert "Clip not found" in answer
        assert delta == {}
    assert signer.keys == []


def test_a_url_near_its_expiry_is_renewed(room: Page, signer: CountingSigner, footage: Footage, clock: Clock) -> None:
    before = room.state(VideoDetailState).clip_video_urls[footage.exported[1]]
    clock.pass_time(minutes=50)
    delta, _ = room.call(VideoDetailState, "select_clip", footage.exported[1])
    after = delta["clip_video_urls"][footage.exported[1]]
    assert footage.exported_keys[1] in signer.keys
    assert after.url != before.url
    assert after.expires - after.now > 2700 * 1000


def test_a_url_in_the_middle_of_its_life_is_kept(room: Page, signer: CountingSigner, footage: Footage, clock: Clock) -> None:
    clock.pass_time(minutes=25)
    room.call(VideoDetailState, "select_clip", footage.exported[1])
    assert signer.keys == []


def test_a_room_whose_urls_cannot_be_signed_still_opens(signer: CountingSigner, token: str, footage: Footage) -> None:
    signer.failing = True
    page = Page(token, footage.path)
    delta, _ = page.call(RoomState, "open", of=VideoDetailState)
    assert delta["phase"] == "ready"
    assert dict(page.state(VideoDetailState).clip_video_urls) == {}


def test_a_long_list_sends_one_window_and_signs_nearby_clips(signer: CountingSigner, token: str, long_footage: Footage) -> None:
    page = Page(token, long_footage.path)
    delta, _ = page.call(RoomState, "open", of=VideoDetailState)
    assert (len(delta["exported_clips"]), len(delta["identified_clips"])) == (WINDOW, WINDOW)
    assert (delta["exported_total"], delta["identified_total"]) == (300, 200)
    assert len(signer.keys) <= SIGN_AHEAD + 2


def test_scrolling_moves_the_window_and_signs_what_is_visible(signer: CountingSigner, token: str, long_footage: Footage) -> None:
    page = Page(token, long_footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    page.call(VideoDetailState, "show_range", 150, 159)
    state = page.state(VideoDetailState)
    shown = [row.id for row in state.exported_clips]
    assert shown == list(long_footage.exported[state.exported_offset : state.exported_offset + WINDOW])
    assert state.exported_offset <= 150
    assert state.exported_offset + WINDOW > 159
    assert set(long_footage.exported[150:160]) <= state.clip_video_urls.keys()
    assert len(state.clip_video_urls) <= SIGN_AHEAD + 12


def test_scrolling_within_the_window_sends_no_list(signer: CountingSigner, token: str, long_footage: Footage) -> None:
    page = Page(token, long_footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    delta, _ = page.call(VideoDetailState, "show_range", 20, 29)
    assert delta.keys() <= {"clip_video_urls"}


@pytest.mark.parametrize(("first", "last"), [(-5, -1), (10**30, 10**30), (299, 0), (-(10**30), 10**30)])
def test_a_range_beyond_the_list_is_clamped(signer: CountingSigner, token: str, long_footage: Footage, first: int, last: int) -> None:
    page = Page(token, long_footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    _, answer = page.call(VideoDetailState, "show_range", first, last)
    state = page.state(VideoDetailState)
    assert answer == ""
    assert 0 <= state.exported_offset <= 300 - WINDOW
    assert len(state.exported_clips) == WINDOW


def test_a_clip_outside_the_window_is_selected_with_the_window_around_it(signer: CountingSigner, token: str, long_footage: Footage) -> None:
    page = Page(token, long_footage.path)
    page.call(RoomState, "open", of=VideoDetailState)
    delta, _ = page.call(VideoDetailState, "select_clip", long_footage.exported[250])
    assert delta["selected_exported_clip"].id == long_footage.exported[250]
    assert long_footage.exported[250] in {row.id for row in delta["exported_clips"]}
    assert long_footage.exported[250] in delta["clip_video_urls"]


def test_candidates_share_the_masters_url(room: Page, signer: CountingSigner, footage: Footage) -> None:
    room.call(VideoDetailState, "set_tab", "identified")
    for clip in footage.identified:
        room.call(VideoDetailState, "select_clip", clip)
        selected = room.state(VideoDetailState).selected_identified_clip
        assert selected is not None
        assert (selected.id, selected.s3_key) == (clip, footage.key)
    assert footage.video_id in room.state(VideoDetailState).clip_video_urls
    assert signer.keys == []


def test_an_unknown_tab_changes_nothing(room: Page) -> None:
    assert room.call(VideoDetailState, "set_tab", "settings") == ({}, "")


def test_a_candidate_is_ticked_and_unticked(room: Page, footage: Footage) -> None:
    first, second = footage.identified[:2]
    room.call(VideoDetailState, "toggle_clip_selection", first)
    delta, _ = room.call(VideoDetailState, "toggle_clip_selection", second)
    assert delta == {"ticked": [first, second]}
    delta, _ = room.call(VideoDetailState, "toggle_clip_selection", first)
    assert delta == {"ticked": [second]}


def test_a_clip_that_is_not_a_candidate_of_this_video_cannot_be_ticked(room: Page, footage: Footage) -> None:
    for clip_id in (footage.exported[0], "clip_unknown", ""):
        assert room.call(VideoDetailState, "toggle_clip_selection", clip_id)[0] == {}


def test_the_dialog_opens_for_ticked_clips_alone(room: Page, footage: Footage) -> None:
    room.call(VideoDetailState, "handle_generate_shorts")
    assert room.state(VideoDetailState).export_open is False
    room.call(VideoDetailState, "toggle_clip_selection", footage.identified[0])
    assert room.call(VideoDetailState, "handle_generate_shorts")[0] == {"export_open": True}
    assert room.call(VideoDetailState, "set_export_open", False)[0] == {"export_open": False}


def test_loading_the_same_room_again_keeps_the_ticks_and_another_room_drops_them(room: Page, services: Services, footage: Footage) -> None:
    room.call(VideoDetailState, "toggle_clip_selection", footage.identified[0])
    room.call(RoomState, "open", of=VideoDetailState)
    assert room.state(VideoDetailState).ticked == [footage.identified[0]]
    with services.database.write() as db:
        other = add_footage(db, "Other")
    room.go(other.path)
    room.call(RoomState, "open", of=VideoDetailState)
    state = room.state(VideoDetailState)
    assert (state.video.id if state.video else None, list(state.ticked)) == (other.video_id, [])
    assert footage.exported[0] not in state.clip_video_urls


def test_loading_the_same_room_again_sends_only_changes(room: Page) -> None:
    delta, _ = room.call(RoomState, "open", of=VideoDetailState)
    assert delta.keys() <= {"phase"}
