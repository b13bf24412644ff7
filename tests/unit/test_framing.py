"""What a crop shows, for any picture size and any dragged centre."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.framing import Framing, FramingMode, Rect, Shot, auto_framing_at, crop_rect, export_size, framing_key

SHARES = st.floats(0, 1)
SIZES = st.integers(2, 9_000)
FRAMINGS = st.builds(Framing, st.sampled_from(FramingMode), SHARES, SHARES)


@given(SIZES, SIZES, st.sampled_from(AspectRatio), FRAMINGS)
def test_a_crop_is_even_and_inside_the_picture(width: int, height: int, ratio: AspectRatio, framing: Framing) -> None:
    rect = crop_rect(width, height, ratio, framing)
    assert all(number % 2 == 0 for number in (rect.x, rect.y, rect.width, rect.height))
    assert rect.x >= 0 <= rect.y
    assert rect.width > 0 < rect.height
    assert rect.x + rect.width <= width
    assert rect.y + rect.height <= height


@given(st.integers(200, 9_000), st.integers(200, 9_000), st.sampled_from(AspectRatio), SHARES, SHARES)
def test_a_crop_has_its_shape_and_is_as_large_as_fits(width: int, height: int, ratio: AspectRatio, x: float, y: float) -> None:
    rect = crop_rect(width, height, ratio, Framing(FramingMode.MANUAL, x, y))
    wanted = ratio.frame.width / ratio.frame.height
    assert (rect.width - 2) / (rect.height + 2) < wanted < (rect.width + 2) / (rect.height - 2)
    assert rect.width >= width - 1 or rect.height >= height - 1


@given(st.integers(200, 9_000), st.integers(200, 9_000), st.sampled_from(AspectRatio), SHARES, SHARES)
def test_a_crop_has_the_chosen_centre_or_touches_the_edge(width: int, height: int, ratio: AspectRatio, x: float, y: float) -> None:
    rect = crop_rect(width, height, ratio, Framing(FramingMode.MANUAL, x, y))
    for start, length, size, share in ((rect.x, rect.width, width, x), (rect.y, rect.height, height, y)):
        at_edge = start <= 1 or start + length >= size - 2
        assert at_edge or abs(start + length / 2 - share * size) <= 2


@pytest.mark.parametrize(
    ("size", "ratio", "framing", "rect"),
    [
        ((1920, 1080), AspectRatio.PORTRAIT, Framing(), Rect(656, 0, 606, 1080)),
        ((1920, 1080), AspectRatio.SQUARE, Framing(), Rect(420, 0, 1080, 1080)),
        ((1920, 1080), AspectRatio.LANDSCAPE, Framing(), Rect(0, 0, 1920, 1080)),
        ((640, 480), AspectRatio.LANDSCAPE, Framing(), Rect(0, 60, 640, 360)),
        ((720, 1280), AspectRatio.LANDSCAPE, Framing(), Rect(0, 438, 720, 404)),
        ((1920, 1080), AspectRatio.SQUARE, Framing(FramingMode.MANUAL, 0, 0.5), Rect(0, 0, 1080, 1080)),
        ((1920, 1080), AspectRatio.SQUARE, Framing(FramingMode.MANUAL, 1, 0.5), Rect(840, 0, 1080, 1080)),
        ((1920, 1080), AspectRatio.SQUARE, Framing(FramingMode.AUTO, 1, 1), Rect(420, 0, 1080, 1080)),
        ((1279, 719), AspectRatio.PORTRAIT, Framing(FramingMode.FIT), Rect(0, 0, 1278, 718)),
    ],
)
def test_what_an_export_shows(size: tuple[int, int], ratio: AspectRatio, framing: Framing, rect: Rect) -> None:
    assert crop_rect(*size, ratio, framing) == rect


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_centre_outside_the_picture_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="within the picture"):
        Framing(FramingMode.MANUAL, share)
    with pytest.raises(ValueError, match="within the picture"):
        Framing(FramingMode.MANUAL, 0.5, share)


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="2 × 2"):
        crop_rect(1, 100, AspectRatio.SQUARE, Framing())


@pytest.mark.parametrize(("at_ms", "x"), [(0, 0.2), (999, 0.2), (1_000, 0.4), (1_500, 0.5), (1_999, 0.5998), (2_000, 0.6), (9_000, 0.6)])
def test_a_crop_stays_for_a_shot_or_glides_to_the_next(at_ms: int, x: float) -> None:
    shots = [Shot(0, 0.2, 0.5), Shot(1_000, 0.4, 0.5, glides=True), Shot(2_000, 0.6, 0.5, glides=True)]
    found = auto_framing_at(shots, at_ms)
    assert (found.mode, found.x, found.y) == (FramingMode.MANUAL, pytest.approx(x), 0.5)


def test_a_clip_without_a_subject_shows_the_centre() -> None:
    assert auto_framing_at([], 500) == Framing()


def test_framings_that_show_the_same_have_the_same_key() -> None:
    assert framing_key(Framing(FramingMode.CENTRE, 0.1, 0.2)) == framing_key(Framing()) == "centre"
    assert framing_key(Framing(FramingMode.MANUAL, 0.25)) == "manual:0.2500:0.5000"
    assert len({framing_key(Framing(mode)) for mode in FramingMode}) == len(FramingMode)


@pytest.mark.parametrize(
    ("content", "ratio", "mode", "size"),
    [
        (Rect(0, 0, 1920, 1080), AspectRatio.PORTRAIT, FramingMode.CENTRE, (720, 1280)),
        (Rect(0, 0, 3840, 2160), AspectRatio.PORTRAIT, FramingMode.CENTRE, (1080, 1920)),
        (Rect(0, 270, 3840, 1620), AspectRatio.PORTRAIT, FramingMode.CENTRE, (720, 1280)),
        (Rect(0, 0, 1080, 1920), AspectRatio.PORTRAIT, FramingMode.FIT, (1080, 1920)),
        (Rect(0, 0, 1920, 1080), AspectRatio.PORTRAIT, FramingMode.FIT, (720, 1280)),
        (Rect(0, 0, 3840, 2160), AspectRatio.SQUARE, FramingMode.CENTRE, (1080, 1080)),
        (Rect(0, 0, 3840, 2160), AspectRatio.LANDSCAPE, FramingMode.CENTRE, (1280, 720)),
    ],
)
def test_an_export_is_no_larger_than_its_footage(content: Rect, ratio: AspectRatio, mode: FramingMode, size: tuple[int, int]) -> None:
    assert export_size(content, ratio, Framing(mode)) == size
