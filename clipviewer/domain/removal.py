"""What happens to a deleted video's objects when it is removed for good."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

KEPT_FOR = timedelta(hours=24)
"""How long a deleted video can be restored."""


class RemovalScope(StrEnum):
    """Which objects are deleted together with the video."""

    KEEP = "keep"
    EXPORTS = "exports"
    ALL = "all"
