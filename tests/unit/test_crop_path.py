"""Where *Auto* places its crop, given the visible detail."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.media.framing.crop_path import choose_path
from clipviewer.media.framing.samples import Change
from clipviewer.media.framing.shot_cuts import Cut, find_cuts
from clipviewer.media.framing.subjects import Weights

WINDOW = 0.316
TIMES = [200.0 * number for number in range(40)]


def seen(*places: float) -> Weights:
    """Return one narrow region of detail per picture, at these positions (fractions of the width)."""
    columns = (np.arange(160) + 0.5) / 160
    return np.array([np.exp(-(((columns - place) / 0.04) ** 2)) / 11.3 for place in places], np.float32)


def path(weights: Weights, window: float = WINDOW) -> list[tuple[float, float]]:
    return choose_path([(weights, 0.55, 0.2)], TIMES, window)


def test_a_still_subject_gets_a_still_crop() -> None:
    ((at_ms, place),) = path(seen(*[0.8] * 40))
    assert at_ms == 0
    assert place == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize("weights", [np.zeros((40, 160), np.float32), np.full((40, 160), 1 / 160, np.float32), seen(*[0.52] * 40)])
def test_a_picture_without_a_clear_subject_gets_the_centre(weights: Weights) -> None:
    assert path(weights) == [(0.0, 0.5)]


def test_the_first_clear_sign_decides() -> None:
    left, right, nothing = seen(*[0.2] * 40), seen(*[0.8] * 40), np.zeros((40, 160), np.float32)
    for signs, side in (([left, right], 0.2), ([nothing, right], 0.8)):
        ((_, place),) = choose_path([(weights, 0.55, 0.2) for weights in signs], TIMES, WINDOW)
        assert place == pytest.approx(side, abs=0.07)


def test_a_crop_that_cannot_move_is_centred() -> None:
    assert path(seen(*[0.1] * 40), 1.0) == [(0.0, 0.5)]


def test_a_path_follows_its_subject_in_few_straight_lines() -> None:
    corners = path(seen(*np.linspace(0.15, 0.85, 40)))
    assert 2 <= len(corners) <= 6
    assert (corners[0][0], corners[-1][0]) == (0.0, TIMES[-1])
    assert corners[0][1] < 0.35
    assert corners[-1][1] > 0.65


def test_a_trembling_subject_is_not_followed() -> None:
    assert len(path(seen(*[0.7 + 0.03 * (number % 2) for number in range(40)]))) == 1


@given(st.lists(st.floats(0, 1), min_size=40, max_size=40), st.floats(0.05, 0.95))
def test_a_crop_never_leaves_the_picture_and_never_rushes(places: list[float], window: float) -> None:
    corners = path(seen(*places), window)
    assert all(window / 2 - 1e-9 <= place <= 1 - window / 2 + 1e-9 for _, place in corners)
    assert all(abs(after - before) <= 0.35 * (later - sooner) / 1000 + 0.05 for (sooner, before), (later, after) in pairwise(corners))


def changes(**scores: float) -> list[Change]:
    """Return one picture every 40 ms; ``at=score`` sets the outliers."""
    wanted = {int(name.removeprefix("at_")): score for name, score in scores.items()}
    return [Change(at_ms, wanted.get(at_ms, 1.0), wanted.get(at_ms, 0.5)) for at_ms in range(0, 4_000, 40)]


def test_a_cut_is_an_outlier_among_changes() -> None:
    assert find_cuts(changes(at_1000=25, at_2000=5, at_3000=12)) == [Cut(1_000, 960), Cut(3_000, 2_960)]


def test_a_flash_is_one_cut_at_most() -> None:
    assert find_cuts(changes(at_1000=12, at_1080=30, at_1200=15)) == [Cut(1_080, 1_040)]


def test_a_clip_without_pictures_has_no_cuts() -> None:
    assert find_cuts([]) == []
