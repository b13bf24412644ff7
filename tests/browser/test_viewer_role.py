"""What a viewer sees of a room: all content, and no control that would be refused."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import Session, select

from clipviewer.db.export_models import ExportJob
from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.export_choices import ExportChoices
from clipviewer.services.exporting.exports import request_exports
from clipviewer.services.room.captions import attach
from tests.browser.clip_library import Registrar, Video
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom

CHANGES = ("Generate Shorts", "Find clips", "Create previews", "Edit", "In", "Out", "Centre", "Keep", "Attach", "Export", "Retry", "Cancel")
"""Names of buttons that change something."""


@pytest.fixture(scope="module")
def full_video(app: RunningApp, registrar: Registrar) -> Video:
    """A video with exports, candidates, captions, and a failed export."""
    video = registrar.four_shapes("watched-harbour", "Watched harbour")
    with app.database.write() as db:
        attach(db, video.id, "de", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHallo\n", "a.vtt")
        fail(db, video)
    return video


def fail(db: Session, video: Video) -> None:
    request_exports(db, video.id, [video.identified[0].id], ExportChoices([AspectRatio.PORTRAIT]))
    job = db.exec(select(ExportJob).where(ExportJob.video_id == video.id)).one()
    job.state, job.reason = "failed", "The disk was full."
    db.add(job)


def assert_nothing_to_change(page: Page) -> None:
    for name in CHANGES:
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_a_viewer_watches_candidates_without_ticks_and_is_told_who_exports(
    app: RunningApp, full_video: Video, viewer: str, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{full_video.path}?tab=identified", email=viewer)
    expect(room.page.get_by_text("Only reviewers and admins can export clips.")).to_be_visible()
    room.playing()
    expect(room.page.get_by_role("checkbox")).to_have_count(0)
    expect(room.page.get_by_text("ticked")).to_have_count(0)
    assert_nothing_to_change(room.page)
    room.option("Middle").click()
    room.shown("Middle")


def test_a_viewer_sees_why_an_export_failed_and_cannot_retry_it(
    app: RunningApp, full_video: Video, viewer: str, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{full_video.path}?tab=exported", email=viewer)
    expect(room.page.get_by_text("The disk was full.")).to_be_visible()
    assert_nothing_to_change(room.page)
    room.page.get_by_role("button", name="Matrix").click()
    grid, card = room.page.get_by_role("grid", name="Export matrix"), room.page.get_by_role("region", name="Selected cell")
    expect(card).to_have_text("Select a cell to play it or see why it failed.")
    grid.get_by_role("button", name="Opening, 9:16, Original: failed").click()
    expect(card).to_contain_text("The disk was full.")
    grid.get_by_role("button", name="Opening, 1:1, Original: missing").click()
    expect(card).to_contain_text("Missing")
    assert_nothing_to_change(room.page)


def test_a_viewer_can_download_captions_but_not_change_them(app: RunningApp, full_video: Video, viewer: str, open_room: OpenRoom) -> None:
    room = open_room(app, full_video.path, email=viewer)
    room.page.get_by_role("button", name="Captions", exact=True).click()
    dialog = room.page.get_by_role("dialog", name="Captions")
    expect(dialog.get_by_role("link", name="Download the captions in German")).to_be_visible()
    expect(dialog.get_by_text("Only reviewers and admins can add or remove captions.")).to_be_visible()
    expect(dialog.get_by_role("button")).to_have_text(["Done"])


def test_a_reviewer_has_every_control(app: RunningApp, full_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{full_video.path}?tab=identified")
    expect(room.page.get_by_role("checkbox", name="Select Opening")).to_be_visible()
    expect(room.page.get_by_role("button", name="Generate Shorts")).to_be_visible()
    expect(room.page.get_by_text("Reviewers and admins")).to_have_count(0)
