"""Polling of the open clip room: often while jobs run, else now and then."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.pulse import Pulse
from clipviewer.state.exports import ExportState
from clipviewer.state.finding import FindingState
from clipviewer.state.quick_start import QuickStartState
from clipviewer.state.room import RoomState
from clipviewer.state.timeline import TimelineState

BUSY_MS, IDLE_MS = 1_000, 5_000


def room_pulse() -> rx.Component:
    """Return the room's only poller; it refreshes every part of the room."""
    under_way = _under_way(FindingState.search.state) | _under_way(QuickStartState.quick_start.state)
    busy = ExportState.busy | under_way | (TimelineState.timeline.state == "making")
    return Pulse.create(interval=rx.cond(busy, BUSY_MS, IDLE_MS), on_pulse=RoomState.follow)


def _under_way(state: rx.Var[str]) -> rx.Var[bool]:
    return (state == "queued") | (state == "running")
