"""The state of the crop preview, over a real websocket: saved crops, analysed pictures, and failed analyses."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlmodel import Session

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Rect, Shot
from clipviewer.domain.permissions import Role
from clipviewer.media.ffmpeg import MediaCancelled
from clipviewer.media.framing.reframe import PictureAnalysis
from clipviewer.services import container
from clipviewer.services.container import Services
from clipviewer.services.room.framings import saved_framings
from clipviewer.services.room.looks import analysis_target, store_analysis
from clipviewer.state import framing
from clipviewer.state.framing import FramingState
from clipviewer.state.framing_rows import FramingView
from tests.state.handlers import name_of
from tests.state.page import Page
from tests.state.serving import Running
from tests.state.tab import Tab, open_tab
from tests.state.video_rows import Footage, add_footage

STATE = FramingState.get_full_name()


@pytest.fixture
def footage(app: Running) -> Footage:
    with app.services.database.write() as db:
        return add_footage(db)


@pytest.fixture
def tab(app: Running, footage: Footage) -> Iterator[Tab]:
    """The tab of a reviewer who has just opened the room, which is not loaded yet."""
    with open_tab(app.address, cookie=app.person(Role.REVIEWER).cookie, path=footage.path) as tab:
        yield tab


def send(tab: Tab, handler: str, effect: str, **payload: Any) -> dict[str, Any]:
    """Call a handler, wait for ``effect``, and return what is shown then."""
    tab.send(name_of(FramingState, handler), **payload)
    shown: dict[str, Any] = tab.wait_for(effect).delta[STATE]["shown_rx_state_"]
    return shown


def test_a_clip_without_crops_has_none(tab: Tab, footage: Footage) -> None:
    shown = send(tab, "open_clip", '"shown_rx_state_"', clip_id=footage.identified[0])
    assert (shown["clip_id"], shown["saved"], shown["look"], shown["answers"]) == (footage.identified[0], {}, None, 0)


def test_a_chosen_crop_is_shown_with_the_number_of_responses(app: Running, tab: Tab, footage: Footage) -> None:
    clip = footage.identified[0]
    send(tab, "open_clip", '"shown_rx_state_"', clip_id=clip)
    shown = send(tab, "save_framing", '"answers":1', clip_id=clip, ratio="9:16", x=0.25, y=1)
    assert (shown["saved"], shown["refused"]) == ({"9:16": [0.25, 1]}, False)
    shown = send(tab, "forget_framing", '"answers":2', clip_id=clip, ratio="9:16")
    assert (shown["saved"], shown["refused"]) == ({}, False)
    with app.services.database.read() as db:
        assert saved_framings(db, [clip]) == {}


@pytest.mark.parametrize("wrong", [{"ratio": "4:3"}, {"x": 1.5}, {"clip_id": "clip_nobody"}])
def test_a_refused_crop_is_answered_with_what_is_saved(tab: Tab, footage: Footage, wrong: dict[str, Any]) -> None:
    clip = footage.identified[0]
    send(tab, "open_clip", '"shown_rx_state_"', clip_id=clip)
    send(tab, "save_framing", '"answers":1', clip_id=clip, ratio="9:16", x=0.25, y=0.5)
    shown = send(tab, "save_framing", '"answers":2', **{"clip_id": clip, "ratio": "9:16", "x": 0.75, "y": 0.5} | wrong)
    assert (shown["clip_id"], shown["saved"], shown["refused"]) == (clip, {"9:16": [0.25, 0.5]}, True)


def test_a_clip_of_another_video_is_not_found(app: Running, tab: Tab) -> None:
    with app.services.database.write() as db:
        elsewhere = add_footage(db)
    tab.send(name_of(FramingState, "open_clip"), clip_id=elsewhere.identified[0])
    assert tab.wait_for("Clip not found").ours == {}


def test_an_analysed_picture_is_shown_without_another_analysis(app: Running, tab: Tab, footage: Footage) -> None:
    clip = footage.identified[1]
    seen = PictureAnalysis(800, 332, Rect(0, 2, 800, 330), {AspectRatio.SQUARE: (Shot(0, 0.25, 0.5), Shot(1_000, 0.5, 0.5, True))})
    with app.services.database.write() as db:
        store_analysis(db, analysis_target(db, footage.video_id, clip), seen)
    for handler in ("open_clip", "look"):
        shown = send(tab, handler, '"shown_rx_state_"', clip_id=clip)
        assert shown["look"] == {
            "width": 800,
            "height": 332,
            "content": {"x": 0, "y": 2, "width": 800, "height": 330},
            "shots": {"1:1": [[0, 0.25, 0.5, False], [1_000, 0.5, 0.5, True]]},
        }
        assert (shown["looking"], shown["problem"]) == (False, "")


def test_a_failed_analysis_says_why(tab: Tab, footage: Footage) -> None:
    clip = footage.identified[0]
    assert send(tab, "look", '"looking":true', clip_id=clip)["problem"] == ""
    shown = tab.wait_for('"looking":false').delta[STATE]["shown_rx_state_"]
    assert (shown["clip_id"], shown["look"]) == (clip, None)
    assert "no longer in the bucket" in shown["problem"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_analysis_stops_with_the_server(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_installed", services)
    with services.database.write() as db:
        footage = add_footage(db)
    started, stopped = threading.Event(), threading.Event()

    def endless(*_: object, cancelled: Callable[[], bool]) -> PictureAnalysis:
        started.set()
        while not cancelled():
            time.sleep(0.01)
        stopped.set()
        raise MediaCancelled

    monkeypatch.setattr(framing, "analyse_range", endless)

    async def serve() -> None:
        looking = asyncio.create_task(framing._analyse(footage.video_id, footage.identified[0]))
        assert await asyncio.to_thread(started.wait, 10)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        assert await asyncio.to_thread(stopped.wait, 10)

    asyncio.run(serve())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_crop_saved_while_an_analysis_ends_stays_shown(page: Page, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    with services.database.write() as db:
        footage = add_footage(db)
    page.go(footage.path)
    clip, state, lock, read = footage.identified[0], page.state(FramingState), asyncio.Lock(), framing._view
    looked, was_read, is_saved = threading.Event(), threading.Event(), threading.Event()

    async def look_at_once(*_: object) -> str:
        looked.set()
        return ""

    def read_slowly(db: Session, video_id: str, clip_id: str) -> FramingView:
        view = read(db, video_id, clip_id)
        if looked.is_set() and not was_read.is_set():
            was_read.set()
            is_saved.wait(1)
        return view

    monkeypatch.setattr(framing, "_analyse", look_at_once)
    monkeypatch.setattr(framing, "_view", read_slowly)
    monkeypatch.setattr(FramingState, "__aenter__", lambda _: lock.acquire())
    monkeypatch.setattr(FramingState, "__aexit__", lambda *_: asyncio.sleep(0, lock.release()))

    async def serve() -> None:
        looking = asyncio.create_task(FramingState.look.fn(state, clip))
        assert await asyncio.to_thread(was_read.wait, 10)
        async with lock:
            await state.save_framing(clip, "9:16", 0.25, 0.5)
            is_saved.set()
        await looking

    asyncio.run(serve())
    assert state.shown.saved == {"9:16": [0.25, 0.5]}
    assert not state.shown.looking
