"""The crop preview of an open room: choose a shape, move its frame, and measure its position."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, expect

from tests.browser.watched_page import Room


@dataclass(frozen=True)
class Box:
    """A rectangle in CSS pixels, or in fractions of the picture."""

    x: float
    y: float
    width: float
    height: float


def frame_in(room: Room, ratio: str = "9:16") -> Locator:
    """Choose a shape on the Identified tab and return its frame over the paused picture."""
    room.playing()
    room.page.get_by_role("radio", name=ratio, exact=True).check()
    frame = room.page.locator(".crop-box")
    expect(frame).to_be_visible()
    room.video.evaluate("video => video.pause()")
    return frame


def status(room: Room) -> Locator:
    return room.page.get_by_role("region", name="Framing").get_by_role("status")


def saved(room: Room) -> None:
    """Wait until the frame is chosen by hand and saved."""
    expect(status(room)).to_have_text("By hand, saved")


def box(room: Room, selector: str) -> Box:
    found = room.page.locator(selector).bounding_box()
    assert found is not None, selector
    return Box(**found)


def shares(room: Room) -> tuple[float, float, float, float]:
    """Return the frame's position in fractions of the picture: left, top, width, height."""
    frame, picture = box(room, ".crop-box"), box(room, ".crop-picture")
    return (
        (frame.x - picture.x) / picture.width,
        (frame.y - picture.y) / picture.height,
        frame.width / picture.width,
        frame.height / picture.height,
    )


def drag(room: Room, share: float) -> None:
    """Drag the frame with the mouse by a fraction of the picture's width."""
    frame, picture = box(room, ".crop-box"), box(room, ".crop-picture")
    x, y = frame.x + frame.width / 2, frame.y + frame.height / 3
    room.page.mouse.move(x, y)
    room.page.mouse.down()
    room.page.mouse.move(x + share * picture.width / 2, y + 5)
    room.page.mouse.move(x + share * picture.width, y + 9)
    room.page.mouse.up()


def finger(room: Room, selector: str, right: int, down: int, *, start: float = 0.5) -> None:
    """Touch an element at a fraction of its width, move the finger, lift it."""
    touched = box(room, selector)
    x, y = touched.x + touched.width * start, touched.y + touched.height / 2
    touch = room.page.context.new_cdp_session(room.page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 6):
        at = {"x": x + right * step / 5, "y": y + down * step / 5}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
