"""What the storage check in the browser reports for every way in which a store, or a proxy before it, can fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.browser.running_app import ROOT

APP, STORE = "https://clips.example.org", "https://store.example.org"
EXPECTED = "the bytes in between"
SCRIPTS = ("settings/storage_check.client.js", "frame/event_target.js", "uploads/calls.js", "uploads/crc.js")
HTML = """<!doctype html><title>check</title><link rel="icon" href="data:,"><storage-check></storage-check>
<script>
  globalThis.seen = {};
  document.querySelector("storage-check").addEventListener("StorageChecked", (event) => (globalThis.seen = event.detail));
</script><script type="module" src="/settings/storage_check.client.js"></script>"""
Answer = Callable[[Route], None]


class FakeStorage:
    """The app's API and the store, as a browser meets them; ``asked`` holds all requests to both."""

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self.store, self.server_time, self.arrived = STORE, datetime.now(UTC), 1
        self.probe: Answer = self._probe
        self.get: Answer = lambda route: route.fulfill(status=206, body=EXPECTED)
        self.put: Answer = lambda route: route.fulfill(status=200)
        page.route(f"{APP}/**", self._app)
        page.route("**://store.example.org/**", self._bucket)

    def _app(self, route: Route) -> None:
        path = route.request.url.removeprefix(APP)
        if path == "/":
            route.fulfill(body=HTML, content_type="text/html")
        elif path.removeprefix("/") in SCRIPTS:
            route.fulfill(path=ROOT / "assets" / path.removeprefix("/"))
        else:
            self.asked.append(f"{route.request.method} {path}")
            self._api(route, path)

    def _api(self, route: Route, path: str) -> None:
        if route.request.method == "DELETE":
            route.fulfill(status=204)
        elif path == "/api/settings/storage/probe":
            self.probe(route)
        elif route.request.method == "POST" and path.endswith("/parts"):
            assert json.loads(route.request.post_data or "")["parts"][0]["crc32"]
            route.fulfill(json={"parts": [{"url": f"{self.store}/part", "headers": {"x-amz-checksum-crc32": "AAAAAA=="}}]})
        elif path.endswith("/parts"):
            route.fulfill(json={"parts": [{"partNumber": 1}] * self.arrived})
        else:
            route.fulfill(json={"id": "upload_1"})

    def _probe(self, route: Route) -> None:
        told = {"url": f"{self.store}/probe", "first": 11, "last": 30, "expected": EXPECTED, "serverTime": self.server_time.isoformat()}
        route.fulfill(json=told)

    def _bucket(self, route: Route) -> None:
        self.asked.append(f"{route.request.method} {route.request.url}")
        (self.put if route.request.method == "PUT" else self.get)(route)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def faked(page: Page) -> FakeStorage:
    return FakeStorage(page)


def seen(page: Page) -> dict[str, Any]:
    """Return verdict and text by check, once the check has finished and removed its probe."""
    page.goto(f"{APP}/")
    page.wait_for_function("globalThis.seen.busy === false")
    return {row["check"]: (row["verdict"], f"{row['text']} {row['remedy']}".strip()) for row in page.evaluate("globalThis.seen.rows")}


def verdicts(found: dict[str, Any]) -> list[str]:
    return [found[check][0] for check in ("Reach", "Read by range", "Upload", "Clock")]


def test_a_healthy_store_passes_and_the_probe_is_removed(page: Page, faked: FakeStorage) -> None:
    assert verdicts(seen(page)) == ["ok"] * 4
    assert {"DELETE /api/uploads/upload_1", "DELETE /api/settings/storage/probe"} <= set(faked.asked)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda route: route.fulfill(status=200, body="the whole object, from its beginning"), "support the Range header"),
        (lambda route: route.fulfill(status=206, body="other bytes"), "support the Range header"),
        (
            lambda route: route.fulfill(status=403, body="<Error><Code>SignatureDoesNotMatch</Code></Error>"),
            "status 403 (SignatureDoesNotMatch). Make sure that proxies keep the Host header",
        ),
    ],
    ids=["all of it", "other bytes", "refused"],
)
def test_a_missing_range_response_is_reported(page: Page, faked: FakeStorage, answer: Answer, said: str) -> None:
    faked.get = answer
    found = seen(page)
    assert verdicts(found) == ["ok", "failed", "ok", "ok"]
    assert said in found["Read by range"][1]


def test_an_unreachable_store_is_reported_once_in_the_browser(page: Page, faked: FakeStorage) -> None:
    faked.get = lambda route: route.abort("connectionrefused")
    found = seen(page)
    assert verdicts(found) == ["failed", "not checked", "not checked", "ok"]
    assert "does not reach the storage at store.example.org" in found["Reach"][1]
    assert "CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL" in found["Reach"][1]
    assert not [line for line in faked.asked if "uploads" in line]


def test_mixed_content_is_reported_without_a_request(page: Page, faked: FakeStorage) -> None:
    faked.store = STORE.replace("https", "http")
    found = seen(page)
    assert verdicts(found) == ["failed", "not checked", "not checked", "ok"]
    assert "Give browsers an HTTPS address" in found["Reach"][1]
    assert not [line for line in faked.asked if "store.example.org" in line]


@pytest.mark.parametrize(
    ("answer", "arrived", "said"),
    [
        (lambda route: route.fulfill(status=400), 1, "with status 400"),
        (lambda route: route.abort("failed"), 0, "CORS rules do not let this page upload"),
        (lambda route: route.fulfill(status=200), 0, "do not arrive complete"),
    ],
    ids=["refused", "not allowed", "lost"],
)
def test_a_failed_upload_is_reported_and_aborted(page: Page, faked: FakeStorage, answer: Answer, arrived: int, said: str) -> None:
    faked.put, faked.arrived = answer, arrived
    found = seen(page)
    assert verdicts(found) == ["ok", "ok", "failed", "ok"]
    assert said in found["Upload"][1]
    assert "DELETE /api/uploads/upload_1" in faked.asked


@pytest.mark.parametrize(("minutes", "said"), [(-10, "10 min ahead of"), (10, "10 min behind")])
def test_a_wrong_clock_is_reported(page: Page, faked: FakeStorage, minutes: int, said: str) -> None:
    faked.server_time += timedelta(minutes=minutes)
    found = seen(page)
    assert verdicts(found) == ["ok", "ok", "ok", "warning"]
    assert said in found["Clock"][1]


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "Not checked: you are signed out."), (502, "Not checked: the server could not prepare the check.")],
)
def test_without_a_probe_nothing_is_reported(page: Page, faked: FakeStorage, status: int, said: str) -> None:
    faked.probe = lambda route: route.fulfill(status=status, json={"detail": "The storage denied access."})
    found = seen(page)
    assert verdicts(found) == ["not checked"] * 4
    assert found["Reach"][1].startswith(said)
