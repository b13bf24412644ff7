"""Settings, Storage: how the server and this browser reach the store, and how to fix problems."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from clipviewer.domain.permissions import Role
from clipviewer.services.people.accounts import Accounts
from clipviewer.settings import EMBEDDED_PATH
from tests.browser.running_app import EMAIL, PASSWORD, RunningApp, running_app
from tests.browser.test_layout import assert_no_sideways_scrolling, widths
from tests.browser.watched_page import OpenRoom, Room
from tests.tcp_proxy import TcpProxy

PAGE = "/settings/storage"
HERE, THERE = "Checked by this browser", "Checked by the server"


@pytest.fixture(scope="module")
def proxy(app: RunningApp) -> Iterator[TcpProxy]:
    """The proxy through which browsers reach the bucket."""
    with TcpProxy(app.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def cross_origin_app(app: RunningApp, proxy: TcpProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app over a bucket of another origin without CORS rules."""
    public = f"http://127.0.0.1:{proxy.port}{EMBEDDED_PATH}"
    settings = {"ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "S3_PUBLIC_ENDPOINT_URL": public}
    with running_app(tmp_path_factory.mktemp("elsewhere"), bucket_of=app, **settings) as cross_origin_app:
        yield cross_origin_app


def finding(room: Room, region: str, check: str) -> Locator:
    return room.page.get_by_role("region", name=region).get_by_role("listitem").filter(has_text=re.compile(rf"^{re.escape(check)}: "))


def expect_found(room: Room, region: str, **verdicts: str) -> None:
    for check, verdict in verdicts.items():
        expect(finding(room, region, check.replace("_", " "))).to_have_attribute("data-verdict", verdict.replace("_", " "))


def objects(app: RunningApp) -> set[str]:
    return {found.key for found in app.store.list("") if ".doctor" in found.key or "storage-check" in found.key}


def test_the_embedded_store_passes_every_check_and_is_left_unchanged(app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(app, "/")
    room.page.get_by_role("link", name="Settings").click()
    room.page.get_by_role("navigation", name="Settings").get_by_role("link", name="Storage").click()
    expect_found(room, HERE, Reach="ok", Read_by_range="ok", Upload="ok", Clock="ok")
    expect_found(room, THERE, Write="ok", Delete="ok", Multipart_uploads="ok")
    button = room.page.get_by_role("button", name="Check again")
    expect(button).to_be_enabled()
    with room.page.expect_response(lambda answer: answer.request.method == "DELETE" and answer.url.endswith("/probe")):
        button.click()
    expect(button).to_be_enabled()
    expect(room.page.get_by_text("The embedded store needs no policies.")).to_be_visible()
    assert objects(app) == set()


def test_a_bucket_without_cors_rules_is_distinguished_from_an_unreachable_one(
    app: RunningApp, cross_origin_app: RunningApp, proxy: TcpProxy, open_room: OpenRoom
) -> None:
    room = open_room(cross_origin_app, "")
    room.announce("CORS policy", "ERR_FAILED", "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    room.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=cross_origin_app.address)
    room.open(PAGE)
    expect_found(room, HERE, Reach="ok", Read_by_range="warning", Upload="failed", Clock="ok")
    expect(finding(room, HERE, "Upload")).to_contain_text("Put the CORS rules below on the bucket.")
    expect_found(room, THERE, Public_address="ok", Delete="ok")
    expect(finding(room, THERE, "CORS: uploading")).to_have_attribute("data-verdict", "failed")
    expect(finding(room, THERE, "CORS: uploading")).to_contain_text(cross_origin_app.address)

    room.page.get_by_role("button", name="Copy the CORS rules").click()
    copied = room.page.evaluate("navigator.clipboard.readText()")
    assert f'"{cross_origin_app.address}"' in copied
    assert copied == room.page.get_by_role("region", name="CORS rules").locator("pre").text_content()
    assert "s3:AbortMultipartUpload" in (room.page.get_by_role("region", name="IAM policy").locator("pre").text_content() or "")

    expect(room.page.get_by_role("button", name="Check again")).to_be_enabled()
    proxy.close()
    try:
        room.page.get_by_role("button", name="Check again").click()
        expect_found(room, HERE, Reach="failed", Read_by_range="not checked", Upload="not checked", Clock="ok")
        expect_found(room, THERE, Public_address="warning", Delete="ok", Multipart_uploads="ok")
        expect(room.page.get_by_role("button", name="Check again")).to_be_enabled()
    finally:
        proxy.open()
    assert objects(app) == set()


def test_the_page_fits_its_width(cross_origin_app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(cross_origin_app, "", viewport={"width": 375, "height": 900})
    room.announce("CORS policy", "ERR_FAILED")
    room.open(PAGE)
    expect_found(room, HERE, Upload="failed")
    expect(room.page.get_by_role("button", name="Check again")).to_be_enabled()
    for _ in widths(room.page, 375, 820, 1440):
        assert_no_sideways_scrolling(room.page)


def test_a_reviewer_is_told_that_it_is_for_admins(app: RunningApp, open_room: OpenRoom) -> None:
    with app.database.write() as db:
        Accounts().create_user(db, email="rita@example.org", name="Rita", role=Role.REVIEWER, password=PASSWORD)
    room = open_room(app, PAGE, email="rita@example.org")
    expect(room.page.get_by_text("Only admins can check the storage.")).to_be_visible()
    expect(room.page.get_by_role("button", name="Check again")).to_have_count(0)


def test_a_visitor_is_redirected_to_sign_in_and_back(app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(app, PAGE, signed_in=False)
    room.at("/sign-in?next=%2Fsettings%2Fstorage")
