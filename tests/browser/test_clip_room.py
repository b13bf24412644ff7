"""The clip room as a person uses it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.clip_library import Registrar, Video, unique
from tests.browser.running_app import RunningApp
from tests.browser.watched_page import OpenRoom


def test_opening_a_video_plays_its_first_exported_clip_and_every_other_when_it_is_clicked(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, sample_video.path)
    room.shown("Boats leave")
    room.playing(sample_video.exported[0].key)
    room.at(f"{sample_video.path}?clip={sample_video.exported[0].id}")
    for clip in [*sample_video.exported, sample_video.exported[0]]:
        room.option(clip.title).click()
        room.shown(clip.title)
        room.playing(clip.key)
        room.at(f"{sample_video.path}?clip={clip.id}")
    expect(room.page.locator("[role=option][aria-selected=true]")).to_have_count(1)


def test_an_address_with_a_clip_opens_that_clip_and_the_details_say_what_it_is(
    app: RunningApp, sample_video: Video, open_room: OpenRoom
) -> None:
    room = open_room(app, f"{sample_video.path}?clip={sample_video.exported[1].id}")
    room.shown("Gulls")
    room.playing(sample_video.exported[1].key)
    details = room.page.get_by_role("region", name="Clip details")
    for fact in ("0:06.0", "1:1", "German", sample_video.exported[1].key):
        expect(details.locator("dd").filter(has_text=fact).first).to_be_visible()
    for name in ("Download", "Copy S3 key"):
        expect(details.get_by_role("button", name=name)).to_be_enabled()


def test_back_and_forward_go_through_the_clips_that_were_opened(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, sample_video.path)
    for clip in (sample_video.exported[0], sample_video.exported[2], sample_video.exported[1]):
        room.option(clip.title).click()
        room.shown(clip.title)
        room.playing(clip.key)
        room.wait_for("video => video.currentTime > 0.4")
    for step, at in ((room.page.go_back, 2), (room.page.go_back, 0), (room.page.go_forward, 2), (room.page.go_forward, 1)):
        step()
        room.shown(sample_video.exported[at].title)
        room.playing(sample_video.exported[at].key)
        room.at(f"{sample_video.path}?clip={sample_video.exported[at].id}")


def test_back_from_the_first_clip_returns_to_the_library(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "/")
    room.page.get_by_role("link", name=sample_video.title).click()
    room.playing(sample_video.exported[0].key)
    room.page.go_back()
    expect(room.page.get_by_role("heading", name="Library")).to_be_visible()
    room.at("/")


def test_an_address_names_the_tab_and_each_tab_remembers_its_clip(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?tab=identified")
    expect(room.page.get_by_role("tab", name="Identified")).to_have_attribute("aria-selected", "true")
    room.shown("Opening")
    room.page.get_by_role("tab", name="Exported").click()
    room.shown("Boats leave")
    room.option("Gulls").click()
    room.shown("Gulls")
    room.page.get_by_role("tab", name="Identified").click()
    room.shown("Opening")
    expect(room.options).to_have_count(3)
    room.page.get_by_role("tab", name="Exported").click()
    room.shown("Gulls")
    room.playing(sample_video.exported[1].key)
    expect(room.options).to_have_count(4)


def test_an_unknown_clip_is_reported_and_the_first_one_opens(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, f"{sample_video.path}?clip=clip_there0is0none")
    room.toast("Clip not found")
    room.shown("Boats leave")
    room.playing(sample_video.exported[0].key)


def test_an_unknown_video_says_so_and_leads_to_the_library(app: RunningApp, sample_video: Video, open_room: OpenRoom) -> None:
    room = open_room(app, "/videos/video_there0is0none")
    expect(room.page.get_by_text("Video not found")).to_be_visible()
    room.page.get_by_role("link", name="Go to the library").click()
    expect(room.page.get_by_role("link", name=sample_video.title)).to_be_visible()


def test_a_video_without_clips_opens_on_the_whole_of_it_and_has_two_empty_tabs(
    app: RunningApp, registrar: Registrar, open_room: OpenRoom
) -> None:
    video_id = registrar.video("bare", "Nothing found in it yet")
    room = open_room(app, f"/videos/{video_id}")
    expect(room.page.get_by_text("No identified clips yet")).to_be_visible()
    expect(room.page.get_by_role("button", name="Generate Shorts")).to_be_disabled()
    room.playing(app.master_key(video_id))
    room.page.get_by_role("tab", name="Exported").click()
    expect(room.page.get_by_text("No exported clips yet")).to_be_visible()
    expect(room.video).to_have_count(0)


def test_a_video_with_candidates_only_opens_on_them(app: RunningApp, registrar: Registrar, open_room: OpenRoom) -> None:
    video_id = registrar.video("candidates", "Only candidates")
    registrar.identified(video_id, [("The one candidate", 3, 6)])
    room = open_room(app, f"/videos/{video_id}")
    room.shown("The one candidate")
    room.page.get_by_role("tab", name="Exported").click()
    expect(room.page.get_by_text("No exported clips yet")).to_be_visible()


def test_going_from_one_video_to_another_opens_its_own_first_clip(
    app: RunningApp, sample_video: Video, registrar: Registrar, open_room: OpenRoom
) -> None:
    other = registrar.four_shapes("other", f"Another {unique('day')}")
    room = open_room(app, f"{sample_video.path}?clip={sample_video.exported[2].id}")
    room.playing(sample_video.exported[2].key)
    room.page.get_by_role("link", name="clipviewer").click()
    room.page.get_by_role("link", name=other.title).click()
    room.shown("Boats leave")
    room.playing(other.exported[0].key)
