"""The kinds of background work that there are, by name."""

from __future__ import annotations

from collections.abc import Mapping

from clipviewer.jobs.previews_work import make_video_previews
from clipviewer.jobs.work_desk import Kind
from clipviewer.services import video_previews

KINDS: Mapping[str, Kind] = {video_previews.KIND: make_video_previews}
