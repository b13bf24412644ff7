"""The list of slow tests names existing files, and a run starts with them."""

from __future__ import annotations

from tests.run_order import LONGEST, TESTS


def test_the_listed_files_exist() -> None:
    assert [name for name in LONGEST if not (TESTS / name).exists()] == []
    assert len(set(LONGEST)) == len(LONGEST)
