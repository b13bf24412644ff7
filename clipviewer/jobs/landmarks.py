"""Named places in a job. Nothing happens at them; a test puts its own function here, to end the process right there."""

from __future__ import annotations

from collections.abc import Callable

LANDMARKS = (
    "handed over",
    "taken",
    "claimed",
    "source checked",
    "rendering",
    "rendered",
    "announced",
    "captions uploaded",
    "object uploaded",
    "sidecar uploaded",
    "published",
)
"""Of an export."""
OF_LIBRARY = ("handed over", "taken", "claimed", "performed")
"""Of a job on the library."""


def _pass(_place: str) -> None: ...


reached: Callable[[str], None] = _pass
