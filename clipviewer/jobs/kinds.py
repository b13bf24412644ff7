"""The kinds of jobs on the library: what each does, on which queue it waits, and who may cancel it. Exports are in ``export_run``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clipviewer.domain.permissions import Action
from clipviewer.jobs.adopt_work import adopt_prefix
from clipviewer.jobs.find_work import find_video_clips
from clipviewer.jobs.previews_work import make_video_previews
from clipviewer.jobs.quick_start_work import make_quick_start
from clipviewer.jobs.removal_work import remove_video
from clipviewer.jobs.running import LibraryAttempt
from clipviewer.jobs.upload_work import complete_upload
from clipviewer.services.adoption import adopting
from clipviewer.services.library import quick_start, removal, uploads, video_previews
from clipviewer.services.room import finding


class Queue(StrEnum):
    """Where jobs wait; a process takes from each of them independently of the others."""

    EXPORTS = "exports"
    """As many at once as the process has processors: nobody's export waits for the previews of a long video."""
    PROCESSOR = "processor"
    """Jobs that keep a processor busy: one at a time."""
    BUCKET = "bucket"
    """Jobs that mostly wait for the bucket: one at a time."""
    UPLOADS = "uploads"
    """Uploads that somebody waits for: never behind an import of the whole bucket."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job. ``perform`` does it and returns its result as JSON.

    It raises a ``ClipviewerError`` with a sentence for people, or ``MediaCancelled``. ``needs`` is the permission to cancel such a job,
    or to enqueue it again.
    """

    perform: Callable[[LibraryAttempt], Mapping[str, Any]]
    queue: Queue = Queue.PROCESSOR
    needs: Action = Action.EXPORT


KINDS: Mapping[str, Kind] = {
    video_previews.KIND: Kind(make_video_previews),
    finding.KIND: Kind(find_video_clips),
    quick_start.KIND: Kind(make_quick_start),
    adopting.KIND: Kind(adopt_prefix, Queue.BUCKET, Action.REGISTER),
    removal.KIND: Kind(remove_video, Queue.BUCKET, Action.REGISTER),
    uploads.KIND: Kind(complete_upload, Queue.UPLOADS, Action.UPLOAD),
}


def needed_for(kind: str) -> Action:
    """Return the permission to cancel a job of that kind, or to enqueue it again."""
    return KINDS[kind].needs if kind in KINDS else Action.EXPORT
