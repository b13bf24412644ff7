"""The timeline below the master: filmstrip, waveform and candidates. The scripts in ``assets/timeline/`` draw it and mark clips on it."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import CustomElement
from clipviewer.components.quick_start import quick_start_line
from clipviewer.components.selection import picked, shown_id
from clipviewer.state.finding import FindingState
from clipviewer.state.quick_start import QuickStartState
from clipviewer.state.timeline import TimelineState
from clipviewer.state.video_detail import VideoDetailState


def _saved_spec(event: rx.Var[dict[str, dict[str, str]]]) -> tuple[rx.Var[str], rx.Var[int], rx.Var[int], rx.Var[str]]:
    detail = event["detail"]
    return (detail["clip"], detail["start"].to(int), detail["end"].to(int), detail["title"])


def _clip_spec(event: rx.Var[dict[str, dict[str, str]]]) -> tuple[rx.Var[str]]:
    return (event["detail"]["clip"],)


class ClipTimeline(CustomElement):
    """The custom element ``<clip-timeline>``; the script describes its attributes and events."""

    tag = "ClipTimelineElement"
    element = "clip-timeline"
    assets = ("timeline/timeline.client.js", "timeline/timeline.css")
    on_clip_saved: rx.EventHandler[_saved_spec]
    on_clip_removed: rx.EventHandler[_clip_spec]


def timeline() -> rx.Component:
    """Return the timeline with its status line; it is hidden for exported clips."""
    view = TimelineState.timeline
    return rx.cond(
        VideoDetailState.tab == "identified",
        rx.box(
            rx.cond(
                view.video_id == VideoDetailState.video.id,
                rx.fragment(_timeline_element(), rx.box(_previews_status(), _undo_removal(), _quick_start(), class_name="timeline-status")),
            ),
            class_name="timeline-room",
        ),
    )


def _timeline_element() -> rx.Component:
    return ClipTimeline.create(
        on_clip_saved=lambda clip, start, end, title: [TimelineState.save_clip(clip, start, end, title), picked.set_value("")],
        on_clip_removed=lambda clip: [TimelineState.remove_clip(clip), picked.set_value("")],
        class_name="timeline",
        custom_attrs={
            "role": "group",
            "aria-label": "Timeline",
            "view": TimelineState.timeline.to_string(),
            "clips": VideoDetailState.identified_clips.to_string(),
            "candidates": FindingState.search.candidates,
            "clip-id": rx.cond(VideoDetailState.identified_total > 0, shown_id(), ""),
        },
    )


def _previews_status() -> rx.Component:
    """Return the progress of the previews, or the button that enqueues them."""
    view = TimelineState.timeline
    return rx.cond(
        view.state == "making",
        rx.el.span("Creating filmstrip and waveform: ", view.percent, " %", class_name="quiet tabular", role="status"),
        rx.cond(
            view.edition == "",
            rx.fragment(
                rx.el.span(rx.cond(view.note != "", view.note, "No filmstrip and waveform yet."), class_name="quiet", role="status"),
                rx.cond(view.may_mark, _button("Create previews", TimelineState.make_previews)),
            ),
        ),
    )


def _quick_start() -> rx.Component:
    """Return the quick start notice, only next to the timeline of the same video."""
    return rx.cond(QuickStartState.quick_start.video_id == VideoDetailState.video.id, quick_start_line())


def _undo_removal() -> rx.Component:
    return rx.cond(
        TimelineState.removed != "",
        rx.fragment(
            rx.el.span("Removed: ", TimelineState.removed, class_name="quiet", role="status"),
            _button("Undo", [TimelineState.put_back, picked.set_value("")]),
        ),
    )


def _button(label: str, event: rx.event.EventType[()]) -> rx.Component:
    return rx.el.button(label, type="button", on_click=event, class_name="find-button")
