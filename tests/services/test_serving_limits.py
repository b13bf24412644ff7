"""How many files and connections a serving process may have open."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from clipviewer.server import connection_limits, raise_open_file_limit


@pytest.fixture
def low_limit() -> Iterator[int]:
    """A soft limit below the hard one; yields the hard one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_process_raises_its_limit_of_open_files_as_far_as_it_may(low_limit: int) -> None:
    assert raise_open_file_limit() == low_limit
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (low_limit, low_limit)


@pytest.mark.parametrize(
    ("open_files", "total"), [(256, 192), (1_024, 768), (4_096, 3_072), (20_000, 10_000), (resource.RLIM_INFINITY, 10_000)]
)
def test_connections_leave_files_for_the_database_and_media(open_files: int, total: int) -> None:
    assert connection_limits(open_files).total == total
