"""The kinds of background work that there are, by name, and who may call them off."""

from __future__ import annotations

from collections.abc import Mapping

from clipviewer.domain.permissions import Action
from clipviewer.jobs.adopt_work import adopt_prefix
from clipviewer.jobs.find_work import find_video_clips
from clipviewer.jobs.previews_work import make_video_previews
from clipviewer.jobs.quick_start_work import make_quick_start
from clipviewer.jobs.removal_work import remove_video
from clipviewer.jobs.work_desk import Kind, WorkDesk
from clipviewer.services.adoption import adopting
from clipviewer.services.container import Services
from clipviewer.services.library import quick_start, removal, video_previews
from clipviewer.services.room import finding

KINDS: Mapping[str, Kind] = {
    video_previews.KIND: make_video_previews,
    finding.KIND: find_video_clips,
    quick_start.KIND: make_quick_start,
}
"""What keeps a processor busy: one at a time."""
READING: Mapping[str, Kind] = {adopting.KIND: adopt_prefix, removal.KIND: remove_video}
"""What waits for the bucket most of the time: it goes on beside the others."""

_NEEDED: Mapping[str, Action] = {adopting.KIND: Action.REGISTER, removal.KIND: Action.REGISTER}


def needed_for(kind: str) -> Action:
    """What a person must be allowed to do to call off, or to ask again for, work of that kind; ``EXPORT`` where nothing else is said."""
    return _NEEDED.get(kind, Action.EXPORT)


def open_desks(services: Services) -> list[WorkDesk]:
    """The workers of a process, to be started in this order: each clears at its start what no unfinished work owns."""
    return [WorkDesk(services, READING), WorkDesk(services, KINDS, when_idle=video_previews.ask_for_next_due)]
