"""Looking through a video on its card: by pointer, by keys, by finger; nothing is fetched before."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.clip_library import Registrar
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room

PREVIEWS_MS = 90_000
TRIES = 15
PLACE = "film => getComputedStyle(film.firstElementChild).backgroundPosition"


@pytest.fixture(scope="module")
def curlew(registrar: Registrar) -> str:
    return registrar.video("curlew", "Curlew")


def film_of(page: Page) -> Locator:
    """The place of the pictures, once there are previews."""
    film = page.locator(".film")
    expect(film).to_have_count(1, timeout=PREVIEWS_MS)
    return film


def fetched(room: Room) -> list[str]:
    return [request.url for request in room.requests if "filmstrip" in request.url]


def over(page: Page, film: Locator, share: float) -> None:
    """Move the pointer over it until it shows something: what runs elsewhere may push the list up and down meanwhile."""
    for _ in range(TRIES):
        x, y = place_of(film, share)
        page.mouse.move(x, y)
        if shows(film):
            return
    pytest.fail("nothing was shown under the pointer")


def place_of(film: Locator, share: float) -> tuple[float, float]:
    box = film.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * share, box["y"] + box["height"] / 2


def shows(film: Locator) -> bool:
    try:
        expect(film).to_be_visible(timeout=2_000)
    except AssertionError:
        return False
    return True


def size_of(card: Locator) -> tuple[float, float]:
    box = card.bounding_box()
    assert box is not None
    return box["width"], box["height"]


def test_the_pointer_looks_through_and_leaves_the_poster_as_it_was(app: RunningApp, curlew: str, open_room: OpenRoom) -> None:
    room = open_room(app, "/?q=curlew")
    film = film_of(room.page)
    assert fetched(room) == []
    expect(film).to_be_hidden()
    card = room.page.locator(".video-card").filter(has_text="Curlew")
    size = size_of(card)
    over(room.page, film, 0.05)
    start = film.evaluate(PLACE)
    over(room.page, film, 0.95)
    room.page.wait_for_function(f"start => ({PLACE})(document.querySelector('.film')) !== start", arg=start)
    assert size_of(card) == size
    assert len([url for url in fetched(room) if f"/videos/{curlew}/filmstrip" in url]) == 1
    room.page.mouse.move(2, 2)
    expect(film).to_be_hidden()


def test_the_arrow_keys_look_through_the_focused_card(app: RunningApp, curlew: str, open_room: OpenRoom) -> None:
    page = open_room(app, "/?q=curlew&view=table").page
    film = film_of(page)
    page.get_by_role("link", name="Curlew").focus()
    expect(film).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(film).to_be_visible()
    start = film.evaluate(PLACE)
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"start => ({PLACE})(document.querySelector('.film')) !== start", arg=start)
    page.keyboard.press("Escape")
    expect(film).to_be_hidden()


def test_a_finger_looks_through_and_a_tap_still_opens_the_room(app: RunningApp, curlew: str, open_room: OpenRoom) -> None:
    room = open_room(app, "/?q=curlew", viewport={"width": 375, "height": 700}, has_touch=True)
    page = room.page
    film = film_of(page)
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *shares: float) -> None:
        points = [{"x": x, "y": y} for share in shares for x, y in [place_of(film, share)]]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for _ in range(TRIES):
        finger("touchStart", 0.2)
        for share in (0.3, 0.5, 0.7):
            finger("touchMove", share)
        shown = shows(film)
        finger("touchEnd")
        expect(film).to_be_hidden()
        if shown:
            break
    assert shown
    room.at("/?q=curlew")
    room.open("/?q=curlew")  # Chromium takes a tap that follows at once for the end of a fling
    page.get_by_role("link", name="Curlew").tap()
    page.wait_for_url(f"**/videos/{curlew}**")
