"""A master that is slow to start: named in the room and repaired on request, while playback continues."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from sqlmodel import select

from clipviewer.db.models import Video
from tests.browser.clip_footage import Footage
from tests.browser.clip_library import Registrar
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom
from tests.preview_footage import encode


def test_a_slow_master_is_reported_and_repaired_while_it_plays(
    app: RunningApp, registrar: Registrar, footage: Footage, open_room: OpenRoom, tmp_path: Path
) -> None:
    slow = encode(tmp_path / "slow.mp4", "-i", str(footage.landscape), "-map", "0", "-c", "copy")
    video_id = registrar.video("slow", "The slow one", slow, 6)
    room = open_room(app, f"/videos/{video_id}?tab=identified")
    room.playing()
    page = room.page
    expect(page.get_by_role("button", name="Make it start quickly")).to_be_visible(timeout=60_000)
    room.video.evaluate("video => { video.pause(); video.currentTime = 2; }")
    room.wait_for("video => !video.seeking")
    page.get_by_role("button", name="Make it start quickly").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("The old file stays there")
    asked.get_by_role("button", name="Create copy").click()
    expect(page.get_by_text("The video starts quickly now")).to_be_visible()
    expect(page.get_by_text("Slow to start")).to_have_count(0)
    assert room.media("video.currentTime") == 2
    with app.database.read() as db:
        video = db.exec(select(Video).where(Video.id == video_id)).one()
    assert ".quick-" in video.s3_key
    assert {found.key for found in app.store.list(video.s3_key.partition(".quick-")[0])} == {
        video.s3_key,
        f"{video.s3_key.partition('.quick-')[0]}.mp4",
    }
    page.reload()
    room.wait_for("video => video.currentSrc.includes('.quick-') && video.readyState > 1")
    expect(page.get_by_role("button", name="Make it start quickly")).to_have_count(0)
