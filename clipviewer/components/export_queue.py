"""The exports in progress: progress, cancelling, and the reasons of failures."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.export_views import is_matrix_shown
from clipviewer.components.may_change import if_may_change
from clipviewer.state.exports import ExportState
from clipviewer.state.rows import JobRow


def export_queue() -> rx.Component:
    """List the queued, running and failed exports of this video, unless there are none or the matrix shows them."""
    return rx.fragment(
        bundled("exports/queue.css"),
        rx.cond(ExportState.paused != "", rx.el.p(ExportState.paused, class_name="export-pause problem", role="status")),
        rx.cond(
            (ExportState.jobs.length() > 0) & ~is_matrix_shown(),
            rx.el.ul(rx.foreach(ExportState.jobs, _job), class_name="export-queue", aria_label="Exports in progress"),
        ),
    )


def _job(job: rx.Var[JobRow]) -> rx.Component:
    return rx.el.li(
        rx.box(
            rx.el.span(job.title, class_name="clip-title"),
            rx.el.span(job.making, class_name="clip-time"),
            rx.el.span(job.ratio, class_name="chip"),
            if_may_change(
                rx.match(
                    job.state,
                    ("failed", _button("rotate-ccw", "Retry", ExportState.retry_export(job.id))),
                    _button("x", "Cancel", ExportState.cancel_export(job.id)),
                )
            ),
            class_name="job-line",
        ),
        rx.match(
            job.state,
            (
                "failed",
                rx.box(
                    rx.el.span(job.reason, class_name="problem"),
                    rx.cond(job.log != "", rx.el.details(rx.el.summary("Last lines of the log"), rx.el.pre(job.log))),
                ),
            ),
            ("running", rx.el.progress(value=job.percent, max=100, aria_label=job.title)),
            rx.el.span(rx.cond(job.reason != "", job.reason, "Queued"), class_name="job-waits clip-time"),
        ),
        key=job.id,
        class_name="job",
    )


def _button(icon: str, label: str, event: rx.event.EventSpec) -> rx.Component:
    return rx.el.button(
        rx.icon(icon, size=15), type="button", aria_label=label, title=label, on_click=event, class_name="icon-button small"
    )
