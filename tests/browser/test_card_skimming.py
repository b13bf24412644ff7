"""Skimming a video on its card by pointer, keys and touch; nothing is fetched before."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.clip_library import Registrar, Video, unique
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room

PLACE = "film => getComputedStyle(film.firstElementChild).backgroundPosition"


@pytest.fixture(scope="module")
def previewed_video(app: RunningApp, registrar: Registrar) -> Video:
    """A video with previews, while no job changes the list."""
    title = unique("Curlew")
    video = Video(registrar.video("curlew", title), title)
    app.wait_until_idle()
    return video


def film_of(page: Page) -> Locator:
    """Return the element with the pictures."""
    film = page.locator(".film")
    expect(film).to_have_count(1)
    return film


def fetched(room: Room) -> list[str]:
    return [request.url for request in room.requests if "filmstrip" in request.url]


def over(page: Page, film: Locator, share: float) -> None:
    """Move the pointer over the card, which shows the pictures."""
    page.mouse.move(*place_of(film, share))
    expect(film).to_be_visible()


def place_of(film: Locator, share: float) -> tuple[float, float]:
    box = film.evaluate("film => film.parentElement.getBoundingClientRect().toJSON()")
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def part_size_of(card: Locator) -> tuple[float, float]:
    box = card.bounding_box()
    assert box is not None
    return box["width"], box["height"]


def test_the_pointer_skims_and_restores_the_poster(app: RunningApp, previewed_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"/?q={previewed_video.word}")
    film = film_of(room.page)
    assert fetched(room) == []
    expect(film).to_be_hidden()
    card = room.page.locator(".video-card").filter(has_text=previewed_video.title)
    size = part_size_of(card)
    over(room.page, film, 0.05)
    start = film.evaluate(PLACE)
    over(room.page, film, 0.95)
    room.page.wait_for_function(f"start => ({PLACE})(document.querySelector('.film')) !== start", arg=start)
    assert part_size_of(card) == size
    assert len([url for url in fetched(room) if f"/videos/{previewed_video.id}/filmstrip" in url]) == 1
    room.page.mouse.move(2, 2)
    expect(film).to_be_hidden()


def test_the_arrow_keys_skim_the_focused_card(app: RunningApp, previewed_video: Video, open_room: OpenRoom) -> None:
    page = open_room(app, f"/?q={previewed_video.word}&view=table").page
    film = film_of(page)
    page.get_by_role("link", name=previewed_video.title).focus()
    expect(film).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(film).to_be_visible()
    start = film.evaluate(PLACE)
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"start => ({PLACE})(document.querySelector('.film')) !== start", arg=start)
    page.keyboard.press("Escape")
    expect(film).to_be_hidden()


def test_a_finger_skims_and_a_tap_still_opens_the_room(app: RunningApp, previewed_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"/?q={previewed_video.word}", viewport={"width": 375, "height": 700}, has_touch=True)
    page = room.page
    film = film_of(page)
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *shares: float) -> None:
        points = [{"x": x, "y": y} for share in shares for x, y in [place_of(film, share)]]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    finger("touchStart", 0.2)
    for share in (0.3, 0.5, 0.7):
        finger("touchMove", share)
    expect(film).to_be_visible()
    finger("touchEnd")
    expect(film).to_be_hidden()
    room.at(f"/?q={previewed_video.word}")
    room.open(f"/?q={previewed_video.word}")  # Chromium treats an immediate tap as the end of a fling
    page.get_by_role("link", name=previewed_video.title).tap()
    page.wait_for_url(f"**/videos/{previewed_video.id}**")
