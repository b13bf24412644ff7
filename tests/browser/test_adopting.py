"""Importing from the bucket: previewed, run in the background, run again, and missing files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import col, select

from clipviewer.db.models import Video
from tests.browser.clip_footage import Footage
from tests.browser.clip_library import unique
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom
from tests.exported_library import make_library

VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\nMoin\n"


@pytest.fixture
def unknown_prefix(app: RunningApp, footage: Footage) -> Iterator[str]:
    """A prefix that the library does not know: a master with two exports and their sidecars, and one with captions beside it."""
    prefix, master = f"{unique('kite')}/", footage.tiny.read_bytes()
    with app.database.write() as db:
        make_library(db, app.store, prefix, master)
        db.delete(db.get_one(Video, "video_1"))
    app.store.put(f"{prefix}{prefix[:-1]}.mp4", master, "video/mp4")
    app.store.put(f"{prefix}{prefix[:-1]}.de.vtt", VTT, "text/vtt")
    app.store.put(f"{prefix}readme.txt", b"about kites", "text/plain")
    yield prefix
    with app.database.write() as db:
        for video in db.exec(select(Video).where(col(Video.s3_key).startswith(prefix))):
            db.delete(video)
    for item in list(app.store.list(prefix)):
        app.store.delete(item.key)


def adopt(page: Page) -> None:
    page.get_by_role("button", name="Import", exact=True).click()


@pytest.mark.parametrize("width", [375, 1280])
def test_a_prefix_is_previewed_imported_and_imported_again(app: RunningApp, unknown_prefix: str, open_room: OpenRoom, width: int) -> None:
    page = open_room(app, "/", viewport={"width": width, "height": 800}).page
    page.get_by_role("button", name="Import from bucket").click()
    page.get_by_label("Prefix").fill(unknown_prefix)
    page.keyboard.press("Enter")
    look = page.get_by_role("region", name="Import preview")
    expect(look).to_contain_text("2 videos, 2 exports, 1 caption file")
    look.get_by_text("1: neither video nor captions").click()
    expect(look.get_by_text(f"{unknown_prefix}readme.txt")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    adopt(page)
    done = page.get_by_role("region", name="Import result")
    expect(done).to_contain_text("2 videos, 2 exports, 1 caption file imported")
    adopt(page)
    expect(done).to_contain_text("Nothing new")
    app.wait_for_previews(f"{unknown_prefix}{unknown_prefix[:-1]}.mp4")
    app.store.delete(f"{unknown_prefix}{unknown_prefix[:-1]}.mp4")
    adopt(page)
    expect(done).to_contain_text("1 gone from the bucket")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Import from bucket")).to_be_focused()
    expect(page.get_by_role("link", name=unknown_prefix[:-1])).to_contain_text("File missing")
    expect(page.get_by_role("link", name="Talk")).to_contain_text("2 exported")


def test_an_invalid_prefix_is_reported(app: RunningApp, open_room: OpenRoom) -> None:
    page = open_room(app, "/").page
    page.get_by_role("button", name="Import from bucket").click()
    page.get_by_label("Prefix").fill("../")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not a valid prefix")
