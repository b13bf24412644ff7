"""Counts of an import, with the first keys of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clipviewer.domain.bucket_contents import Ignored
from clipviewer.storage.s3 import StoredObject

SHOWN = 20
"""The number of keys shown per kind."""


@dataclass(slots=True)
class Tally:
    """The counts of an import by outcome. ``size`` in bytes; ``missing`` are known objects that are gone.

    ``shown`` holds the first keys of each kind and reason; ``complete``: the listing was read to its end.
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
        """Keep the keys while there is room."""
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
        """Restore what ``as_json`` returned."""
        return cls(**{**told, "ignored": Counter(told["ignored"]), "shown": dict(told["shown"])})
