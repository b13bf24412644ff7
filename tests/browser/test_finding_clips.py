"""Find clips in an open room: started with a button, shown in every room of the video without a reload."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.clip_library import Registrar
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom
from tests.preview_footage import encode


def test_clips_are_found_on_request_and_join_the_list_of_every_open_room(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom, tmp_path: Path
) -> None:
    loud = "aevalsrc='0.6*sin(880*t)*between(t,25,41)+0.02*sin(440*t)*gt(mod(t,4),1)':d=60"
    picture = "testsrc2=d=60:s=320x180:r=12"
    footage = encode(tmp_path / "hall.mp4", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", loud, "-preset", "ultrafast")
    video_id = registrar.video("hall", "The hall", footage, 60)
    room, other = (open_room(app, f"/videos/{video_id}?tab=identified") for _ in range(2))
    expect(room.page.get_by_text("No identified clips yet")).to_be_visible()
    expect(other.page.get_by_text("No identified clips yet")).to_be_visible()
    room.page.get_by_role("button", name="Find clips").click()
    expect(room.page.get_by_text(re.compile(r"^Found \d+ clip"))).to_be_visible(timeout=60_000)
    expect(room.options.first).to_contain_text("found")
    expect(other.options.first).to_contain_text("found")
    room.options.first.click()
    expect(room.page.get_by_role("region", name="Clip details")).to_contain_text("Found because")
    expect(room.page.get_by_role("region", name="Clip details")).to_contain_text("louder than the rest")
