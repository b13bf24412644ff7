"""Filters over a video's exports: one aspect ratio, one language, one state, or any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from clipviewer.domain.aspect_ratio import AspectRatio
from clipviewer.domain.language import parse_language


class CellState(StrEnum):
    """The state of a cell of the export matrix. ``STALE``: exported, but from something that has changed since."""

    MISSING = "missing"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class ExportFilters:
    """ "" stands for any; ``state`` is a ``CellState``."""

    ratio: str = ""
    language: str = ""
    state: str = ""

    @property
    def narrow(self) -> bool:
        """Return whether any filter is set."""
        return bool(self.ratio or self.language or self.state)


def export_filters(given: Mapping[str, str]) -> ExportFilters:
    """Return the filters of an address' query (``ratio``, ``language``, ``state``); unknown values stand for any."""
    ratio, language, state = (given.get(name, "") for name in ("ratio", "language", "state"))
    return ExportFilters(
        ratio if ratio in set(AspectRatio) else "",
        language if _is_language(language) else "",
        state if state in set(CellState) else "",
    )


def _is_language(tag: str) -> bool:
    try:
        return bool(parse_language(tag))
    except ValueError:
        return False
