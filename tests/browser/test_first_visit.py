"""From the printed set-up link to a playing clip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.clip_footage import Footage
from tests.browser.clip_library import registering
from tests.browser.running_app import RunningApp, running_app
from tests.browser.watched_page import OpenRoom


@pytest.fixture(scope="module")
def fresh_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app without any user."""
    with running_app(tmp_path_factory.mktemp("fresh")) as app:
        yield app


def test_the_set_up_link_leads_to_a_playing_clip(fresh_app: RunningApp, footage: Footage, open_room: OpenRoom) -> None:
    room = open_room(fresh_app, fresh_app.setup_link.removeprefix(fresh_app.address), signed_in=False)
    room.page.get_by_label("Name").fill("Anna")
    room.page.get_by_label("Email").fill("anna@example.org")
    room.page.get_by_label("Password").fill("reviewing-clips-daily")
    room.page.get_by_role("button", name="Create account").click()
    expect(room.page.get_by_text("No videos yet")).to_be_visible()
    with registering(fresh_app, footage) as registrar:
        video = registrar.four_shapes("first", "The first video")
    room.page.get_by_role("link", name="The first video").click()
    room.shown("Boats leave")
    room.playing(video.exported[0].key)


def test_the_set_up_link_works_once(fresh_app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(fresh_app, fresh_app.setup_link.removeprefix(fresh_app.address), signed_in=False)
    room.announce("set-up")
    room.page.get_by_label("Name").fill("Mallory")
    room.page.get_by_label("Email").fill("mallory@example.org")
    room.page.get_by_label("Password").fill("reviewing-clips-nightly")
    room.page.get_by_role("button", name="Create account").click()
    expect(room.page.get_by_role("alert")).not_to_be_empty()
    expect(room.page.get_by_label("Email")).to_have_value("mallory@example.org")
