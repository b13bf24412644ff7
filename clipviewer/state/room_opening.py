"""What a clip room loads when it opens, in this order: the video first, since the rest belongs to it."""

from __future__ import annotations

from typing import Any

from clipviewer.state.captions import CaptionsState
from clipviewer.state.exports import ExportState
from clipviewer.state.finding import FindingState
from clipviewer.state.matrix import MatrixState
from clipviewer.state.quick_start import QuickStartState
from clipviewer.state.timeline import TimelineState
from clipviewer.state.video_detail import VideoDetailState


def room_opening() -> list[Any]:
    """The events, for its address and for a video that has come back."""
    return [
        VideoDetailState.fetch_video_details,
        CaptionsState.load,
        ExportState.follow,
        MatrixState.open_exports,
        FindingState.follow,
        TimelineState.open_timeline,
        QuickStartState.follow,
    ]
