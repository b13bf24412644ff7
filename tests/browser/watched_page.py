"""A page on which every error counts: console errors, page errors, failed requests and error responses that a test did not announce."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.running_app import RunningApp

PATIENCE = 45_000
"""Time limit for a page, in ms. Generous: a busy machine is slow, not wrong."""
_PLAYING = (
    "video => video.currentTime > 0.05 && (!video.paused && video.readyState > 2 || video.ended && video.played.length) && !video.error"
)


class Room:
    """A browser page of the app at ``address``. ``requests`` holds all its requests."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.requests: list[Request] = []
        self._complaints: list[str] = []
        self._announced: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._complaints.append(f"page error: {error}"))
        page.on("request", lambda request: self.requests.append(request))
        page.on("response", self._on_response)
        page.on("requestfailed", self._on_failed)

    def announce(self, *patterns: str) -> None:
        """Expect errors that match these regular expressions; each must occur."""
        self._announced += patterns

    def complaints(self) -> list[str]:
        """Return unannounced errors, and announced ones that did not occur."""
        surprises = [text for text in self._complaints if not any(re.search(pattern, text) for pattern in self._announced)]
        silent = [pattern for pattern in self._announced if not any(re.search(pattern, text) for text in self._complaints)]
        return surprises + [f"announced but never seen: {pattern}" for pattern in silent]

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def at(self, path: str) -> None:
        """Wait until the address bar shows ``path``, including its query."""
        expect(self.page).to_have_url(self.address + path)

    @property
    def path(self) -> str:
        """Path and query of the address bar."""
        parts = urlsplit(self.page.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def video(self) -> Locator:
        return self.page.locator("video")

    @property
    def options(self) -> Locator:
        return self.page.get_by_role("listbox", name="Clips").get_by_role("option")

    def option(self, title: str) -> Locator:
        return self.options.filter(has_text=title)

    def shown(self, title: str) -> None:
        """Wait until the clip is selected in the list and described in the details."""
        expect(self.option(title)).to_have_attribute("aria-selected", "true")
        expect(self.page.get_by_role("region", name="Clip details").get_by_role("heading")).to_have_text(title)

    def playing(self, key: str = "") -> None:
        """Wait until the video plays, or has played to its end, from the object ``key`` if one is given."""
        try:
            self.wait_for(f"video => video.currentSrc.includes({json.dumps(f'/{key}?' if key else '')}) && ({_PLAYING})(video)")
        except PlaywrightTimeout as error:
            shown = self.page.evaluate(
                "[...document.querySelectorAll('video')].map(v => [v.currentSrc, v.paused, v.currentTime, v.readyState])"
            )
            raise AssertionError(f"{key or 'a clip'} does not play, but: {shown}") from error

    def media(self, expression: str) -> Any:
        """Return the value of an expression over ``video``."""
        return self.video.evaluate(f"video => {expression}")

    def wait_for(self, condition: str, timeout: float = PATIENCE) -> None:
        """Wait until ``condition`` (a function of the video element) holds. Polls ten times a second, which costs less than every frame."""
        self.page.wait_for_function(
            f"() => {{ const v = document.querySelector('video'); return v && ({condition})(v); }}", timeout=timeout, polling=100
        )

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds, handling this page's events meanwhile."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            self.page.wait_for_timeout(20)

    def toast(self, text: str) -> None:
        expect(self.page.locator("[data-sonner-toast]").filter(has_text=text).first).to_be_visible()

    def since(self, action: Callable[[], object]) -> list[Request]:
        """Return the requests that ``action`` caused before it returned, without Chromium's own request for the page's icon."""
        before = len(self.requests)
        action()
        return [request for request in self.requests[before:] if not request.url.endswith("/icon.svg")]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._complaints.append(f"refused: {response.status} {response.request.method} {response.url}")

    def _on_failed(self, request: Request) -> None:
        # A page cancels requests itself: to seek, to navigate, to give a clicked clip priority over prefetching.
        if request.failure != "net::ERR_ABORTED":
            self._complaints.append(f"failed: {request.failure} {request.method} {request.url}")


class OpenRoom(Protocol):
    """Opens ``path`` of the app in a new page; further options are those of Playwright's ``new_context``."""

    def __call__(
        self,
        app: RunningApp,
        path: str = ...,
        *,
        address: str = ...,
        browser: Browser = ...,
        signed_in: bool = ...,
        email: str = ...,
        **options: Any,
    ) -> Room: ...
