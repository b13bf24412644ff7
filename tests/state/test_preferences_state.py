"""The page of the team's preferences, event by event."""

from __future__ import annotations

import pytest
from sqlmodel import select

from clipviewer.db.models import User
from clipviewer.domain.permissions import Role
from clipviewer.domain.preferences import Preferences
from clipviewer.services.container import Services
from clipviewer.services.prefs import load_preferences
from clipviewer.state.preferences import PreferencesState
from tests.state.page import Page

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FORM = {
    "ratio 9:16": "on",
    "ratio 16:9": "on",
    "original": "on",
    "others": "de pt-BR,fr",
    "captions": "soft",
    "framing": "auto",
    "shortest_s": "20",
    "longest_s": "90",
    "keep_failed_days": "0",
}


@pytest.fixture
def admin(page: Page, services: Services) -> Page:
    """The page of an admin."""
    with services.database.write() as db:
        for user in db.exec(select(User)):
            user.role = Role.ADMIN
    return page


def standing(services: Services) -> Preferences:
    with services.database.read() as db:
        return load_preferences(db)


def test_a_reviewer_sees_preferences_and_cannot_change_them(page: Page, services: Services) -> None:
    page.call(PreferencesState, "open_page")
    state = page.state(PreferencesState)
    assert (state.phase, state.may_change, state.shown.ratios, state.shown.longest_s) == ("ready", False, ["9:16"], "60")
    assert "Your role does not allow this" in page.call(PreferencesState, "save", FORM)[1]
    assert standing(services) == Preferences()


def test_an_admin_saves_what_the_form_says(admin: Page, services: Services) -> None:
    admin.call(PreferencesState, "open_page")
    delta, told = admin.call(PreferencesState, "save", FORM)
    assert "Preferences saved" in told
    assert (delta["shown"].others, delta["shown"].ratios) == ("de, pt-BR, fr", ["9:16", "16:9"])
    saved = standing(services)
    assert (saved.languages, saved.captions, saved.framing, saved.shortest_s) == (("original", "de", "pt-BR", "fr"), "soft", "auto", 20)
    assert (saved.longest_s, saved.find_on_upload, saved.keep_failed_days) == (90, False, 0)


def test_an_invalid_value_is_reported_at_its_field_until_corrected(admin: Page, services: Services) -> None:
    admin.call(PreferencesState, "open_page")
    delta, told = admin.call(PreferencesState, "save", FORM | {"longest_s": "21", "others": "?", "keep_failed_days": "x" * 2_000})
    assert delta["problems"].keys() == {"longest_s", "languages", "keep_failed_days"}
    assert "Not saved" in told
    assert "preference_languages" in told  # the first invalid field in the form has the focus
    assert standing(services) == Preferences()
    delta, _ = admin.call(PreferencesState, "save", FORM)
    assert delta["problems"] == {}


@pytest.mark.parametrize("form", [{}, {"ratio 4:3": "on"}, {"captions": "dubbed"}])
def test_any_input_is_tolerated(admin: Page, services: Services, form: dict[str, str]) -> None:
    assert "Not saved" in admin.call(PreferencesState, "save", form)[1]
    assert standing(services) == Preferences()


def test_an_invalid_form_is_refused(admin: Page) -> None:
    for value in (None, [], "text", {"captions": ["off"]}, {"captions": 1}):
        assert "The input is not valid" in admin.call(PreferencesState, "save", value)[1]
