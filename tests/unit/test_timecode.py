from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipviewer.domain.timecode import MAX_MS, format_clock, ms_to_seconds, seconds_to_ms


@given(st.integers(0, MAX_MS))
def test_every_millisecond_survives_the_round_trip_through_the_api(ms: int) -> None:
    assert seconds_to_ms(ms_to_seconds(ms)) == ms


@given(st.decimals(0, 600_000, places=6))
def test_seconds_round_to_the_nearest_millisecond(seconds: Decimal) -> None:
    assert abs(Decimal(seconds_to_ms(seconds)) - seconds * 1000) <= Decimal("0.5")


@pytest.mark.parametrize(
    ("written", "ms"),
    [("125.007", 125_007), ("0", 0), ("0.0005", 1), ("0.00049", 0), (125.007, 125_007), (3, 3000), (Decimal("1e1"), 10_000), (1e-7, 0)],
)
def test_seconds_are_read_as_strings_and_as_numbers(written: str | float | Decimal, ms: int) -> None:
    assert seconds_to_ms(written) == ms


@pytest.mark.parametrize(
    "written",
    [
        *("", " 1", "1 ", "-1", "+1", "1e3", "NaN", "inf", "1,5", ".5", "5.", "0x1", "١٢", "1\n", "604800.001", "9" * 13),
        *(-0.5, float("nan"), float("inf"), 1e300),
    ],
)
def test_an_invalid_value_is_refused(written: str | float) -> None:
    with pytest.raises(ValueError, match=r"time in seconds|longer than a week"):
        seconds_to_ms(written)


@pytest.mark.parametrize(
    ("ms", "shown", "with_tenths"),
    [
        (0, "0:00", "0:00.0"),
        (125_099, "2:05", "2:05.0"),
        (59_999, "0:59", "0:59.9"),
        (3_725_500, "1:02:05", "1:02:05.5"),
        (-5, "0:00", "0:00.0"),
    ],
)
def test_the_clock_reads_as_people_read_it_and_rounds_down(ms: int, shown: str, with_tenths: str) -> None:
    assert (format_clock(ms), format_clock(ms, tenths=True)) == (shown, with_tenths)
