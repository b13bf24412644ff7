"""Preferences: accepted values, errors for invalid ones, and tolerance of any stored value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.caption_mode import CaptionMode
from clipviewer.domain.framing import FramingMode
from clipviewer.domain.preferences import Preferences, Unfit, plain_values, preferences_of, usable_preferences

NAMES = sorted(plain_values(Preferences()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["9:16", "de", "soft", "fit", "40"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


def test_without_any_value_everything_has_its_default() -> None:
    assert preferences_of({}) == Preferences()


def test_equivalent_values_are_stored_in_one_form() -> None:
    wanted = Preferences(
        ratios=(AspectRatio.PORTRAIT, AspectRatio.LANDSCAPE),
        languages=("original", "de", "pt-BR"),
        captions=CaptionMode.SOFT,
        framing=FramingMode.AUTO,
        shortest_s=20,
        longest_s=90,
        find_on_upload=False,
        keep_failed_days=0,
    )
    written: dict[str, Any] = {"ratios": ["16:9", "9:16", "16:9"], "languages": ["de", "pt-BR", "original", "de"], "captions": "soft"}
    written |= {"framing": "auto", "shortest_s": " 20 ", "longest_s": "90", "find_on_upload": False, "keep_failed_days": 0}
    assert preferences_of(written) == wanted
    assert preferences_of(plain_values(wanted)) == usable_preferences(plain_values(wanted)) == wanted


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("ratios", [], "at least one aspect ratio"),
        ("ratios", ["4:3"], "at least one aspect ratio"),
        ("languages", [], "at least one language"),
        ("languages", ["original", "deutsch"], "“deutsch” is not a valid language tag"),
        ("captions", "dubbed", "off, soft or burned in"),
        ("framing", "manual", "centre, auto or fit"),
        ("shortest_s", "2", "from 3 to 595"),
        ("longest_s", "601", "from 8 to 600"),
        ("longest_s", True, "whole number of seconds"),
        ("find_on_upload", "no", "yes or no"),
        ("keep_failed_days", "-1", "from 0 to 3650"),
        ("keep_failed_days", 1.5, "whole number of days"),
    ],
)
def test_an_invalid_value_is_reported_at_its_field(field: str, value: Any, said: str) -> None:
    with pytest.raises(Unfit) as caught:
        preferences_of({field: value})
    assert caught.value.problems.keys() == {field}
    assert said in caught.value.problems[field]


def test_conflicting_values_are_reported_at_the_field_to_change() -> None:
    with pytest.raises(Unfit) as caught:
        preferences_of({"languages": ["de"], "shortest_s": 30, "longest_s": 34})
    assert caught.value.problems.keys() == {"captions", "longest_s"}


def test_an_invalid_stored_value_is_replaced_by_its_default() -> None:
    stored = {"ratios": ["1:1"], "languages": ["de"], "captions": "off", "shortest_s": 90, "longest_s": 60, "framing": 7, "unknown": 1}
    assert usable_preferences(stored) == Preferences(ratios=(AspectRatio.SQUARE,))


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_stored_value_is_tolerated(stored: dict[str, Any]) -> None:
    usable = usable_preferences(stored)
    assert preferences_of(plain_values(usable)) == usable
