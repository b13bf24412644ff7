"""The kinds of background work that there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from clipviewer.jobs.work_desk import Kind

KINDS: Mapping[str, Kind] = {}
