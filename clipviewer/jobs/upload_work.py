"""The job ``upload``: complete an upload whose parts have all arrived, in case the request that began to is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clipviewer.jobs.running import LibraryAttempt
from clipviewer.services.library.uploading import Uploading


def complete_upload(run: LibraryAttempt) -> Mapping[str, Any]:
    """Join, inspect, add. Does nothing if the upload has ended meanwhile."""
    return {"videoId": Uploading(run.services).finish(str(run.item.given["upload"]), run.item.requested_by)}
