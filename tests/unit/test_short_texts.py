"""Titles, tags and sizes as people read them."""

from __future__ import annotations

import pytest

from clipviewer.domain.byte_size import format_bytes
from clipviewer.domain.one_line import normalize_line
from clipviewer.domain.tag import normalize_tag


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 KB"),
        (9_949, "9.9 KB"),
        (9_950, "10 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (5 * 10**12, "5.0 TB"),
        (10**19, "10000 PB"),
    ],
)
def test_a_size_has_two_or_three_digits(count: int, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("typed", "kept"), [("  a\t b\u00a0\nc ", "a b c"), ("e\u0301te\u0301", "été"), ("👩\u200d💻 at work", "👩\u200d💻 at work")]
)
def test_a_line_has_single_spaces_and_keeps_its_letters(typed: str, kept: str) -> None:
    assert normalize_line(typed, 20) == kept


@pytest.mark.parametrize("typed", ["", " \n", "x" * 21, "a\x00", "a\x7f", "\ud800", "\ufdd0"])
def test_an_invalid_line_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"must have|contains"):
        normalize_line(typed, 20)


def test_tags_that_differ_only_in_case_and_spaces_are_equal() -> None:
    assert {normalize_tag(text) for text in ("Wide shot", " wide  SHOT", "WIDE\tshot")} == {"wide shot"}
