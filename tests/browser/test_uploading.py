"""Uploads from the library page: chosen or dropped, interrupted, paused, continued after a reload, cancelled, refused."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from clipviewer.db.models import Video as StoredVideo
from clipviewer.domain.master_file import MIB
from tests.browser.clip_footage import Footage
from tests.browser.clip_library import unique
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom, Room

CAPTIONS = "WEBVTT\n\n00:00.200 --> 00:01.500\nA bell rings.\n"
PARTS = re.compile(r"/s3/.*[?&]partNumber=(\d+)")


@pytest.fixture(scope="module")
def master(footage: Footage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video in five parts: a short clip, and a box of padding, as large as the index of a large file."""
    path = tmp_path_factory.mktemp("masters") / f"{unique('harbour')}.mp4"
    data = footage.tiny.read_bytes()
    path.write_bytes(data)
    with path.open("r+b") as file:
        file.seek(len(data))
        file.write((70 * MIB - len(data)).to_bytes(4, "big") + b"free")
        file.truncate(70 * MIB)
    return path


class Uploads:
    """The uploads of a library page, and the parts of files on their way to the store."""

    def __init__(self, room: Room) -> None:
        self.room, self.page = room, room.page
        self.sent: list[int] = []
        self.held: list[Route] = []
        self.hold_from = 99
        self.broken = False
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.context.route(PARTS, self._pass)

    @property
    def rows(self) -> Locator:
        return self.page.get_by_role("region", name="Uploads").get_by_role("listitem")

    def row(self, name: str) -> Locator:
        return self.rows.filter(has_text=name)

    def choose(self, *paths: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Upload videos").click()
        chooser.value.set_files(paths)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def wait_for_held(self, count: int) -> None:
        self.room.until(lambda: len(self.held) >= count)

    def release(self) -> None:
        self.hold_from = 99
        for route in self.held:
            route.continue_()
        self.held.clear()

    def _pass(self, route: Route) -> None:
        found = PARTS.search(route.request.url)
        assert found
        number = int(found[1])
        if number >= self.hold_from:
            self.held.append(route)
        elif self.broken:
            route.abort("connectionreset")
        else:
            self.sent.append(number)
            route.continue_()


@pytest.fixture
def uploads(app: RunningApp, open_room: OpenRoom) -> Iterator[Uploads]:
    uploads = Uploads(open_room(app, "/"))
    expect(uploads.page.get_by_role("button", name="Upload videos")).to_be_visible()
    yield uploads
    uploads.page.context.unroute(PARTS)


def assert_stored(app: RunningApp, uploads: Uploads, path: Path) -> None:
    """Check that the row leads to a video whose object equals the file byte for byte."""
    link = uploads.row(path.name).get_by_role("link", name=path.name)
    expect(link).to_be_visible()
    video_id = (link.get_attribute("href") or "").removeprefix("/videos/")
    with app.database.read() as db:
        video = db.get_one(StoredVideo, video_id)
    assert hashlib.sha256(app.store.get(video.s3_key)).digest() == hashlib.sha256(path.read_bytes()).digest()


def left_in_the_store(app: RunningApp) -> set[str]:
    folder = app.data_dir / "store"
    return {path.name for kind in ("incoming", "data") for path in (folder / kind).rglob("*") if path.is_file()}


def test_chosen_videos_appear_in_the_library_and_play_with_their_captions(
    app: RunningApp, uploads: Uploads, footage: Footage, tmp_path: Path
) -> None:
    bells, square = unique("bells"), unique("square")
    video, captions, other = tmp_path / f"{bells}.mp4", tmp_path / f"{bells}.de.vtt", tmp_path / f"{square}.mp4"
    video.write_bytes(footage.portrait.read_bytes())
    other.write_bytes(footage.square.read_bytes())
    captions.write_text(CAPTIONS)
    uploads.choose(video, captions, other)
    assert_stored(app, uploads, video)
    assert_stored(app, uploads, other)
    expect(uploads.row(video.name)).to_contain_text(f"In the library, with {captions.name}")
    videos = uploads.page.get_by_role("list", name="Videos")
    expect(videos.get_by_role("link", name=square)).to_be_visible()
    videos.get_by_role("link", name=bells).click()
    expect(uploads.page.get_by_role("heading", name=bells)).to_be_visible()
    video_id = uploads.page.url.rpartition("/")[2].partition("?")[0]
    found = uploads.page.context.request.get(f"{app.address}/api/clips/videos/{video_id}/captions/de")
    assert "A bell rings." in found.text()


def test_a_video_dropped_anywhere_on_the_page_is_uploaded(app: RunningApp, uploads: Uploads, footage: Footage, tmp_path: Path) -> None:
    path = tmp_path / "dropped.mp4"
    path.write_bytes(footage.tiny.read_bytes())
    files = uploads.page.evaluate_handle(
        """data => { const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], 'dropped.mp4', {type: 'video/mp4'}));
        return transfer; }""",
        base64.b64encode(path.read_bytes()).decode(),
    )
    uploads.page.dispatch_event(".main", "dragenter", {"dataTransfer": files})
    expect(uploads.page.get_by_text("Drop videos to upload them")).to_be_visible()
    uploads.page.dispatch_event(".main", "drop", {"dataTransfer": files})
    expect(uploads.page.get_by_text("Drop videos to upload them")).to_be_hidden()
    assert_stored(app, uploads, path)


def test_an_upload_recovers_from_a_broken_connection(app: RunningApp, uploads: Uploads, master: Path) -> None:
    uploads.room.announce("ERR_CONNECTION_RESET")
    uploads.broken = True
    uploads.choose(master)
    expect(uploads.row(master.name)).to_contain_text("Connection lost, trying again")
    uploads.broken = False
    assert_stored(app, uploads, master)
    assert sorted(uploads.sent) == [1, 2, 3, 4, 5]


def test_after_a_reload_the_same_file_resumes_with_the_missing_parts(app: RunningApp, uploads: Uploads, master: Path) -> None:
    uploads.hold_from = 4
    uploads.choose(master)
    expect(uploads.row(master.name)).to_contain_text("50 MB of 73 MB")
    uploads.held.clear()
    uploads.page.reload()
    row = uploads.row(master.name)
    expect(row).to_contain_text("50 MB of 73 MB · Choose the same file again to resume")
    uploads.sent.clear()
    uploads.hold_from = 99
    with uploads.page.expect_file_chooser() as chooser:
        uploads.press(f"Choose {master.name}")
    chooser.value.set_files(master)
    assert_stored(app, uploads, master)
    expect(uploads.rows).to_have_count(1)
    assert sorted(uploads.sent) == [4, 5]


def test_an_upload_that_was_sent_whole_is_completed_after_a_reload(
    app: RunningApp, uploads: Uploads, footage: Footage, tmp_path: Path
) -> None:
    path = tmp_path / f"{unique('ferry')}.mp4"
    path.write_bytes(footage.tiny.read_bytes())
    lost: list[Route] = []
    uploads.page.route("**/complete", lambda route: lost.append(route), times=1)
    uploads.choose(path)
    uploads.room.until(lambda: bool(lost))
    uploads.page.reload()
    expect(uploads.row(path.name)).to_contain_text(re.compile("All sent · Checking the video|In the library"))
    assert_stored(app, uploads, path)


def test_a_paused_upload_sends_nothing_until_it_is_resumed(app: RunningApp, uploads: Uploads, master: Path) -> None:
    uploads.hold_from = 3
    uploads.choose(master)
    uploads.wait_for_held(1)
    uploads.press(f"Pause {master.name}")
    expect(uploads.row(master.name)).to_contain_text("Paused")
    uploads.held.clear()
    uploads.hold_from = 99
    with uploads.page.expect_request(lambda request: PARTS.search(request.url) is not None):
        uploads.press(f"Resume {master.name}")
    assert_stored(app, uploads, master)


def test_an_upload_continues_while_another_page_of_the_app_is_open(
    app: RunningApp, uploads: Uploads, master: Path, footage: Footage
) -> None:
    uploads.hold_from = 2
    uploads.choose(master)
    uploads.wait_for_held(1)
    uploads.page.get_by_role("list", name="Videos").get_by_role("link").first.click()
    expect(uploads.page.get_by_role("tab", name="Identified")).to_be_visible()
    uploads.release()
    uploads.page.go_back()
    assert_stored(app, uploads, master)


def test_a_cancelled_upload_leaves_nothing(app: RunningApp, uploads: Uploads, master: Path) -> None:
    app.wait_until_idle()  # jobs of earlier uploads write previews to the store
    before = left_in_the_store(app)
    uploads.hold_from = 3
    uploads.choose(master)
    uploads.wait_for_held(2)
    assert left_in_the_store(app) - before
    with uploads.page.expect_response(lambda answer: answer.request.method == "DELETE") as answer:
        uploads.press(f"Cancel {master.name}")
    assert answer.value.status == 204
    expect(uploads.rows).to_have_count(0)
    assert left_in_the_store(app) == before
    uploads.page.reload()
    expect(uploads.page.get_by_role("button", name="Upload videos")).to_be_visible()
    assert uploads.page.context.request.get(f"{app.address}/api/uploads").json() == {"uploads": []}
    assert left_in_the_store(app) == before


def test_a_file_that_is_not_a_video_is_refused_with_a_sentence(app: RunningApp, uploads: Uploads, tmp_path: Path) -> None:
    uploads.room.announce("422")
    app.wait_until_idle()
    before = left_in_the_store(app)
    wrong, notes, empty = tmp_path / "words.mp4", tmp_path / "notes.txt", tmp_path / "empty.mp4"
    wrong.write_text("just words")
    notes.write_text("just words")
    empty.touch()
    uploads.choose(wrong, notes, empty)
    expect(uploads.row("words.mp4")).to_contain_text("words.mp4 was not added. This video file cannot be read")
    expect(uploads.row("notes.txt")).to_contain_text("Unsupported file type; use .avi")
    expect(uploads.row("empty.mp4")).to_contain_text("empty.mp4 is empty.")
    assert left_in_the_store(app) == before
    uploads.press("Dismiss words.mp4")
    expect(uploads.rows).to_have_count(2)


def test_a_viewer_cannot_upload(app: RunningApp, viewer: str, open_room: OpenRoom) -> None:
    room = open_room(app, "/", email=viewer)
    expect(room.page.get_by_text("Vera", exact=True)).to_be_visible()
    expect(room.page.get_by_role("list", name="Videos")).to_be_visible()
    expect(room.page.get_by_role("button", name="Upload videos")).to_have_count(0)
    assert_cannot_upload(room.page)
    assert room.page.context.request.post(f"{app.address}/api/uploads", data={"fileName": "a.mp4", "size": 1}).status == 403


def assert_cannot_upload(page: Page) -> None:
    assert page.locator("upload-desk").count() == 0
