"""Signing in and out in the browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.clip_library import Video
from tests.browser.running_app import EMAIL, PASSWORD, RunningApp
from tests.browser.watched_page import OpenRoom

REFUSED = r"401.*/api/auth/sign-in"


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_opens_the_library(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "/sign-in", signed_in=False)
    sign_in(room.page)
    expect(room.page.get_by_role("link", name=sample_video.title)).to_be_visible()
    room.at("/")


def test_a_wrong_password_says_so_and_keeps_the_email(app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(app, "/sign-in", signed_in=False)
    room.announce(REFUSED)
    sign_in(room.page, "not-the-password")
    expect(room.page.get_by_role("alert")).to_have_text("Incorrect email or password.")
    expect(room.page.get_by_label("Email")).to_have_value(EMAIL)
    expect(room.page.get_by_label("Password")).to_be_focused()


def test_a_visitor_is_redirected_to_sign_in_and_back_to_the_same_clip(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    path = f"{sample_video.path}?clip={sample_video.exported[2].id}"
    room = open_room(app, path, signed_in=False)
    expect(room.page.get_by_role("button", name="Sign in")).to_be_visible()
    sign_in(room.page)
    room.shown("The whole bay")
    room.playing(sample_video.exported[2].key)
    room.at(path)


def test_a_foreign_address_in_next_leads_to_the_library(app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(app, "/sign-in?next=//example.org/videos", signed_in=False)
    sign_in(room.page)
    expect(room.page.get_by_role("heading", name="Library")).to_be_visible()
    assert room.page.url == f"{app.address}/"


def test_signing_out_closes_open_rooms(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "/")
    room.page.get_by_role("button", name="Sign out").click()
    expect(room.page.get_by_role("button", name="Sign in")).to_be_visible()
    room.open(sample_video.path)
    expect(room.page.get_by_role("button", name="Sign in")).to_be_visible()
    assert room.path.startswith("/sign-in?next=")
