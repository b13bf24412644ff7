"""A reviewer's browser: what it shows and when, by the page's own clock (ms since the navigation started)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench._app import EMAIL, PASSWORD

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_QUIET = 0.5

# `seen` holds times. A row counts from the frame that shows it, a video frame from its presentation (requestVideoFrameCallback). A click
# counts from its event; its frame is the first one of another source. `fetchOnClick` works like a player without a cache.
_WATCH = """
const seen = (window.seen = { row: 0, frame: 0, click: 0, source: 0, clickFrame: 0 });
const watched = new WeakSet();

function watch(video) {
  if (watched.has(video)) return;
  watched.add(video);
  let before = "";
  const onFrame = (_, { presentationTime, mediaTime }) => {
    seen.frame ||= presentationTime;
    if (seen.click && !seen.clickFrame && video.currentSrc !== before && mediaTime < 0.5) seen.clickFrame = presentationTime;
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  new MutationObserver(() => (seen.click && !seen.source ? (seen.source = performance.now()) : 0)).observe(video, {
    attributeFilter: ["src"],
  });
  document.addEventListener("pointerup", () => (before = video.currentSrc), true);
}

new MutationObserver(() => {
  if (!seen.row && document.querySelector("[role=option]")) requestAnimationFrame((now) => (seen.row ||= now));
  const video = document.querySelector("clip-player video");
  if (video) watch(video);
}).observe(document, { childList: true, subtree: true });

document.addEventListener(
  "click",
  ({ target, timeStamp }) => target.closest("[role=option]") && Object.assign(seen, { click: timeStamp, source: 0, clickFrame: 0 }),
  true,
);

const plain = Object.assign(document.createElement("video"), { autoplay: true });
plain.style.cssText = "position: fixed; inset: 0 auto auto 0; width: 360px; height: 640px; z-index: 9";

window.fetchOnClick = async (videoId, s3Key) => {
  const start = performance.now();
  const answer = await fetch(`/api/clips/videos/${videoId}/download`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ s3Key }),
  });
  plain.src = (await answer.json()).url;
  document.body.append(plain);
  const shown = await new Promise((resolve) => plain.requestVideoFrameCallback((_, { presentationTime }) => resolve(presentationTime)));
  return shown - start;
};
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """Times of the first row and the first frame (ms), and the cost: bytes without the footage, and elements."""

    row: float
    frame: float
    bytes: int
    elements: int


@dataclass(frozen=True, slots=True)
class Clicked:
    """Milliseconds from the click to the new source, and to its first frame."""

    source: float
    frame: float


class Reviewer:
    """A signed-in browser profile with an empty cache, at ``origin``, and its page."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self._origin = origin
        self._received = 0
        self._last_event = 0.0
        self._footage: set[str] = set()
        page.add_init_script(_WATCH)
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        for name in ("requestWillBeSent", "responseReceived", "dataReceived", "loadingFinished", "webSocketFrameReceived"):
            network.on(f"Network.{name}", self._on_any)
        network.on("Network.responseReceived", self._on_response)
        network.on("Network.loadingFinished", self._on_finished)
        network.on("Network.webSocketFrameReceived", self._on_frame)

    def open_room(self, video_id: str, query: str = "") -> Opened:
        """Load the clip room and wait for the first frame of its first clip."""
        self._received = 0
        self.page.goto(f"{self._origin}/videos/{video_id}{query}", wait_until="commit")
        self.page.wait_for_function("window.seen?.row && seen.frame")
        self.settle()
        seen = self.page.evaluate("seen")
        return Opened(seen["row"], seen["frame"], self._received, self.page.evaluate("document.querySelectorAll('*').length"))

    def click(self, row: int) -> Clicked:
        """Click the row at this index of the list and wait for its first frame."""
        self.page.locator(f"[role=option][aria-posinset='{row + 1}']").click()
        self.page.wait_for_function("seen.clickFrame")
        seen = self.page.evaluate("seen")
        return Clicked(seen["source"] - seen["click"], seen["clickFrame"] - seen["click"])

    def fetch_on_click(self, video_id: str, s3_key: str) -> float:
        """Run the baseline: request the URL, then give it to a plain video element; return ms until the first frame."""
        self.page.evaluate("document.querySelector('clip-player video').pause()")
        took: float = self.page.evaluate("([videoId, s3Key]) => fetchOnClick(videoId, s3Key)", [video_id, s3_key])
        self.settle()
        return took

    def settle(self) -> None:
        """Wait until the network has been idle for half a second, so that prefetching has finished."""
        while time.monotonic() < self._last_event + _QUIET:
            self.page.wait_for_timeout(50)

    def _on_any(self, _event: dict[str, Any]) -> None:
        self._last_event = time.monotonic()

    def _on_response(self, event: dict[str, Any]) -> None:
        if "/s3/" in event["response"]["url"]:
            self._footage.add(event["requestId"])

    def _on_finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self._footage:
            self._received += int(event["encodedDataLength"])

    def _on_frame(self, event: dict[str, Any]) -> None:
        self._received += len(event["response"]["payloadData"])


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def reviewer(browser: Browser, origin: str) -> Iterator[Reviewer]:
    """Open a new profile, signed in at ``origin``."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        context.request.post(f"{origin}/api/auth/sign-in", data={"email": EMAIL, "password": PASSWORD}, fail_on_status_code=True)
        yield Reviewer(context.new_page(), origin)
    finally:
        context.close()
