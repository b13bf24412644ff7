"""The details card of the shown clip."""

from __future__ import annotations

import reflex as rx

from clipviewer.components.bundle import bundled
from clipviewer.components.selection import selected_clip
from clipviewer.state.video_detail import VideoDetailState


def clip_details() -> rx.Component:
    """Show duration, aspect ratio, language and key, with buttons to download the clip and copy the key."""
    clip = selected_clip()
    exported = VideoDetailState.tab == "exported"
    return rx.el.section(
        bundled("clips/clip_actions.client.js", "clips/clip_details.css"),
        rx.el.h2(clip.title, class_name="details-title"),
        rx.el.dl(
            _fact("Duration", clip.duration),
            _fact("In – out", clip.span),
            rx.cond(
                exported,
                rx.fragment(
                    _fact("Aspect ratio", clip.ratio),
                    _fact("Language", clip.language),
                    rx.cond(clip.note != "", _fact("Made with", clip.note)),
                    rx.cond(clip.drift != "", _fact(rx.cond(clip.missing, "File missing", "Stale"), clip.drift)),
                ),
                rx.fragment(
                    rx.cond(clip.reasons != "", _fact("Found because", clip.reasons)),
                    rx.cond(clip.score != "", _fact("Score", clip.score + rx.cond(clip.score_parts != "", ": " + clip.score_parts, ""))),
                ),
            ),
            _fact("S3 key", rx.el.code(clip.s3_key)),
            class_name="facts",
        ),
        rx.box(
            rx.cond(
                exported,
                rx.button(
                    rx.icon("download", size=16),
                    "Download",
                    type="button",
                    custom_attrs={"data-action": "download", "data-video": VideoDetailState.video.id, "data-key": clip.s3_key},
                ),
            ),
            rx.button(
                rx.icon("copy", size=16),
                "Copy S3 key",
                type="button",
                variant="soft",
                color_scheme="gray",
                custom_attrs={"data-action": "copy", "data-key": clip.s3_key},
            ),
            class_name="details-actions",
        ),
        class_name="details card",
        aria_label="Clip details",
    )


def _fact(term: str, value: rx.Var[str] | rx.Component) -> rx.Component:
    return rx.box(rx.el.dt(term), rx.el.dd(value), class_name="fact")
