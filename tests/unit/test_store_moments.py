"""Dates in a store's responses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.utils import parse_timestamp

from clipviewer.storage.s3 import parse_s3_timestamp

WRITTEN: list[str | float] = [
    "2025-10-05T12:00:00.000Z",
    "2025-10-05T12:00:00Z",
    "2025-10-05T14:00:00+02:00",
    "Sun, 05 Oct 2025 12:00:00 GMT",
    "1759665600",
    1759665600.0,
]


@pytest.mark.parametrize("value", WRITTEN)
def test_dates_are_parsed_as_botocore_parses_them(value: str | float) -> None:
    assert parse_s3_timestamp(value).astimezone(UTC) == parse_timestamp(value).astimezone(UTC) == datetime(2025, 10, 5, 12, tzinfo=UTC)
