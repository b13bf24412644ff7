"""Download, Copy S3 key, and the scope of a signed URL that is passed on."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, expect

from tests.browser.clip_library import Video
from tests.browser.running_app import EMAIL, PASSWORD, RunningApp
from tests.browser.watched_page import OpenRoom, Room


def test_download_saves_the_clip_under_a_human_name(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?clip={sample_video.exported[1].id}")
    room.playing(sample_video.exported[1].key)
    with room.page.expect_download() as saving:
        room.page.get_by_role("button", name="Download").click()
    saved = saving.value
    assert saved.suggested_filename == "Gulls – 00.10–00.16 – 1x1 – German.mp4"
    assert saved.path().read_bytes() == sample_video.exported[1].path.read_bytes()
    room.shown("Gulls")


def test_copy_s3_key_puts_the_key_on_the_clipboard(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path, permissions=["clipboard-read", "clipboard-write"])
    room.playing(sample_video.exported[0].key)
    room.page.get_by_role("button", name="Copy S3 key").click()
    room.toast("S3 key copied")
    assert room.page.evaluate("navigator.clipboard.readText()") == sample_video.exported[0].key


def test_the_whole_app_works_over_plain_http_by_another_name(
    app: RunningApp, sample_video: Video, open_room: OpenRoom, launch: Callable[..., Browser]
) -> None:
    address = f"http://clips.test:{app.port}"
    elsewhere = launch("--host-resolver-rules=MAP clips.test 127.0.0.1")
    room = open_room(app, f"/sign-in?next={sample_video.path}", address=address, browser=elsewhere, signed_in=False)
    room.page.get_by_label("Email").fill(EMAIL)
    room.page.get_by_label("Password").fill(PASSWORD)
    room.page.get_by_role("button", name="Sign in").click()
    for clip in sample_video.exported[:3]:
        room.option(clip.title).click()
        room.playing(clip.key)
        assert room.media("video.currentSrc").startswith(f"{address}/s3/")
    assert not room.page.evaluate("isSecureContext")
    room.page.get_by_role("button", name="Copy S3 key").click()
    room.toast("S3 key copied")
    assert paste(room) == sample_video.exported[2].key
    with room.page.expect_download() as saving:
        room.page.get_by_role("button", name="Download").click()
    assert saving.value.path().read_bytes() == sample_video.exported[2].path.read_bytes()


def test_a_signed_url_plays_in_another_browser_and_not_with_a_character_changed(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, sample_video.path)
    room.playing(sample_video.exported[0].key)
    url = room.media("video.currentSrc")
    stranger = open_room(app, "", signed_in=False)
    answer = stranger.page.goto(url)
    assert answer is not None
    assert answer.status in (200, 206)
    stranger.wait_for("video => video.readyState > 1 && video.videoWidth === 270")
    for changed in (url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("exported/0.mp4", "exported/1.mp4")):
        stranger.announce("403")
        refused = stranger.page.goto(changed)
        assert refused is not None
        assert refused.status == 403


def paste(room: Room) -> str:
    """Return what Ctrl-V puts into a field."""
    room.page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), { id: 'paste' }))")
    field = room.page.locator("#paste")
    field.press("Control+V")
    expect(field).not_to_have_value("")
    return field.input_value()
