"""Measured in the browser: the player's box for each aspect ratio, the columns for each width, dark and light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom

STACKED, THIRDS, COLUMNS = (375, 767), (768, 900, 1023, 1024), (1025, 1100, 1440)
GAP = 16
CONTRAST = """(element) => {
  const parse = (text) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const linear = (value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  };
  let behind = element;
  while (behind.parentElement && parse(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
  const pair = [luminance(parse(getComputedStyle(element).color)), luminance(parse(getComputedStyle(behind).backgroundColor))];
  return { ratio: (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), ground: pair[1] };
}"""


def box(page: Page, selector: str) -> dict[str, Any]:
    found = page.locator(selector).bounding_box()
    assert found is not None, selector
    return dict(found)


def widths(page: Page, *widths: int) -> Iterator[int]:
    """Yield each width (px) after the page is laid out in it."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("width => innerWidth === width", arg=width)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        yield width


def assert_no_sideways_scrolling(page: Page) -> None:
    width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= room
    wide = page.evaluate(
        "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.className)"
    )
    assert wide == []


@pytest.mark.parametrize(("at", "widest"), [(0, 360), (1, 500), (2, None)], ids=["9:16", "1:1", "16:9"])
def test_each_shape_has_its_player_size(app: RunningApp, sample_video: Video, open_room: OpenRoom, at: int, widest: int | None) -> None:
    room = open_room(app, f"{sample_video.path}?clip={sample_video.exported[at].id}", viewport={"width": 375, "height": 900})
    room.playing(sample_video.exported[at].key)
    for _ in widths(room.page, 375, 900, 1440):
        assert_box(room.page, sample_video.exported[at].ratio, widest)


def assert_box(page: Page, ratio: str, widest: int | None) -> None:
    player, stage = box(page, "clip-player"), box(page, ".stage")
    assert player["width"] == pytest.approx(stage["width"] if widest is None else min(widest, stage["width"]), abs=0.5)
    left, right = player["x"] - stage["x"], stage["x"] + stage["width"] - player["x"] - player["width"]
    assert left == pytest.approx(right, abs=1)
    across, down = map(int, ratio.split(":"))
    assert player["width"] / player["height"] == pytest.approx(across / down, rel=0.01)
    names = ["backgroundColor", "overflow", "position", "borderTopLeftRadius"]
    style = page.locator("clip-player").evaluate("(e, names) => names.map((name) => getComputedStyle(e)[name])", names)
    assert style[:3] == ["rgb(0, 0, 0)", "hidden", "relative"]
    assert float(style[3].removesuffix("px")) >= 6
    video = box(page, "video")
    assert (video["width"], video["height"]) == (pytest.approx(player["width"], abs=1), pytest.approx(player["height"], abs=1))


def test_the_room_fits_its_width(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path, viewport={"width": 375, "height": 900})
    room.playing(sample_video.exported[0].key)
    for width in widths(room.page, *STACKED, *THIRDS, *COLUMNS):
        assert_columns(room.page, width)
        assert_no_sideways_scrolling(room.page)
    room.page.get_by_role("tab", name="Identified").click()
    room.shown("Opening")
    for _ in widths(room.page, *STACKED, *THIRDS, *COLUMNS):
        assert_no_sideways_scrolling(room.page)


def assert_columns(page: Page, width: int) -> None:
    clips, main = box(page, ".room-list"), box(page, ".room-main")
    inner = width - 2 * GAP
    columns = page.locator(".room").evaluate("(e) => getComputedStyle(e).gridTemplateColumns.split(' ').length")
    if width in STACKED:
        assert columns == 1
        assert box(page, ".clip-list")["height"] == pytest.approx(300, abs=1)
        assert clips["y"] + clips["height"] <= main["y"]
        assert clips["width"] == pytest.approx(main["width"]) == pytest.approx(inner)
    else:
        third = (inner - GAP) / 3 if width in THIRDS else (inner - 2 * GAP) / 3
        assert columns == (2 if width in THIRDS else 3)
        assert clips["width"] == pytest.approx(third, abs=1)
        assert main["width"] == pytest.approx(inner - GAP - third, abs=1)
        assert clips["y"] == pytest.approx(main["y"])
        assert clips["x"] + clips["width"] < main["x"]


@pytest.mark.parametrize("path", ["/", "/sign-in"])
def test_the_other_pages_fit_a_phone(app: RunningApp, sample_video: Video, open_room: OpenRoom, path: str) -> None:
    room = open_room(app, path, viewport={"width": 375, "height": 700}, signed_in=path == "/")
    expect(room.page.get_by_role("link", name=sample_video.title) if path == "/" else room.page.get_by_label("Email")).to_be_visible()
    assert_no_sideways_scrolling(room.page)


def test_dark_is_the_default_and_light_is_as_legible(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    room.playing(sample_video.exported[0].key)
    words = (".clip-title", ".clip-time", ".chip", ".details-title", ".fact dt", ".fact dd", ".page-title", ".count")
    for ground in ("dark", "light"):
        expect(room.page.locator("html")).to_have_class(ground)
        for selector in words:
            seen = room.page.locator(selector).first.evaluate(CONTRAST)
            assert seen["ratio"] >= 4.5, (ground, selector, seen)
            assert (seen["ground"] < 0.2) == (ground == "dark"), (ground, selector, seen)
        room.page.get_by_role("button", name="Toggle dark mode").click()


def test_nothing_shifts_when_the_picture_loads(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "")
    room.page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.moved += entry.value)))"
        ".observe({ type: 'layout-shift', buffered: true });"
    )
    room.open(f"{sample_video.path}?clip={sample_video.exported[2].id}")
    room.playing(sample_video.exported[2].key)
    assert room.page.evaluate("window.moved") < 0.05
