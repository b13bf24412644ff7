"""The job ``adopt``: import what is under a prefix of the bucket. Its subject is the prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clipviewer.jobs.running import LibraryAttempt
from clipviewer.services.adoption.adopting import run_import


def adopt_prefix(run: LibraryAttempt) -> Mapping[str, Any]:
    """Return the counts as ``adopting.Tally``. The total is unknown before the end, so progress is reported in objects."""
    found = run_import(
        run.services,
        run.item.subject,
        actor=run.item.requested_by,
        on_progress=lambda objects: run.report(0.0, f"{objects:,} objects seen"),
        check=run.check,
    )
    return found.as_json()
