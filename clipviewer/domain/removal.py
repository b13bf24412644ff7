"""What becomes of a deleted video's objects once it is removed for good."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

KEPT_FOR = timedelta(hours=24)
"""How long a deleted video can be brought back."""


class Objects(StrEnum):
    """Which objects leave the bucket with the video."""

    KEEP = "keep"
    EXPORTS = "exports"
    ALL = "all"
