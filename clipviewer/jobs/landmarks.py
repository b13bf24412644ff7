"""Named places in a job. Nothing happens at them; a test installs its own function here, to end the process at that place."""

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
"""Places in an export."""
OF_LIBRARY = ("handed over", "taken", "claimed", "performed")
"""Places in a job on the library."""


def _pass(_place: str) -> None: ...


reached: Callable[[str], None] = _pass
