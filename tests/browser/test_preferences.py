"""Settings, Preferences: an admin changes them, everybody starts with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from clipviewer.domain.preferences import Preferences
from clipviewer.services.prefs import load_preferences, save_preferences
from tests.browser.clip_library import Video
from tests.browser.running_app import RunningApp
from tests.browser.test_layout import assert_no_sideways_scrolling, widths
from tests.browser.watched_page import OpenRoom


@pytest.fixture
def restored_preferences(app: RunningApp) -> Iterator[None]:
    """Restore the default preferences for the following tests."""
    yield
    with app.database.write() as db:
        save_preferences(db, Preferences())


def test_saved_preferences_are_preselected_in_the_export_dialog(
    app: RunningApp, sample_video: Video, open_room: OpenRoom, restored_preferences: None
) -> None:
    room = open_room(app, "/")
    page = room.page
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("navigation", name="Settings").get_by_role("link", name="Preferences")).to_have_attribute(
        "aria-current", "page"
    )
    page.get_by_label("1:1").check()
    page.get_by_label("9:16").uncheck()
    page.get_by_label("Framing").select_option("fit")
    page.get_by_label("Burned in").check()
    page.get_by_label("Find clips in every upload").uncheck()
    page.get_by_label("Longest, in seconds").fill("17")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The longest takes at least 5 seconds more than the shortest.")).to_be_visible()
    expect(page.get_by_label("Longest, in seconds")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Longest, in seconds").fill("45")
    page.get_by_label("Other languages, if the video has captions in them").fill("de;pt-BR")
    page.get_by_role("button", name="Save").click()
    room.toast("Preferences saved")
    expect(page.get_by_label("Other languages, if the video has captions in them")).to_have_value("de, pt-BR")
    expect(page.get_by_label("Longest, in seconds")).to_have_attribute("aria-invalid", "false")
    with app.database.read() as db:
        assert (load_preferences(db).longest_s, load_preferences(db).find_on_upload) == (45, False)

    room.open(f"{sample_video.path}?tab=identified")
    page.get_by_label(f"Select {sample_video.identified[0].title}").click()
    page.get_by_role("button", name="Generate Shorts").click()
    dialog = page.get_by_role("dialog", name="Export clips")
    expect(dialog.get_by_label("1:1")).to_be_checked()
    expect(dialog.get_by_label("9:16")).not_to_be_checked()
    expect(dialog.get_by_label("Framing, square")).to_have_value("fit")
    expect(dialog.get_by_label("Burned in")).to_be_checked()
    expect(dialog.get_by_text("1 clip × 1 aspect ratio × 1 language: 1 new")).to_be_visible()


def test_a_refused_save_focuses_the_first_invalid_field(app: RunningApp, open_room: OpenRoom, restored_preferences: None) -> None:
    page = open_room(app, "/settings").page
    page.get_by_label("Shortest, in seconds").fill("many")
    page.get_by_label("Longest, in seconds").fill("17")
    page.get_by_label("9:16").uncheck()
    page.get_by_role("checkbox", name="1:1").uncheck()
    save = page.get_by_role("button", name="Save")
    save.click()
    expect(page.get_by_label("9:16")).to_be_focused()
    expect(page.get_by_label("9:16")).to_have_accessible_description("Choose at least one aspect ratio.")
    page.keyboard.press("Space")
    save.click()
    expect(page.get_by_label("Shortest, in seconds")).to_be_focused()
    expect(page.get_by_label("Shortest, in seconds")).to_have_accessible_description(re.compile("^Give a whole number of seconds"))
    expect(page.get_by_label("9:16")).to_have_attribute("aria-invalid", "false")
    save.click()
    expect(page.get_by_label("Shortest, in seconds")).to_be_focused()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("15")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Longest, in seconds")).to_be_focused()
    page.get_by_label("Longest, in seconds").fill("60")
    page.get_by_label("Other languages, if the video has captions in them").fill("de")
    page.get_by_label("Other languages, if the video has captions in them").press("Enter")
    expect(page.get_by_role("radio", name="Off")).to_be_focused()
    expect(page.get_by_role("radiogroup", name="Captions")).to_have_attribute("aria-invalid", "true")


def test_a_viewer_sees_preferences_and_cannot_change_them(app: RunningApp, viewer: str, open_room: OpenRoom) -> None:
    room = open_room(app, "/settings", email=viewer)
    expect(room.page.get_by_text("Only admins can change preferences.")).to_be_visible()
    expect(room.page.get_by_label("9:16")).to_be_disabled()
    expect(room.page.get_by_role("button", name="Save")).to_have_count(0)


def test_the_page_fits_its_width(app: RunningApp, open_room: OpenRoom) -> None:
    room = open_room(app, "/settings", viewport={"width": 375, "height": 900})
    expect(room.page.get_by_role("button", name="Save")).to_be_visible()
    for _ in widths(room.page, 375, 820, 1440):
        assert_no_sideways_scrolling(room.page)
