"""What a walk through the bucket has found, counted and shown by its first keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clipviewer.domain.bucket_contents import Ignored
from clipviewer.storage.s3 import StoredObject

SHOWN = 20
"""Keys of each sort that are shown."""


@dataclass(slots=True)
class Tally:
    """What was found: objects by what became, or would become, of each. ``size`` in bytes; ``missing``: known ones that are gone.

    ``shown`` are the first keys of each sort and reason; ``complete``: the listing was read to its end.
    """

    objects: int = 0
    size: int = 0
    videos: int = 0
    exports: int = 0
    captions: int = 0
    changed: int = 0
    back: int = 0
    missing: int = 0
    known: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    shown: dict[str, list[str]] = field(default_factory=dict)
    complete: bool = False

    def show(self, sort: str, *keys: str) -> None:
        """Keep the keys, as far as there is room."""
        if keys:
            shown = self.shown.setdefault(sort, [])
            shown += keys[: SHOWN - len(shown)]

    def ignore(self, item: StoredObject, reason: Ignored) -> None:
        self.ignored[reason.value] += 1
        self.show(reason.value, item.key)

    def as_json(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("objects", "size", "videos", "exports", "captions", "changed", "back", "missing")}
        return {**counts, "known": self.known, "ignored": dict(self.ignored), "shown": self.shown, "complete": self.complete}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Tally:
        """What ``as_json`` gave."""
        return cls(**{**told, "ignored": Counter(told["ignored"]), "shown": dict(told["shown"])})
