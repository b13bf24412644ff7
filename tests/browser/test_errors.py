"""What a reviewer sees when something fails, and how they continue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect
from sqlmodel import col, delete, update

from clipviewer.db.models import ExportedClip, UserSession, utc_now
from clipviewer.db.models import Video as VideoRow
from tests.browser.clip_library import Registrar, Video
from tests.browser.running_app import EMAIL, PASSWORD, RunningApp
from tests.browser.watched_page import OpenRoom, Room

DOWNLOAD_ROUTE = "**/download"
# An update from a server whose clock is two hours ahead.
LATER = """() => {
  const news = { later: { url: "", expires: 0, now: Date.now() + 7_200_000 } };
  document.querySelector("clip-player").setAttribute("urls", JSON.stringify(news));
}"""


@pytest.fixture
def own_video(app: RunningApp, registrar: Registrar) -> Iterator[Video]:
    """A video that the test may damage."""
    video = registrar.four_shapes("spoilt", "To be spoilt")
    yield video
    with app.database.write() as db:
        db.delete(db.get_one(VideoRow, video.id))


def expired_room(open_room: OpenRoom, app: RunningApp, video: Video) -> Room:
    """A room in which the first clip plays and all other URLs have expired, as after a long break."""
    room = open_room(app, video.path)
    room.playing(video.exported[0].key)
    room.page.evaluate(LATER)
    return room


def revoke_sessions(app: RunningApp, page: Page) -> None:
    """Revoke everybody's sessions. The page stops polling, so that the test's next action is the first to notice."""
    page.evaluate("document.querySelectorAll('page-pulse').forEach(pulse => pulse.setAttribute('interval', '600000'))")
    with app.database.write() as db:
        db.exec(update(UserSession).where(col(UserSession.revoked_at).is_(None)).values(revoked_at=utc_now()))


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_revoked_session_leads_to_sign_in_and_back_to_the_same_clip(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    room.playing(sample_video.exported[0].key)
    revoke_sessions(app, room.page)
    room.option("The whole bay").click()
    room.toast("Unauthorized")
    sign_in(room.page)
    room.shown("The whole bay")
    room.playing(sample_video.exported[2].key)


def test_a_session_that_ends_during_a_url_request_leads_to_sign_in_and_back(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = expired_room(open_room, app, sample_video)
    room.announce(r"401.*/download")
    revoke_sessions(app, room.page)
    room.option("Gulls").click()
    room.toast("Unauthorized")
    sign_in(room.page)
    room.shown("Gulls")
    room.playing(sample_video.exported[1].key)


def test_a_missing_object_is_reported_and_the_next_clip_still_plays(app: RunningApp, own_video: Video, open_room: OpenRoom) -> None:
    app.store.delete(own_video.exported[2].key)
    room = open_room(app, own_video.path)
    room.announce(r"404.*/s3/")
    room.playing(own_video.exported[0].key)
    room.option("The whole bay").click()
    room.toast("Clip not found")
    expect(room.page.get_by_text("The file is no longer in the bucket")).to_be_visible()
    room.option("Lights go out").click()
    room.playing(own_video.exported[3].key)
    expect(room.page.get_by_text("The file is no longer in the bucket")).to_be_hidden()


def test_a_removed_clip_is_reported_when_its_url_is_requested(app: RunningApp, own_video: Video, open_room: OpenRoom) -> None:
    room = expired_room(open_room, app, own_video)
    room.announce(r"404.*/download")
    with app.database.write() as db:
        db.exec(delete(ExportedClip).where(col(ExportedClip.id) == own_video.exported[1].id))
    room.option("Gulls").click()
    room.toast("Clip not found")
    expect(room.page.get_by_text("The file is no longer in the bucket, or the clip was removed.")).to_be_visible()


def test_a_failure_to_sign_offers_load_video_which_then_plays(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = expired_room(open_room, app, sample_video)
    room.announce(r"500.*/download")
    room.page.route(DOWNLOAD_ROUTE, lambda route: route.fulfill(status=500, json={"code": "signing_failed"}))
    room.option("Gulls").click()
    room.toast("Failed to generate URL")
    assert room.media("video.paused")
    room.page.unroute(DOWNLOAD_ROUTE)
    room.page.get_by_role("button", name="Load Video").click()
    room.playing(sample_video.exported[1].key)
    expect(room.page.get_by_role("button", name="Load Video")).to_be_hidden()


def test_a_lost_connection_is_reported_and_retry_plays(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = expired_room(open_room, app, sample_video)
    room.announce(r"ERR_FAILED.*/download")
    room.page.route(DOWNLOAD_ROUTE, lambda route: route.abort())
    room.option("Gulls").click()
    room.toast("Network error")
    room.page.unroute(DOWNLOAD_ROUTE)
    room.page.get_by_role("button", name="Retry").click()
    room.playing(sample_video.exported[1].key)


def test_a_clip_resumes_by_itself_when_the_connection_returns(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    room.announce("ERR_INTERNET_DISCONNECTED")
    room.playing(sample_video.exported[0].key)
    room.page.context.set_offline(True)
    room.option("The whole bay").click()
    room.toast("Network error")
    room.page.context.set_offline(False)
    room.playing(sample_video.exported[2].key)


def test_a_download_that_fails_says_so(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    room.announce(r"500.*/download")
    room.playing(sample_video.exported[0].key)
    room.page.route(DOWNLOAD_ROUTE, lambda route: route.fulfill(status=500, json={"code": "signing_failed"}))
    room.page.get_by_role("button", name="Download").click()
    room.toast("Failed to download")
    room.wait_for("video => !video.paused || video.ended")


def test_a_damaged_file_is_distinguished_from_a_failing_url(app: RunningApp, own_video: Video, open_room: OpenRoom) -> None:
    app.store.put(own_video.exported[1].key, b"this is no film" * 1000, "video/mp4")
    room = open_room(app, own_video.path)
    room.playing(own_video.exported[0].key)
    room.option("Gulls").click()
    room.toast("The clip cannot be played")


def test_the_library_says_when_the_session_has_ended(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "")
    page = room.page
    with page.expect_response("**/api/uploads"):  # the last request that a library page sends by itself
        room.open("/")
    expect(page.get_by_role("link", name=sample_video.title)).to_be_visible()
    revoke_sessions(app, page)
    page.get_by_role("searchbox", name="Search videos").fill(sample_video.title)
    room.toast("Unauthorized")
    sign_in(page)
    expect(page.get_by_role("link", name=sample_video.title)).to_be_visible()


def test_a_late_response_does_not_replace_the_newer_clip(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = expired_room(open_room, app, sample_video)
    held: list[Route] = []
    room.page.route(DOWNLOAD_ROUTE, lambda route: held.append(route))
    room.option("Gulls").click()
    room.option("The whole bay").click()
    room.page.wait_for_function("() => document.querySelector('clip-player').dataset.state === 'loading'")
    expect(room.option("The whole bay")).to_have_attribute("aria-selected", "true")
    room.until(lambda: len(held) == 2)
    for route in reversed(held):
        route.continue_()
    room.playing(sample_video.exported[2].key)


def test_a_missing_file_is_reported_in_place_of_the_player_until_it_is_back(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom
) -> None:
    video_id = registrar.video("gone", "A master that goes away")
    key = app.master_key(video_id)
    app.wait_for_previews(key)
    master = app.store.get(key)
    app.store.delete(key)
    room = open_room(app, "")
    room.announce(r"404.*/s3/")
    room.open(f"/videos/{video_id}?tab=identified")
    page = room.page
    expect(page.get_by_text("Video file not found")).to_be_visible()
    expect(page.get_by_text(key)).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    page.get_by_role("button", name="Check again").click()
    room.toast("The file is still missing from the bucket")
    app.store.put(key, master, "video/mp4")
    page.get_by_role("button", name="Check again").click()
    room.toast("The file is back in the bucket")
    expect(page.locator("video")).to_have_count(1)
    expect(page.get_by_text("Video file not found")).to_be_hidden()
