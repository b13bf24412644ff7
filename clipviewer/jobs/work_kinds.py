"""The kinds of background work that there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from clipviewer.jobs.find_work import find_video_clips
from clipviewer.jobs.previews_work import make_video_previews
from clipviewer.jobs.removal_work import remove_video
from clipviewer.jobs.work_desk import Kind
from clipviewer.services import finding, library_removal, video_previews

KINDS: Mapping[str, Kind] = {
    video_previews.KIND: make_video_previews,
    finding.KIND: find_video_clips,
    library_removal.KIND: remove_video,
}
