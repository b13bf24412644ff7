"""Chromium, the running app, its library, and pages on which every unannounced browser error fails the test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from clipviewer.domain.permissions import Role
from clipviewer.services.people.accounts import Accounts
from tests.browser.chromium import find_chromium, prepare_chromium
from tests.browser.clip_footage import Footage, shared_footage
from tests.browser.clip_library import Registrar, Video, registering, unique
from tests.browser.running_app import EMAIL, PASSWORD, RunningApp, running_app
from tests.browser.watched_page import PATIENCE, OpenRoom, Room

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=document-user-activation-required",
)
SHORT_LIFE = 20


@pytest.fixture(scope="package", autouse=True)
def _built(front_end: None) -> None:
    """Build the front end before any browser test."""


@pytest.fixture(scope="package")
def chromium() -> Path:
    """The browser's executable; the test fails if there is none."""
    path = find_chromium() or prepare_chromium()
    if path is None:
        pytest.fail("There is no Chromium: install one, or name it in CLIPVIEWER_TEST_CHROMIUM.")
    return path


@pytest.fixture(scope="package")
def launch(chromium: Path) -> Iterator[Callable[..., Browser]]:
    """Launch a Chromium with extra flags."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright, ExitStack() as started:

        def launch(*flags: str) -> Browser:
            browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *flags])
            started.callback(browser.close)
            return browser

        yield launch


@pytest.fixture(scope="package")
def browser(launch: Callable[..., Browser]) -> Browser:
    return launch()


@pytest.fixture(scope="package")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    base = tmp_path_factory.getbasetemp()
    return shared_footage((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "footage")


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app with an admin."""
    with running_app(tmp_path_factory.mktemp("app"), ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD) as app:
        yield app


@pytest.fixture(scope="package")
def short_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app with URLs that are valid for 15 to 20 seconds."""
    settings = {"ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "URL_TTL": str(SHORT_LIFE)}
    with running_app(tmp_path_factory.mktemp("short-lived"), **settings) as app:
        yield app


@pytest.fixture(scope="package")
def registrar(app: RunningApp, footage: Footage) -> Iterator[Registrar]:
    with registering(app, footage) as registrar:
        yield registrar


@pytest.fixture(scope="package")
def sample_video(registrar: Registrar) -> Video:
    """Four exported clips and three identified ones, for tests that do not change them."""
    return registrar.four_shapes("bay", f"A day in the {unique('bay')}")


@pytest.fixture(scope="package")
def viewer(app: RunningApp) -> str:
    """The email of a person with the role viewer."""
    email = "vera@example.org"
    with app.database.write() as db:
        Accounts().create_user(db, email=email, name="Vera", role=Role.VIEWER, password=PASSWORD)
    return email


@pytest.fixture(scope="package")
def crowded_video(registrar: Registrar) -> Video:
    """A video with 300 exported clips."""
    return registrar.many("crowd", f"Everything in the {unique('crowd')}")


@pytest.fixture
def open_room(browser: Browser) -> Iterator[OpenRoom]:
    """Opens a new page, signed in (as the admin, or by ``email``) unless ``signed_in=False``; browser errors must be announced."""
    rooms: list[Room] = []
    with ExitStack() as contexts:

        def open_room(
            app: RunningApp,
            path: str = "/",
            *,
            address: str = "",
            browser: Browser = browser,
            signed_in: bool = True,
            email: str = EMAIL,
            **options: Any,
        ) -> Room:
            address = address or app.address
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
            contexts.callback(context.close)
            context.set_default_timeout(PATIENCE)
            if signed_in:
                app.sign_in(context, email, address)
            room = Room(context.new_page(), address)
            rooms.append(room)
            if path:
                room.open(path)
            return room

        yield open_room
        complaints = [text for room in rooms for text in room.complaints()]
    assert complaints == []
